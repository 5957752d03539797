/**
 * Rows of video frames ↔ rows of R'G'B'. Addresses are bytes. Codes are one byte a sample, or two when `wide`. Scratch rows
 * have 8 floats of space before and 16 after, which kernels may fill; output rows are written to their length only.
 * All sums are of few terms in float32 and are not fused, so every machine gives the same bits.
 */

export * from './byte-rows.wasm';

/** Four codes as floats. */
// @ts-ignore: decorator
@inline
function loadCodes(codes: usize, index: i32, wide: i32): v128 {
  const halves = wide
    ? v128.load64_zero(codes + (<usize>index << 1))
    : i16x8.extend_low_i8x16_u(v128.load32_zero(codes + <usize>index));
  // Codes are far below 2^31, and from signed integers the conversion is one instruction.
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(halves));
}

// @ts-ignore: decorator
@inline
function loadCode(codes: usize, index: i32, wide: i32): f32 {
  return wide ? <f32>load<u16>(codes + (<usize>index << 1)) : <f32>load<u8>(codes + <usize>index);
}

/** Rounds half up and clips: codes from value + 1/2. */
// @ts-ignore: decorator
@inline
function storeCodes(codes: usize, index: i32, wide: i32, valueAndHalf: v128, max: v128): void {
  // The "pseudo" forms are one instruction each, where those that pass NaN on take several.
  const clipped = f32x4.pmin(max, f32x4.pmax(f32x4.splat(0), valueAndHalf));
  // Behind 2^23 the bits of a float are those of an integer; what truncation does for numbers beyond all codes costs more.
  const integers = i32x4.sub(f32x4.add(f32x4.floor(clipped), f32x4.splat(8388608)), i32x4.splat(0x4b000000));
  const halves = i16x8.narrow_i32x4_u(integers, integers);
  if (wide) v128.store64_lane(codes + (<usize>index << 1), halves, 0);
  else v128.store32_lane(codes + <usize>index, i8x16.narrow_i16x8_u(halves, halves), 0);
}

// @ts-ignore: decorator
@inline
function storeCode(codes: usize, index: i32, wide: i32, valueAndHalf: f32, limit: f32): void {
  const integer = <i32>min<f32>(max<f32>(valueAndHalf, 0), limit);
  if (wide) store<u16>(codes + (<usize>index << 1), <u16>integer);
  else store<u8>(codes + <usize>index, <u8>integer);
}

/** target[i] = weightA · a[i] + weightB · b[i] for a scratch row: chroma between two rows. Exact, with weights of quarters. */
export function blendRows(a: usize, b: usize, wide: i32, weightA: f32, weightB: f32, count: i32, target: usize): void {
  const wa = f32x4.splat(weightA), wb = f32x4.splat(weightB);
  for (let i = 0; i < count; i += 4) {
    const sum = f32x4.add(f32x4.mul(wa, loadCodes(a, i, wide)), f32x4.mul(wb, loadCodes(b, i, wide)));
    v128.store(target + (<usize>i << 2), sum);
  }
}

/** A scratch row of chroma to 2^shift times its length; siting 0: on the first of two samples, 1: between them. Exact. */
export function enlargeRow(source: usize, count: i32, shift: i32, siting: i32, target: usize): void {
  store<f32>(source - 4, load<f32>(source));
  store<f32>(source + (<usize>count << 2), load<f32>(source + (<usize>count << 2) - 4));
  const quarter = f32x4.splat(0.25), half = f32x4.splat(0.5), threeQuarters = f32x4.splat(0.75);
  for (let k = 0; k < count; k += 4) {
    const at = source + (<usize>k << 2);
    const own = v128.load(at), next = v128.load(at + 4);
    let even = own, odd: v128;
    if (shift == 2) {
      const to = target + (<usize>k << 4);
      const one = f32x4.add(f32x4.mul(threeQuarters, own), f32x4.mul(quarter, next));
      const two = f32x4.mul(half, f32x4.add(own, next));
      const three = f32x4.add(f32x4.mul(quarter, own), f32x4.mul(threeQuarters, next));
      // Four rows of four, transposed.
      const low = v128.shuffle<f32>(own, one, 0, 4, 1, 5), high = v128.shuffle<f32>(own, one, 2, 6, 3, 7);
      const low2 = v128.shuffle<f32>(two, three, 0, 4, 1, 5), high2 = v128.shuffle<f32>(two, three, 2, 6, 3, 7);
      v128.store(to, v128.shuffle<f32>(low, low2, 0, 1, 4, 5));
      v128.store(to + 16, v128.shuffle<f32>(low, low2, 2, 3, 6, 7));
      v128.store(to + 32, v128.shuffle<f32>(high, high2, 0, 1, 4, 5));
      v128.store(to + 48, v128.shuffle<f32>(high, high2, 2, 3, 6, 7));
      continue;
    }
    if (siting == 0) {
      odd = f32x4.mul(half, f32x4.add(own, next));
    } else {
      const most = f32x4.mul(threeQuarters, own);
      even = f32x4.add(most, f32x4.mul(quarter, v128.load(at - 4)));
      odd = f32x4.add(most, f32x4.mul(quarter, next));
    }
    const to = target + (<usize>k << 3);
    v128.store(to, v128.shuffle<f32>(even, odd, 0, 4, 1, 5));
    v128.store(to + 16, v128.shuffle<f32>(even, odd, 2, 6, 3, 7));
  }
}

/**
 * Luma codes and full-size chroma rows (in codes) to R', G', B': luma = (y − yOffset) · yScale, then
 * R = luma + vRed · (v − neutral), and so on.
 */
export function yuvToRgbRow(
  y: usize, wide: i32, u: usize, v: usize, r: usize, g: usize, b: usize, count: i32,
  yOffset: f32, yScale: f32, neutral: f32, vRed: f32, uGreen: f32, vGreen: f32, uBlue: f32,
): void {
  const yo = f32x4.splat(yOffset), ys = f32x4.splat(yScale), n = f32x4.splat(neutral);
  const vr = f32x4.splat(vRed), ug = f32x4.splat(uGreen), vg = f32x4.splat(vGreen), ub = f32x4.splat(uBlue);
  let i = 0;
  for (; i <= count - 4; i += 4) {
    const at = <usize>i << 2;
    const luma = f32x4.mul(f32x4.sub(loadCodes(y, i, wide), yo), ys);
    const cu = f32x4.sub(v128.load(u + at), n), cv = f32x4.sub(v128.load(v + at), n);
    v128.store(r + at, f32x4.add(luma, f32x4.mul(vr, cv)));
    v128.store(g + at, f32x4.add(luma, f32x4.add(f32x4.mul(ug, cu), f32x4.mul(vg, cv))));
    v128.store(b + at, f32x4.add(luma, f32x4.mul(ub, cu)));
  }
  for (; i < count; i++) {
    const at = <usize>i << 2;
    const luma = (loadCode(y, i, wide) - yOffset) * yScale;
    const cu = load<f32>(u + at) - neutral, cv = load<f32>(v + at) - neutral;
    store<f32>(r + at, luma + vRed * cv);
    store<f32>(g + at, luma + (uGreen * cu + vGreen * cv));
    store<f32>(b + at, luma + uBlue * cu);
  }
}

/** R', G', B' to luma codes, and to scratch rows u = (B − luma) · uScale, v = (R − luma) · vScale: codes above neutral. */
export function rgbToYuvRow(
  r: usize, g: usize, b: usize, y: usize, wide: i32, u: usize, v: usize, count: i32,
  red: f32, green: f32, blue: f32, yOffset: f32, yScale: f32, uScale: f32, vScale: f32, max: f32,
): void {
  const wr = f32x4.splat(red), wg = f32x4.splat(green), wb = f32x4.splat(blue), most = f32x4.splat(max);
  const ys = f32x4.splat(yScale), yo = f32x4.splat(yOffset + 0.5), us = f32x4.splat(uScale), vs = f32x4.splat(vScale);
  let i = 0;
  for (; i <= count - 4; i += 4) {
    const at = <usize>i << 2;
    const cr = v128.load(r + at), cb = v128.load(b + at);
    const luma = f32x4.add(f32x4.add(f32x4.mul(wr, cr), f32x4.mul(wg, v128.load(g + at))), f32x4.mul(wb, cb));
    storeCodes(y, i, wide, f32x4.add(f32x4.mul(luma, ys), yo), most);
    v128.store(u + at, f32x4.mul(f32x4.sub(cb, luma), us));
    v128.store(v + at, f32x4.mul(f32x4.sub(cr, luma), vs));
  }
  for (; i < count; i++) {
    const at = <usize>i << 2;
    const cr = load<f32>(r + at), cb = load<f32>(b + at);
    const luma = red * cr + green * load<f32>(g + at) + blue * cb;
    storeCode(y, i, wide, luma * yScale + (yOffset + 0.5), max);
    store<f32>(u + at, (cb - luma) * uScale);
    store<f32>(v + at, (cr - luma) * vScale);
  }
}

/**
 * {@link yuvToRgbRow} and {@link rgbToYuvRow} in one, the same sums in the same order: luma codes in place, and scratch rows u
 * and v from codes to codes above neutral. What lies between stays in registers.
 */
export function passYuvRow(
  y: usize, wide: i32, u: usize, v: usize, count: i32,
  yOffset: f32, yScale: f32, neutral: f32, vRed: f32, uGreen: f32, vGreen: f32, uBlue: f32,
  red: f32, green: f32, blue: f32, lumaScale: f32, uScale: f32, vScale: f32, max: f32,
): void {
  const yo = f32x4.splat(yOffset), ys = f32x4.splat(yScale), n = f32x4.splat(neutral);
  const vr = f32x4.splat(vRed), ug = f32x4.splat(uGreen), vg = f32x4.splat(vGreen), ub = f32x4.splat(uBlue);
  const wr = f32x4.splat(red), wg = f32x4.splat(green), wb = f32x4.splat(blue), most = f32x4.splat(max);
  const ls = f32x4.splat(lumaScale), lo = f32x4.splat(yOffset + 0.5), us = f32x4.splat(uScale), vs = f32x4.splat(vScale);
  let i = 0;
  for (; i <= count - 4; i += 4) {
    const at = <usize>i << 2;
    const luma = f32x4.mul(f32x4.sub(loadCodes(y, i, wide), yo), ys);
    const cu = f32x4.sub(v128.load(u + at), n), cv = f32x4.sub(v128.load(v + at), n);
    const r = f32x4.add(luma, f32x4.mul(vr, cv));
    const g = f32x4.add(luma, f32x4.add(f32x4.mul(ug, cu), f32x4.mul(vg, cv)));
    const b = f32x4.add(luma, f32x4.mul(ub, cu));
    const back = f32x4.add(f32x4.add(f32x4.mul(wr, r), f32x4.mul(wg, g)), f32x4.mul(wb, b));
    storeCodes(y, i, wide, f32x4.add(f32x4.mul(back, ls), lo), most);
    v128.store(u + at, f32x4.mul(f32x4.sub(b, back), us));
    v128.store(v + at, f32x4.mul(f32x4.sub(r, back), vs));
  }
  for (; i < count; i++) {
    const at = <usize>i << 2;
    const luma = (loadCode(y, i, wide) - yOffset) * yScale;
    const cu = load<f32>(u + at) - neutral, cv = load<f32>(v + at) - neutral;
    const r = luma + vRed * cv, g = luma + (uGreen * cu + vGreen * cv), b = luma + uBlue * cu;
    const back = red * r + green * g + blue * b;
    storeCode(y, i, wide, back * lumaScale + (yOffset + 0.5), max);
    store<f32>(u + at, (b - back) * uScale);
    store<f32>(v + at, (r - back) * vScale);
  }
}

// @ts-ignore: decorator
@inline
function evens(at: usize): v128 {
  return v128.shuffle<f32>(v128.load(at), v128.load(at + 16), 0, 2, 4, 6);
}

/** A full-size scratch row down to its `targetCount` chroma samples: the left inverse of {@link enlargeRow}. */
export function reduceRow(source: usize, count: i32, shift: i32, siting: i32, target: usize, targetCount: i32): void {
  if (shift == 2) {
    for (let k = 0; k < targetCount; k++) store<f32>(target + (<usize>k << 2), load<f32>(source + (<usize>k << 4)));
    return;
  }
  const first = load<f32>(source), last = load<f32>(source + (<usize>count << 2) - 4);
  store<f32>(source - 4, first);
  store<f32>(source - 8, first);
  store<f32>(source + (<usize>count << 2), last);
  store<f32>(source + (<usize>count << 2) + 4, last);
  if (siting == 0) {
    const six = f32x4.splat(0.75), two = f32x4.splat(0.25), one = f32x4.splat(0.125);
    for (let k = 0; k < targetCount; k += 4) {
      const at = source + (<usize>k << 3);
      const near = f32x4.mul(two, f32x4.add(evens(at - 4), evens(at + 4)));
      const far = f32x4.mul(one, f32x4.add(evens(at - 8), evens(at + 8)));
      v128.store(target + (<usize>k << 2), f32x4.add(f32x4.mul(six, evens(at)), f32x4.sub(near, far)));
    }
    return;
  }
  const three = f32x4.splat(0.75), one = f32x4.splat(0.25);
  for (let k = 0; k < targetCount; k += 4) {
    const at = source + (<usize>k << 3);
    const near = f32x4.mul(three, f32x4.add(evens(at), evens(at + 4)));
    v128.store(target + (<usize>k << 2), f32x4.sub(near, f32x4.mul(one, f32x4.add(evens(at - 4), evens(at + 8)))));
  }
  // The last sample of an odd length has no partner.
  if (count & 1 && count > 1) {
    const before = load<f32>(source + (<usize>count << 2) - 8);
    store<f32>(target + (<usize>(targetCount - 1) << 2), <f32>1.5 * last - <f32>0.5 * before);
  } else if (count == 1) {
    store<f32>(target, last);
  }
}

/** Chroma codes from up to five weighted scratch rows: the vertical half of going down. */
export function storeChromaRow(
  a: usize, b: usize, c: usize, d: usize, e: usize, weightA: f32, weightB: f32, weightC: f32, weightD: f32, weightE: f32,
  count: i32, neutral: f32, max: f32, wide: i32, target: usize,
): void {
  if (weightA == 1 && weightB == 0 && weightC == 0 && weightD == 0 && weightE == 0) {
    signalToCodes(a, count, neutral, 1, max, target, wide, 1);
    return;
  }
  const wa = f32x4.splat(weightA), wb = f32x4.splat(weightB), wc = f32x4.splat(weightC);
  const wd = f32x4.splat(weightD), we = f32x4.splat(weightE), offset = f32x4.splat(neutral + 0.5), most = f32x4.splat(max);
  let i = 0;
  for (; i <= count - 4; i += 4) {
    const at = <usize>i << 2;
    let sum = f32x4.add(f32x4.mul(wa, v128.load(a + at)), f32x4.mul(wb, v128.load(b + at)));
    sum = f32x4.add(sum, f32x4.mul(wc, v128.load(c + at)));
    sum = f32x4.add(sum, f32x4.mul(wd, v128.load(d + at)));
    sum = f32x4.add(sum, f32x4.mul(we, v128.load(e + at)));
    storeCodes(target, i, wide, f32x4.add(sum, offset), most);
  }
  for (; i < count; i++) {
    const at = <usize>i << 2;
    let sum = weightA * load<f32>(a + at) + weightB * load<f32>(b + at);
    sum += weightC * load<f32>(c + at);
    sum += weightD * load<f32>(d + at);
    sum += weightE * load<f32>(e + at);
    storeCode(target, i, wide, sum + (neutral + 0.5), max);
  }
}

/** One channel of gray or RGB codes, `step` samples apart, to (code − offset) · scale. */
export function codesToSignal(codes: usize, wide: i32, step: i32, count: i32, offset: f32, scale: f32, target: usize): void {
  let i = 0;
  if (step == 1) {
    const scales = f32x4.splat(scale), offsets = f32x4.splat(offset);
    for (; i <= count - 4; i += 4) {
      v128.store(target + (<usize>i << 2), f32x4.mul(f32x4.sub(loadCodes(codes, i, wide), offsets), scales));
    }
  }
  for (; i < count; i++) {
    store<f32>(target + (<usize>i << 2), (loadCode(codes, i * step, wide) - offset) * scale);
  }
}

/** The inverse of {@link codesToSignal}. */
export function signalToCodes(
  source: usize, count: i32, offset: f32, scale: f32, max: f32, codes: usize, wide: i32, step: i32,
): void {
  let i = 0;
  if (step == 1) {
    const scales = f32x4.splat(scale), offsets = f32x4.splat(offset + 0.5), most = f32x4.splat(max);
    for (; i <= count - 4; i += 4) {
      const value = f32x4.mul(v128.load(source + (<usize>i << 2)), scales);
      storeCodes(codes, i, wide, f32x4.add(value, offsets), most);
    }
  }
  for (; i < count; i++) {
    storeCode(codes, i * step, wide, load<f32>(source + (<usize>i << 2)) * scale + (offset + 0.5), max);
  }
}

/** target = red · r + green · g + blue · b. */
export function lumaRow(r: usize, g: usize, b: usize, red: f32, green: f32, blue: f32, count: i32, target: usize): void {
  for (let i = 0; i < count; i++) {
    const at = <usize>i << 2;
    store<f32>(target + at, red * load<f32>(r + at) + green * load<f32>(g + at) + blue * load<f32>(b + at));
  }
}

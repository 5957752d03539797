/**
 * Rows of 8-bit frames to R'G'B' and back in whole numbers of 16 bits, eight at a time, for when nothing happens in between.
 * Fixed points, in parts of a code: chroma above neutral 4ths between two rows, 128ths at full size; luma, R', G', B' (with the
 * offset that luma has), and chroma on its way back, in codes of luma, 64ths.
 *
 * Every code comes back. A product of Q15 errs by half a unit, and by half a unit for its rounded factor: luma by at most 4.7/64
 * of a code, B' and R' less luma by 5.7/64; the horizontal filter at most doubles that and adds 1/64, the vertical one at most
 * triples the sum (at the end of an odd height), and the factor to codes of chroma is below 0.65: 0.38 of a code, where half a
 * code would change one. So codes need no clipping. Sums of neighbours may leave 16 bits on the way; what comes of them is
 * back inside.
 *
 * An instance serves one kind of frame, which {@link setBytes} tells. Scratch rows have the space that those in float32 have.
 */

let width: i32, chromaWidth: i32, isBetween: bool;
let vRed: i32, uGreen: i32, vGreen: i32, uBlue: i32, red: i32, green: i32, blue: i32;
/** Chroma between two rows; and at full size, the first samples of all pairs, and the second ones. */
let betweenU: usize, betweenV: usize, firstU: usize, firstV: usize, secondU: usize, secondV: usize;

/**
 * What is the same for all rows: samples in a row, where chroma lies (`between` two of luma, or on the first); factors in Q15, of
 * which those of `red`, `green` and `blue` sum to one; scratch rows.
 */
export function setBytes(
  lumaSamples: i32, chromaSamples: i32, between: i32, redOfV: i32, greenOfU: i32, greenOfV: i32, blueOfU: i32,
  lumaOfRed: i32, lumaOfGreen: i32, lumaOfBlue: i32, scratch: usize, scratchBytes: usize,
): void {
  width = lumaSamples; chromaWidth = chromaSamples; isBetween = between != 0;
  vRed = redOfV; uGreen = greenOfU; vGreen = greenOfV; uBlue = blueOfU; red = lumaOfRed; green = lumaOfGreen; blue = lumaOfBlue;
  betweenU = scratch; firstU = scratch + scratchBytes; betweenV = firstU + scratchBytes; firstV = betweenV + scratchBytes;
  // Half a row of 32 bits has room for the first ones.
  const half = ((<usize>lumaSamples + 3) & ~3) * 2 + 48;
  secondU = firstU + half; secondV = firstV + half;
}

/**
 * Takes a frame there and back into another, or in place. `passes` has for each row the arguments of {@link passFullRow} or
 * {@link passHalfRow} behind the first, `stores` for each row of chroma to write the last row that it needs, and the arguments of
 * {@link storeChroma}. Rows of frames are told as their distance from the frame's beginning.
 */
export function passBytes(
  source: usize, target: usize, rows: i32, passes: usize, isHalf: i32, stores: usize, storeCount: i32,
): void {
  let stored = 0;
  for (let y = 0; y < rows; y++) {
    const row = passes + <usize>(y * 36);
    const luma = source + entry(row, 0), to = target + entry(row, 0);
    const nearU = source + entry(row, 1), farU = source + entry(row, 2);
    const nearV = source + entry(row, 3), farV = source + entry(row, 4);
    if (isHalf) {
      passHalfRow(to, luma, nearU, farU, nearV, farV, entry(row, 5), entry(row, 6), entry(row, 7), entry(row, 8));
    } else {
      passFullRow(to, luma, nearU, farU, nearV, farV, entry(row, 5), entry(row, 6), entry(row, 7), entry(row, 8));
    }
    for (; stored < storeCount; stored++) {
      const at = stores + <usize>(stored * 52);
      if (entry(at, 0) > y) break;
      storeChroma(
        entry(at, 1), entry(at, 2), entry(at, 3), entry(at, 4), entry(at, 5),
        entry(at, 6), entry(at, 7), entry(at, 8), entry(at, 9), entry(at, 10), entry(at, 11), target + entry(at, 12),
      );
    }
  }
}

// @ts-ignore: decorator
@inline
function entry(table: usize, index: i32): i32 {
  return load<i32>(table + (<usize>index << 2));
}

/** a · b in Q15. No factor is −1, the one that the two builds may multiply differently. */
// @ts-ignore: decorator
@inline
function times(a: v128, b: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i16x8.relaxed_q15mulr_s(a, b);
  return i16x8.q15mulr_sat_s(a, b);
}

/** Writes the first `count` (8 at most) of eight codes. */
// @ts-ignore: decorator
@inline
function storeBytes(target: usize, codes: v128, count: i32): void {
  const bytes = i8x16.narrow_i16x8_u(codes, codes);
  if (count >= 8) {
    v128.store64_lane(target, bytes, 0);
    return;
  }
  let rest = i64x2.extract_lane(bytes, 0);
  for (let i = 0; i < count; i++) {
    store<u8>(target + <usize>i, <u8>rest);
    rest >>= 8;
  }
}

/** Chroma between two rows of codes, above neutral; weights in 4ths. */
// @ts-ignore: decorator
@inline
function blend(a: usize, b: usize, weightA: i32, weightB: i32, target: usize): void {
  const wa = i16x8.splat(<i16>weightA), wb = i16x8.splat(<i16>weightB), neutral = i16x8.splat(512), count = chromaWidth;
  for (let i = 0; i < count; i += 8) {
    const own = i16x8.mul(wa, v128.load8x8_u(a + <usize>i));
    const sum = i16x8.add(own, i16x8.mul(wb, v128.load8x8_u(b + <usize>i)));
    v128.store(target + (<usize>i << 1), i16x8.sub(sum, neutral));
  }
}

/** Eight pixels to R', G', B' and back: gives luma codes, and stores chroma. The factors come from outside the loop. */
// @ts-ignore: decorator
@inline
function convert(
  luma: v128, u: v128, v: v128, vr: v128, ug: v128, vg: v128, ub: v128, wr: v128, wg: v128, wb: v128, half: v128,
  targetU: usize, targetV: usize,
): v128 {
  const r = i16x8.add(luma, times(v, vr));
  const g = i16x8.add(luma, i16x8.add(times(u, ug), times(v, vg)));
  const b = i16x8.add(luma, times(u, ub));
  const back = i16x8.add(i16x8.add(times(r, wr), times(g, wg)), times(b, wb));
  v128.store(targetU, i16x8.sub(b, back));
  v128.store(targetV, i16x8.sub(r, back));
  return i16x8.shr_s(i16x8.add(back, half), 6);
}

/**
 * A row of luma codes, and the nearest two rows of chroma codes with their weights in 4ths, to R', G', B' and back: luma
 * codes, and rows of chroma. For frames with as many samples of chroma in a row as of luma.
 */
function passFullRow(
  to: usize, y: usize, nearU: usize, farU: usize, nearV: usize, farV: usize, weightA: i32, weightB: i32,
  targetU: usize, targetV: usize,
): void {
  blend(nearU, farU, weightA, weightB, betweenU);
  blend(nearV, farV, weightA, weightB, betweenV);
  const vr = i16x8.splat(<i16>vRed), ug = i16x8.splat(<i16>uGreen), vg = i16x8.splat(<i16>vGreen), ub = i16x8.splat(<i16>uBlue);
  const wr = i16x8.splat(<i16>red), wg = i16x8.splat(<i16>green), wb = i16x8.splat(<i16>blue);
  const half = i16x8.splat(32), count = width;
  for (let i = 0; i < count; i += 8) {
    const at = <usize>i << 1;
    const luma = i16x8.shl(v128.load8x8_u(y + <usize>i), 6);
    const cu = i16x8.shl(v128.load(betweenU + at), 5), cv = i16x8.shl(v128.load(betweenV + at), 5);
    const codes = convert(luma, cu, cv, vr, ug, vg, ub, wr, wg, wb, half, targetU + at, targetV + at);
    storeBytes(to + <usize>i, codes, count - i);
  }
}

/**
 * The same for frames with half as many samples of chroma in a row; the rows of chroma have as many. First and second pixels of
 * all pairs go apart, so that nothing needs to be shuffled.
 */
function passHalfRow(
  to: usize, y: usize, nearU: usize, farU: usize, nearV: usize, farV: usize, weightA: i32, weightB: i32,
  targetU: usize, targetV: usize,
): void {
  blend(nearU, farU, weightA, weightB, betweenU);
  blend(nearV, farV, weightA, weightB, betweenV);
  repeatEnds(betweenU);
  repeatEnds(betweenV);
  const vr = i16x8.splat(<i16>vRed), ug = i16x8.splat(<i16>uGreen), vg = i16x8.splat(<i16>vGreen), ub = i16x8.splat(<i16>uBlue);
  const wr = i16x8.splat(<i16>red), wg = i16x8.splat(<i16>green), wb = i16x8.splat(<i16>blue);
  const half = i16x8.splat(32), low = i16x8.splat(255), count = width, pairs = chromaWidth;
  const rowU = betweenU, rowV = betweenV, toU = firstU, toV = firstV, toU2 = secondU, toV2 = secondV, between = isBetween;
  for (let k = 0; k < pairs; k += 8) {
    const at = <usize>k << 1;
    const codes = v128.load(y + at);
    const luma = i16x8.shl(v128.and(codes, low), 6), luma2 = i16x8.shl(i16x8.shr_u(codes, 8), 6);
    const u = firstOf(rowU + at, between), v = firstOf(rowV + at, between);
    const u2 = secondOf(rowU + at, between), v2 = secondOf(rowV + at, between);
    const even = convert(luma, u, v, vr, ug, vg, ub, wr, wg, wb, half, toU + at, toV + at);
    const odd = convert(luma2, u2, v2, vr, ug, vg, ub, wr, wg, wb, half, toU2 + at, toV2 + at);
    const both = v128.or(even, i16x8.shl(odd, 8));
    if (k + 8 <= count >> 1) {
      v128.store(to + at, both);
    } else {
      const halves = v128.and(both, low), rest = i16x8.shr_u(both, 8);
      storeBytes(to + at, v128.shuffle<i16>(halves, rest, 0, 8, 1, 9, 2, 10, 3, 11), count - (k << 1));
      storeBytes(to + at + 8, v128.shuffle<i16>(halves, rest, 4, 12, 5, 13, 6, 14, 7, 15), count - (k << 1) - 8);
    }
  }
  reduce(firstU, secondU, targetU);
  reduce(firstV, secondV, targetV);
}

// @ts-ignore: decorator
@inline
function repeatEnds(row: usize): void {
  const end = row + (<usize>chromaWidth << 1);
  store<i16>(row - 2, load<i16>(row));
  store<i16>(end, load<i16>(end - 2));
}

/** Chroma of the first pixels of eight pairs, from a row in 4ths, in 128ths. */
// @ts-ignore: decorator
@inline
function firstOf(at: usize, between: bool): v128 {
  const own = v128.load(at);
  if (!between) return i16x8.shl(own, 5);
  return i16x8.shl(i16x8.add(i16x8.add(own, i16x8.shl(own, 1)), v128.load(at - 2)), 3);
}

/** Of the second ones. */
// @ts-ignore: decorator
@inline
function secondOf(at: usize, between: bool): v128 {
  const own = v128.load(at), next = v128.load(at + 2);
  if (!between) return i16x8.shl(i16x8.add(own, next), 4);
  return i16x8.shl(i16x8.add(i16x8.add(own, i16x8.shl(own, 1)), next), 3);
}

/** Down to one sample a pair by the filter that undoes {@link firstOf} and {@link secondOf}. */
// @ts-ignore: decorator
@inline
function reduce(first: usize, second: usize, target: usize): void {
  const count = chromaWidth, end = <usize>count << 1, isOdd = (width & 1) == 1;
  // Beyond the ends, the samples at the ends again.
  const start = load<i16>(first), last = load<i16>((isOdd ? first : second) + end - 2), before = load<i16>(second + end - 4);
  store<i16>(first - 2, start);
  store<i16>(second - 2, start);
  store<i16>(first + end, last);
  if (isOdd) store<i16>(second + end - 2, last);
  const one = i16x8.splat(1), two = i16x8.splat(2);
  if (isBetween) {
    for (let k = 0; k < count; k += 8) {
      const at = <usize>k << 1;
      const inner = i16x8.add(v128.load(first + at), v128.load(second + at));
      const outer = i16x8.add(v128.load(second + at - 2), v128.load(first + at + 2));
      v128.store(target + at, middleOfPairs(inner, outer, two));
    }
    // The last sample of an odd length has no partner.
    if (isOdd) store<i16>(target + end - 2, count == 1 ? last : <i16>((3 * <i32>last - <i32>before) >> 1));
    return;
  }
  for (let k = 0; k < count; k += 8) {
    const at = <usize>k << 1;
    const near = i16x8.add(v128.load(second + at - 2), v128.load(second + at));
    const far = i16x8.add(v128.load(first + at - 2), v128.load(first + at + 2));
    v128.store(target + at, middleOfFive(v128.load(first + at), near, far, one, two));
  }
}

/** Chroma codes from up to five rows, with weights in 8ths, by a factor in Q15: the vertical half of going down. */
function storeChroma(
  a: usize, b: usize, c: usize, d: usize, e: usize, weightA: i32, weightB: i32, weightC: i32, weightD: i32, weightE: i32,
  factor: i32, target: usize,
): void {
  const scale = i16x8.splat(<i16>factor), one = i16x8.splat(1), two = i16x8.splat(2), count = chromaWidth;
  if (weightA == 8) {
    for (let i = 0; i < count; i += 8) {
      storeBytes(target + <usize>i, chromaCodes(v128.load(a + (<usize>i << 1)), scale), count - i);
    }
  } else if (weightA == -2 && weightB == 6) {
    // [-1 3 3 -1]/4, and below [-1 2 6 2 -1]/8: as along rows.
    for (let i = 0; i < count; i += 8) {
      const at = <usize>i << 1;
      const inner = i16x8.add(v128.load(b + at), v128.load(c + at)), outer = i16x8.add(v128.load(a + at), v128.load(d + at));
      storeBytes(target + <usize>i, chromaCodes(middleOfPairs(inner, outer, two), scale), count - i);
    }
  } else if (weightA == -1 && weightC == 6) {
    for (let i = 0; i < count; i += 8) {
      const at = <usize>i << 1;
      const near = i16x8.add(v128.load(b + at), v128.load(d + at)), far = i16x8.add(v128.load(a + at), v128.load(e + at));
      storeBytes(target + <usize>i, chromaCodes(middleOfFive(v128.load(c + at), near, far, one, two), scale), count - i);
    }
  } else {
    // The last rows of an odd height.
    for (let i = 0; i < count; i++) {
      const at = <usize>i << 1;
      const sum = weightA * <i32>load<i16>(a + at) + weightB * <i32>load<i16>(b + at);
      const value = (((sum + 4) >> 3) * factor + 16384) >> 15;
      store<u8>(target + <usize>i, <u8>(((value + 32) >> 6) + 128));
    }
  }
}

/** From 64ths of luma codes, above neutral. */
// @ts-ignore: decorator
@inline
function chromaCodes(value: v128, scale: v128): v128 {
  return i16x8.add(i16x8.shr_s(i16x8.add(times(value, scale), i16x8.splat(32)), 6), i16x8.splat(128));
}

/** [-1 3 3 -1]/4 of the sum of the inner two and that of the outer two. */
// @ts-ignore: decorator
@inline
function middleOfPairs(inner: v128, outer: v128, two: v128): v128 {
  return i16x8.add(i16x8.shr_s(inner, 1), i16x8.shr_s(i16x8.add(i16x8.sub(inner, outer), two), 2));
}

/** [-1 2 6 2 -1]/8: the middle, and what it is off the mean of the others. */
// @ts-ignore: decorator
@inline
function middleOfFive(own: v128, near: v128, far: v128, one: v128, two: v128): v128 {
  const rest = i16x8.sub(i16x8.sub(near, own), i16x8.shr_s(i16x8.add(far, one), 1));
  return i16x8.add(own, i16x8.shr_s(i16x8.add(rest, two), 2));
}

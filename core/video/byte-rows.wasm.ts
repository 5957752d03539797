/**
 * Rows of 8-bit frames to R'G'B' and back in whole numbers of 16 bits, eight at a time, for when nothing happens in between:
 * half the time of the kernels in float32. Fixed points, in parts of a code: chroma rows 4ths after blending, 16ths after
 * enlarging; R', G', B' and luma 64ths; chroma above neutral on its way back 64ths, then 32ths.
 *
 * Every code comes back. A product of Q15 errs by half a unit, and by half a unit for its rounded factor: luma by at most 4.5/64
 * of a code, chroma by 3.2/64; the horizontal filter at most doubles that and adds 1/64, the vertical one at most triples the sum
 * (1/2 + ..., at the end of an odd height): 0.35 of a code, where half a code would change one.
 * Scratch rows have the space that those in float32 have.
 */

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

/** The same two weights for each pair of neighbours. */
// @ts-ignore: decorator
@inline
function pair(first: i32, second: i32): v128 {
  return i32x4.splat((second << 16) | (first & 0xffff));
}

/** A row of chroma between two rows, in 4ths of a code; weights in 4ths. */
export function blendBytes(a: usize, b: usize, weightA: i32, weightB: i32, count: i32, target: usize): void {
  const wa = i16x8.splat(<i16>weightA), wb = i16x8.splat(<i16>weightB);
  for (let i = 0; i < count; i += 8) {
    const own = i16x8.mul(wa, v128.load8x8_u(a + <usize>i));
    v128.store(target + (<usize>i << 1), i16x8.add(own, i16x8.mul(wb, v128.load8x8_u(b + <usize>i))));
  }
}

/** Such a row to 2^shift times its length, in 16ths of a code; siting 0: on the first of two samples, 1: between them. */
export function enlargeBytes(source: usize, count: i32, shift: i32, siting: i32, target: usize): void {
  const end = source + (<usize>count << 1);
  store<i16>(source - 2, load<i16>(source));
  store<i16>(end, load<i16>(end - 2));
  const three = i16x8.splat(3);
  for (let k = 0; k < count; k += 8) {
    const at = source + (<usize>k << 1);
    const own = v128.load(at), next = v128.load(at + 2);
    const most = i16x8.mul(three, own);
    const half = i16x8.shl(i16x8.add(own, next), 1);
    if (shift == 2) {
      const to = target + (<usize>k << 3);
      const same = i16x8.shl(own, 2), one = i16x8.add(most, next), last = i16x8.add(own, i16x8.mul(three, next));
      // Four rows of eight, transposed.
      const low = v128.shuffle<i16>(same, one, 0, 8, 1, 9, 2, 10, 3, 11);
      const high = v128.shuffle<i16>(same, one, 4, 12, 5, 13, 6, 14, 7, 15);
      const low2 = v128.shuffle<i16>(half, last, 0, 8, 1, 9, 2, 10, 3, 11);
      const high2 = v128.shuffle<i16>(half, last, 4, 12, 5, 13, 6, 14, 7, 15);
      v128.store(to, v128.shuffle<i32>(low, low2, 0, 4, 1, 5));
      v128.store(to + 16, v128.shuffle<i32>(low, low2, 2, 6, 3, 7));
      v128.store(to + 32, v128.shuffle<i32>(high, high2, 0, 4, 1, 5));
      v128.store(to + 48, v128.shuffle<i32>(high, high2, 2, 6, 3, 7));
      continue;
    }
    const even = siting == 0 ? i16x8.shl(own, 2) : i16x8.add(most, v128.load(at - 2));
    const odd = siting == 0 ? half : i16x8.add(most, next);
    const to = target + (<usize>k << 2);
    v128.store(to, v128.shuffle<i16>(even, odd, 0, 8, 1, 9, 2, 10, 3, 11));
    v128.store(to + 16, v128.shuffle<i16>(even, odd, 4, 12, 5, 13, 6, 14, 7, 15));
  }
}

/**
 * Luma codes and full-size chroma rows to R', G', B' and back: luma codes in place, and the rows u and v from codes to codes
 * above neutral. Chroma less `neutral`, times 2^chromaShift, is in 128ths of a code; factors are Q15, those of `red`, `green`
 * and `blue` sum to one.
 */
export function passBytes(
  y: usize, u: usize, v: usize, count: i32, yOffset: i32, neutral: i32, chromaShift: i32,
  vRed: i32, uGreen: i32, vGreen: i32, uBlue: i32, red: i32, green: i32, blue: i32, uScale: i32, vScale: i32,
): void {
  const vr = i16x8.splat(<i16>vRed), ug = i16x8.splat(<i16>uGreen), vg = i16x8.splat(<i16>vGreen);
  const ub = i16x8.splat(<i16>uBlue), us = i16x8.splat(<i16>uScale), vs = i16x8.splat(<i16>vScale);
  const wr = i16x8.splat(<i16>red), wg = i16x8.splat(<i16>green), wb = i16x8.splat(<i16>blue);
  const offset = i16x8.splat(<i16>(yOffset << 6)), half = i16x8.splat(<i16>((yOffset << 6) + 32));
  const n = i16x8.splat(<i16>neutral);
  for (let i = 0; i < count; i += 8) {
    const at = <usize>i << 1;
    const luma = i16x8.sub(i16x8.shl(v128.load8x8_u(y + <usize>i), 6), offset);
    const cu = i16x8.shl(i16x8.sub(v128.load(u + at), n), chromaShift);
    const cv = i16x8.shl(i16x8.sub(v128.load(v + at), n), chromaShift);
    const r = i16x8.add(luma, i16x8.q15mulr_sat_s(cv, vr));
    const g = i16x8.add(luma, i16x8.add(i16x8.q15mulr_sat_s(cu, ug), i16x8.q15mulr_sat_s(cv, vg)));
    const b = i16x8.add(luma, i16x8.q15mulr_sat_s(cu, ub));
    const redGreen = i16x8.add(i16x8.q15mulr_sat_s(r, wr), i16x8.q15mulr_sat_s(g, wg));
    const back = i16x8.add(redGreen, i16x8.q15mulr_sat_s(b, wb));
    storeBytes(y + <usize>i, i16x8.shr_s(i16x8.add(back, half), 6), count - i);
    v128.store(u + at, i16x8.q15mulr_sat_s(i16x8.sub(b, back), us));
    v128.store(v + at, i16x8.q15mulr_sat_s(i16x8.sub(r, back), vs));
  }
}

/** A full-size row of chroma above neutral, in 64ths, down to `targetCount` samples in 32ths: undoes {@link enlargeBytes}. */
export function reduceBytes(source: usize, count: i32, shift: i32, siting: i32, target: usize, targetCount: i32): void {
  if (shift == 2) {
    for (let k = 0; k < targetCount; k++) {
      store<i16>(target + (<usize>k << 1), <i16>((<i32>load<i16>(source + (<usize>k << 3)) + 1) >> 1));
    }
    return;
  }
  const end = source + (<usize>count << 1);
  const first: i32 = load<i16>(source), last: i32 = load<i16>(end - 2), before: i32 = load<i16>(end - 4);
  store<i16>(source - 2, <i16>first);
  store<i16>(source - 4, <i16>first);
  store<i16>(end, <i16>last);
  store<i16>(end + 2, <i16>last);
  // Weights in 8ths, of a sample's own pair, the pair before and the one after.
  const own = siting == 0 ? pair(6, 2) : pair(6, 6);
  const left = siting == 0 ? pair(-1, 2) : pair(0, -2);
  const right = siting == 0 ? pair(-1, 0) : pair(-2, 0);
  const half = i32x4.splat(8);
  for (let k = 0; k < targetCount; k += 8) {
    const at = source + (<usize>k << 2);
    const middle = v128.load(at), middle2 = v128.load(at + 16);
    let low = i32x4.add(half, i32x4.dot_i16x8_s(middle, own));
    let high = i32x4.add(half, i32x4.dot_i16x8_s(middle2, own));
    low = i32x4.add(low, i32x4.dot_i16x8_s(v128.load(at - 4), left));
    high = i32x4.add(high, i32x4.dot_i16x8_s(v128.load(at + 12), left));
    low = i32x4.add(low, i32x4.dot_i16x8_s(v128.load(at + 4), right));
    high = i32x4.add(high, i32x4.dot_i16x8_s(v128.load(at + 20), right));
    v128.store(target + (<usize>k << 1), i16x8.narrow_i32x4_s(i32x4.shr_s(low, 4), i32x4.shr_s(high, 4)));
  }
  // The last sample of an odd length has no partner.
  if (siting == 1 && (count & 1) == 1) {
    const alone = count == 1 ? (last + 1) >> 1 : (3 * last - before + 2) >> 2;
    store<i16>(target + (<usize>(targetCount - 1) << 1), <i16>alone);
  }
}

/** Chroma codes from up to five rows in 32ths, with weights in 8ths: the vertical half of going down. */
export function storeChromaBytes(
  a: usize, b: usize, c: usize, d: usize, e: usize, weightA: i32, weightB: i32, weightC: i32, weightD: i32, weightE: i32,
  count: i32, target: usize,
): void {
  const neutral = i16x8.splat(128);
  if (weightA == 8) {
    const half = i16x8.splat(16);
    for (let i = 0; i < count; i += 8) {
      const codes = i16x8.shr_s(i16x8.add(v128.load(a + (<usize>i << 1)), half), 5);
      storeBytes(target + <usize>i, i16x8.add(codes, neutral), count - i);
    }
    return;
  }
  const ab = pair(weightA, weightB), cd = pair(weightC, weightD), e0 = pair(weightE, 0), half = i32x4.splat(128);
  for (let i = 0; i < count; i += 8) {
    const at = <usize>i << 1;
    const ra = v128.load(a + at), rb = v128.load(b + at), rc = v128.load(c + at), rd = v128.load(d + at);
    let low = i32x4.add(half, i32x4.dot_i16x8_s(v128.shuffle<i16>(ra, rb, 0, 8, 1, 9, 2, 10, 3, 11), ab));
    let high = i32x4.add(half, i32x4.dot_i16x8_s(v128.shuffle<i16>(ra, rb, 4, 12, 5, 13, 6, 14, 7, 15), ab));
    low = i32x4.add(low, i32x4.dot_i16x8_s(v128.shuffle<i16>(rc, rd, 0, 8, 1, 9, 2, 10, 3, 11), cd));
    high = i32x4.add(high, i32x4.dot_i16x8_s(v128.shuffle<i16>(rc, rd, 4, 12, 5, 13, 6, 14, 7, 15), cd));
    if (weightE != 0) {
      const re = v128.load(e + at);
      low = i32x4.add(low, i32x4.dot_i16x8_s(v128.shuffle<i16>(re, re, 0, 8, 1, 9, 2, 10, 3, 11), e0));
      high = i32x4.add(high, i32x4.dot_i16x8_s(v128.shuffle<i16>(re, re, 4, 12, 5, 13, 6, 14, 7, 15), e0));
    }
    const codes = i16x8.narrow_i32x4_s(i32x4.shr_s(low, 8), i32x4.shr_s(high, 8));
    storeBytes(target + <usize>i, i16x8.add(codes, neutral), count - i);
  }
}

/**
 * Vector helpers of the ops' kernels. `madd` is the only place where the plain and the relaxed build differ.
 * V8 rebuilds v128 constants at each use: hot loops load them into locals first, through `splatAt`.
 */

/** a·b + c; fused in the relaxed build where the machine can. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** Coefficients of the elementary functions, fitted for this project (minimax, relative error). */
const table: usize = memory.data<f32>([
  // 0: 2^f, |f| ≤ 1/2, degree 5, 9.2e-8; 2^0 is 1 exactly, lest a state that hardly decays grows
  1.0, 0.6931470036506653, 0.24022242426872253, 0.05550733581185341, 0.009671512991189957,
  0.001326472731307149,
  // 6: rounding magic 1.5·2^23; log2 e; smallest exponent
  12582912.0, 1.4426950408889634, -126.0,
  // 9: 2·atanh(s)/s in s², s ≤ 1/3, degree 4, 4e-9
  2.0, 0.6666631698608398, 0.40024909377098083, 0.2796062231063843, 0.2817825675010681,
  // 14: the same for s ≤ 0.172, degree 3, 7e-10
  2.0, 0.666668176651001, 0.39974790811538696, 0.29925742745399475,
  // 18: ln 2
  0.6931471805599453,
  // 19: (Φ(x) − 1/2)/x in x², |x| ≤ 5.6: numerator, then denominator from degree 1; 3e-8
  0.3989421044520254, 0.03555703633047315, 0.004785929087840376, 0.0001867779700544713, 6.525808653259481e-6,
  2.1707302259828856e-8,
  0.25579247327981064, 0.02963261456751755, 0.0019853054394612687, 7.968380992091144e-5, 1.1800640902252162e-6,
  // 30: 5.6; −5.6; 1/2
  5.6, -5.6, 0.5,
  // 33: −log2 e; largest exponent of a sigmoid
  -1.4426950408889634, 126.0,
]);

/** All four lanes = entry `index` of the table. */
// @ts-ignore: decorator
@inline
export function splatAt(index: i32): v128 {
  return v128.load32_splat(table + (<usize>index << 2));
}

/** 2^x for −126 ≤ x ≤ 127, relative error 1e-7; the constants come from the caller's locals. */
// @ts-ignore: decorator
@inline
export function exp2With(
  x: v128, magic: v128, c0: v128, c1: v128, c2: v128, c3: v128, c4: v128, c5: v128,
): v128 {
  const shifted = f32x4.add(x, magic);
  const f = f32x4.sub(x, f32x4.sub(shifted, magic));
  let p = madd(c5, f, c4);
  p = madd(p, f, c3);
  p = madd(p, f, c2);
  p = madd(p, f, c1);
  p = madd(p, f, c0);
  // The integer part sits in the low bits of `shifted`: into the exponent field with it.
  return i32x4.add(p, i32x4.shl(shifted, 23));
}

/** 2^x, clamped below at 2^−126. Of two operands, pmin and pmax return the first when one is NaN: x, to pass it on. */
// @ts-ignore: decorator
@inline
export function exp2(x: v128): v128 {
  return exp2With(
    f32x4.pmax(x, splatAt(8)), splatAt(6), splatAt(0), splatAt(1), splatAt(2), splatAt(3), splatAt(4), splatAt(5),
  );
}

/** softplus(z) = max(z, 0) + log1p(exp(−|z|)), relative error 2e-7 also for very negative z; constants as in exp2With. */
// @ts-ignore: decorator
@inline
export function softplusWith(
  z: v128, least: v128, magic: v128, c0: v128, c1: v128, c2: v128, c3: v128, c4: v128, c5: v128,
): v128 {
  const exponent = f32x4.pmax(f32x4.mul(f32x4.neg(f32x4.abs(z)), splatAt(7)), least);
  const e = exp2With(exponent, magic, c0, c1, c2, c3, c4, c5);
  const s = f32x4.div(e, f32x4.add(e, splatAt(9)));
  const t = f32x4.mul(s, s);
  let p = madd(splatAt(13), t, splatAt(12));
  p = madd(p, t, splatAt(11));
  p = madd(p, t, splatAt(10));
  p = madd(p, t, splatAt(9));
  return madd(p, s, f32x4.pmax(z, f32x4.splat(0)));
}

/** Natural logarithm of positive normal x, absolute error about 1e-7 near 1. */
// @ts-ignore: decorator
@inline
export function log(x: v128): v128 {
  // m in [√½, √2): subtract the bits of √½, split exponent and mantissa, add them back.
  const rootHalf = i32x4.splat(0x3f3504f3);
  const bits = i32x4.sub(x, rootHalf);
  const exponent = f32x4.convert_i32x4_s(i32x4.shr_s(bits, 23));
  const m = i32x4.add(v128.and(bits, i32x4.splat(0x007fffff)), rootHalf);
  const one = f32x4.splat(1);
  const s = f32x4.div(f32x4.sub(m, one), f32x4.add(m, one));
  const t = f32x4.mul(s, s);
  let p = madd(splatAt(17), t, splatAt(16));
  p = madd(p, t, splatAt(15));
  p = madd(p, t, splatAt(14));
  return madd(exponent, splatAt(18), f32x4.mul(p, s));
}

/** x within the table of Φ: ± 5.6. */
// @ts-ignore: decorator
@inline
export function clampForCdf(x: v128): v128 {
  return f32x4.pmin(splatAt(30), f32x4.pmax(splatAt(31), x));
}

/** 1 / (1 + e^−x); the constants come from the caller's locals, `most` the largest exponent of two. */
// @ts-ignore: decorator
@inline
export function sigmoidWith(
  x: v128, minusLog2e: v128, most: v128, least: v128, one: v128,
  magic: v128, c0: v128, c1: v128, c2: v128, c3: v128, c4: v128, c5: v128,
): v128 {
  // Beyond ±87 the clamps already give 0 and 1; 2^x stays finite and normal.
  const exponent = f32x4.pmax(f32x4.pmin(f32x4.mul(x, minusLog2e), most), least);
  return f32x4.div(one, f32x4.add(one, exp2With(exponent, magic, c0, c1, c2, c3, c4, c5)));
}

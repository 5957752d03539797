import { madd } from '../simd.wasm';

/** The four lane sums of four vectors: lane r is the sum of v_r. */
// @ts-ignore: decorator
@inline
function sumLanesOfFour(v0: v128, v1: v128, v2: v128, v3: v128): v128 {
  const a = f32x4.add(v128.shuffle<f32>(v0, v1, 0, 4, 1, 5), v128.shuffle<f32>(v0, v1, 2, 6, 3, 7));
  const b = f32x4.add(v128.shuffle<f32>(v2, v3, 0, 4, 1, 5), v128.shuffle<f32>(v2, v3, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f32>(a, b, 0, 1, 4, 5), v128.shuffle<f32>(a, b, 2, 3, 6, 7));
}

/**
 * Layer norm over `channels` of each row: biased variance by a second pass, eps 1e-5.
 * Writes channels rounded up to 4; weight and bias are zero beyond `channels`. Strides in bytes.
 *
 * Four rows at a time: their sums are independent chains, and one root and one division serve all four. A row alone
 * goes through the same sums in the same order, as four equal rows.
 */
export function layerNorm(
  x: usize, xStride: usize, y: usize, yStride: usize, rows: i32, channels: i32, weight: usize, bias: usize,
): void {
  const whole = <usize>(channels >> 2) << 4;
  const all = <usize>channels << 2;
  const rest = channels & 3;
  // Lanes of the last vector that hold channels.
  const tail = i32x4.gt_s(i32x4.splat(rest), i32x4(0, 1, 2, 3));
  const perChannel = f32x4.splat(<f32>1 / <f32>channels);
  const zero = f32x4.splat(0);
  for (let row = 0; row < rows; ) {
    const four = rows - row >= 4;
    const step: usize = four ? xStride : 0;
    const x1 = x + step;
    const x2 = x1 + step;
    const x3 = x2 + step;
    let s0 = zero, s1 = zero, s2 = zero, s3 = zero;
    for (let o: usize = 0; o < whole; o += 16) {
      s0 = f32x4.add(s0, v128.load(x + o));
      s1 = f32x4.add(s1, v128.load(x1 + o));
      s2 = f32x4.add(s2, v128.load(x2 + o));
      s3 = f32x4.add(s3, v128.load(x3 + o));
    }
    if (rest > 0) {
      s0 = f32x4.add(s0, v128.and(tail, v128.load(x + whole)));
      s1 = f32x4.add(s1, v128.and(tail, v128.load(x1 + whole)));
      s2 = f32x4.add(s2, v128.and(tail, v128.load(x2 + whole)));
      s3 = f32x4.add(s3, v128.and(tail, v128.load(x3 + whole)));
    }
    const means = f32x4.mul(sumLanesOfFour(s0, s1, s2, s3), perChannel);
    const m0 = v128.shuffle<f32>(means, means, 0, 0, 0, 0);
    const m1 = v128.shuffle<f32>(means, means, 1, 1, 1, 1);
    const m2 = v128.shuffle<f32>(means, means, 2, 2, 2, 2);
    const m3 = v128.shuffle<f32>(means, means, 3, 3, 3, 3);
    s0 = zero;
    s1 = zero;
    s2 = zero;
    s3 = zero;
    for (let o: usize = 0; o < whole; o += 16) {
      let d = f32x4.sub(v128.load(x + o), m0);
      s0 = madd(d, d, s0);
      d = f32x4.sub(v128.load(x1 + o), m1);
      s1 = madd(d, d, s1);
      d = f32x4.sub(v128.load(x2 + o), m2);
      s2 = madd(d, d, s2);
      d = f32x4.sub(v128.load(x3 + o), m3);
      s3 = madd(d, d, s3);
    }
    if (rest > 0) {
      let d = v128.and(tail, f32x4.sub(v128.load(x + whole), m0));
      s0 = madd(d, d, s0);
      d = v128.and(tail, f32x4.sub(v128.load(x1 + whole), m1));
      s1 = madd(d, d, s1);
      d = v128.and(tail, f32x4.sub(v128.load(x2 + whole), m2));
      s2 = madd(d, d, s2);
      d = v128.and(tail, f32x4.sub(v128.load(x3 + whole), m3));
      s3 = madd(d, d, s3);
    }
    const variances = madd(sumLanesOfFour(s0, s1, s2, s3), perChannel, f32x4.splat(1e-5));
    const rstds = f32x4.div(f32x4.splat(1), f32x4.sqrt(variances));
    const r0 = v128.shuffle<f32>(rstds, rstds, 0, 0, 0, 0);
    if (four) {
      const r1 = v128.shuffle<f32>(rstds, rstds, 1, 1, 1, 1);
      const r2 = v128.shuffle<f32>(rstds, rstds, 2, 2, 2, 2);
      const r3 = v128.shuffle<f32>(rstds, rstds, 3, 3, 3, 3);
      const y1 = y + yStride;
      const y2 = y1 + yStride;
      const y3 = y2 + yStride;
      for (let o: usize = 0; o < all; o += 16) {
        const g = v128.load(weight + o);
        const b = v128.load(bias + o);
        v128.store(y + o, madd(f32x4.mul(f32x4.sub(v128.load(x + o), m0), r0), g, b));
        v128.store(y1 + o, madd(f32x4.mul(f32x4.sub(v128.load(x1 + o), m1), r1), g, b));
        v128.store(y2 + o, madd(f32x4.mul(f32x4.sub(v128.load(x2 + o), m2), r2), g, b));
        v128.store(y3 + o, madd(f32x4.mul(f32x4.sub(v128.load(x3 + o), m3), r3), g, b));
      }
      x = x3 + xStride;
      y = y3 + yStride;
      row += 4;
    } else {
      for (let o: usize = 0; o < all; o += 16) {
        const n = f32x4.mul(f32x4.sub(v128.load(x + o), m0), r0);
        v128.store(y + o, madd(n, v128.load(weight + o), v128.load(bias + o)));
      }
      x += xStride;
      y += yStride;
      row++;
    }
  }
}

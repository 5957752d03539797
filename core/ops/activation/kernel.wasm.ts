import { clampForCdf, madd, sigmoidWith, splatAt } from '../simd.wasm';

// Each runs over `vectors` × 4 channels of `rows` rows; strides in bytes; in place when x = y.

/**
 * GELU, exact (erf) form: x·Φ(x), where Φ(x) − 1/2 is a quotient of polynomials in x², to an absolute error of 3e-8.
 *
 * Four vectors at a time, so that a coefficient is loaded once for all. Where fewer are left, the last one is computed
 * several times: all four are loaded before the first is stored.
 */
export function gelu(x: usize, xStride: usize, y: usize, yStride: usize, rows: i32, vectors: i32): void {
  let bytes = <usize>vectors << 4;
  if (xStride === bytes && yStride === bytes) {
    bytes *= rows;
    rows = 1;
  }
  const last = bytes - 16;
  for (let row = 0; row < rows; row++) {
    for (let o0: usize = 0; o0 < bytes; o0 += 64) {
      const o1 = min(o0 + 16, last);
      const o2 = min(o0 + 32, last);
      const o3 = min(o0 + 48, last);
      const z0 = clampForCdf(v128.load(x + o0));
      const z1 = clampForCdf(v128.load(x + o1));
      const z2 = clampForCdf(v128.load(x + o2));
      const z3 = clampForCdf(v128.load(x + o3));
      const t0 = f32x4.mul(z0, z0);
      const t1 = f32x4.mul(z1, z1);
      const t2 = f32x4.mul(z2, z2);
      const t3 = f32x4.mul(z3, z3);
      let c = splatAt(24);
      let d = splatAt(23);
      let p0 = madd(c, t0, d), p1 = madd(c, t1, d), p2 = madd(c, t2, d), p3 = madd(c, t3, d);
      c = splatAt(22);
      p0 = madd(p0, t0, c);
      p1 = madd(p1, t1, c);
      p2 = madd(p2, t2, c);
      p3 = madd(p3, t3, c);
      c = splatAt(21);
      p0 = madd(p0, t0, c);
      p1 = madd(p1, t1, c);
      p2 = madd(p2, t2, c);
      p3 = madd(p3, t3, c);
      c = splatAt(20);
      p0 = madd(p0, t0, c);
      p1 = madd(p1, t1, c);
      p2 = madd(p2, t2, c);
      p3 = madd(p3, t3, c);
      c = splatAt(19);
      p0 = madd(p0, t0, c);
      p1 = madd(p1, t1, c);
      p2 = madd(p2, t2, c);
      p3 = madd(p3, t3, c);
      p0 = f32x4.mul(p0, z0);
      p1 = f32x4.mul(p1, z1);
      p2 = f32x4.mul(p2, z2);
      p3 = f32x4.mul(p3, z3);
      c = splatAt(29);
      d = splatAt(28);
      let q0 = madd(c, t0, d), q1 = madd(c, t1, d), q2 = madd(c, t2, d), q3 = madd(c, t3, d);
      c = splatAt(27);
      q0 = madd(q0, t0, c);
      q1 = madd(q1, t1, c);
      q2 = madd(q2, t2, c);
      q3 = madd(q3, t3, c);
      c = splatAt(26);
      q0 = madd(q0, t0, c);
      q1 = madd(q1, t1, c);
      q2 = madd(q2, t2, c);
      q3 = madd(q3, t3, c);
      c = splatAt(25);
      q0 = madd(q0, t0, c);
      q1 = madd(q1, t1, c);
      q2 = madd(q2, t2, c);
      q3 = madd(q3, t3, c);
      c = splatAt(0);
      q0 = madd(q0, t0, c);
      q1 = madd(q1, t1, c);
      q2 = madd(q2, t2, c);
      q3 = madd(q3, t3, c);
      c = splatAt(32);
      p0 = f32x4.mul(v128.load(x + o0), f32x4.add(f32x4.div(p0, q0), c));
      p1 = f32x4.mul(v128.load(x + o1), f32x4.add(f32x4.div(p1, q1), c));
      p2 = f32x4.mul(v128.load(x + o2), f32x4.add(f32x4.div(p2, q2), c));
      p3 = f32x4.mul(v128.load(x + o3), f32x4.add(f32x4.div(p3, q3), c));
      v128.store(y + o0, p0);
      v128.store(y + o1, p1);
      v128.store(y + o2, p2);
      v128.store(y + o3, p3);
    }
    x += xStride;
    y += yStride;
  }
}

/** 1/(1 + e^−x). */
export function sigmoid(x: usize, xStride: usize, y: usize, yStride: usize, rows: i32, vectors: i32): void {
  const bytes = <usize>vectors << 4;
  const minusLog2e = splatAt(33), most = splatAt(34), least = splatAt(8), one = splatAt(0), magic = splatAt(6);
  const c0 = splatAt(0), c1 = splatAt(1), c2 = splatAt(2), c3 = splatAt(3), c4 = splatAt(4), c5 = splatAt(5);
  for (let row = 0; row < rows; row++) {
    for (let o: usize = 0; o < bytes; o += 16) {
      const v = v128.load(x + o);
      const s = sigmoidWith(v, minusLog2e, most, least, one, magic, c0, c1, c2, c3, c4, c5);
      v128.store(y + o, s);
    }
    x += xStride;
    y += yStride;
  }
}

/** x·sigmoid(x). */
export function silu(x: usize, xStride: usize, y: usize, yStride: usize, rows: i32, vectors: i32): void {
  const bytes = <usize>vectors << 4;
  const minusLog2e = splatAt(33), most = splatAt(34), least = splatAt(8), one = splatAt(0), magic = splatAt(6);
  const c0 = splatAt(0), c1 = splatAt(1), c2 = splatAt(2), c3 = splatAt(3), c4 = splatAt(4), c5 = splatAt(5);
  for (let row = 0; row < rows; row++) {
    for (let o: usize = 0; o < bytes; o += 16) {
      const v = v128.load(x + o);
      const s = sigmoidWith(v, minusLog2e, most, least, one, magic, c0, c1, c2, c3, c4, c5);
      v128.store(y + o, f32x4.mul(v, s));
    }
    x += xStride;
    y += yStride;
  }
}

/** x where positive, slope·x elsewhere. */
export function leakyRelu(
  x: usize, xStride: usize, y: usize, yStride: usize, rows: i32, vectors: i32, slope: f32,
): void {
  const bytes = <usize>vectors << 4;
  const slopes = f32x4.splat(slope);
  const zero = f32x4.splat(0);
  for (let row = 0; row < rows; row++) {
    for (let o: usize = 0; o < bytes; o += 16) {
      const v = v128.load(x + o);
      v128.store(y + o, v128.bitselect(v, f32x4.mul(v, slopes), f32x4.gt(v, zero)));
    }
    x += xStride;
    y += yStride;
  }
}

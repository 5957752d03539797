import { normalCdf, sigmoid as sigmoidOf } from '../simd.wasm';

// Each runs over `vectors` × 4 channels of `rows` rows; strides in bytes; in place when x = y.

/** GELU, exact (erf) form. */
export function gelu(x: usize, xStride: usize, y: usize, yStride: usize, rows: i32, vectors: i32): void {
  const bytes = <usize>vectors << 4;
  for (let row = 0; row < rows; row++) {
    for (let o: usize = 0; o < bytes; o += 16) {
      const v = v128.load(x + o);
      v128.store(y + o, f32x4.mul(v, normalCdf(v)));
    }
    x += xStride;
    y += yStride;
  }
}

/** 1/(1 + e^−x). */
export function sigmoid(x: usize, xStride: usize, y: usize, yStride: usize, rows: i32, vectors: i32): void {
  const bytes = <usize>vectors << 4;
  for (let row = 0; row < rows; row++) {
    for (let o: usize = 0; o < bytes; o += 16) v128.store(y + o, sigmoidOf(v128.load(x + o)));
    x += xStride;
    y += yStride;
  }
}

/** x·sigmoid(x). */
export function silu(x: usize, xStride: usize, y: usize, yStride: usize, rows: i32, vectors: i32): void {
  const bytes = <usize>vectors << 4;
  for (let row = 0; row < rows; row++) {
    for (let o: usize = 0; o < bytes; o += 16) {
      const v = v128.load(x + o);
      v128.store(y + o, f32x4.mul(v, sigmoidOf(v)));
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

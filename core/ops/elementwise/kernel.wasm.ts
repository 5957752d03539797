import { madd, sigmoidWith, splatAt } from '../simd.wasm';

// Each runs over `vectors` × 4 channels of `rows` rows; strides in bytes; may run in place.

/** y = a + b. */
export function add(
  a: usize, aStride: usize, b: usize, bStride: usize, y: usize, yStride: usize, rows: i32, vectors: i32,
): void {
  const bytes = <usize>vectors << 4;
  for (let row = 0; row < rows; row++) {
    for (let o: usize = 0; o < bytes; o += 16) v128.store(y + o, f32x4.add(v128.load(a + o), v128.load(b + o)));
    a += aStride;
    b += bStride;
    y += yStride;
  }
}

/** y = a · b. */
export function multiply(
  a: usize, aStride: usize, b: usize, bStride: usize, y: usize, yStride: usize, rows: i32, vectors: i32,
): void {
  const bytes = <usize>vectors << 4;
  for (let row = 0; row < rows; row++) {
    for (let o: usize = 0; o < bytes; o += 16) v128.store(y + o, f32x4.mul(v128.load(a + o), v128.load(b + o)));
    a += aStride;
    b += bStride;
    y += yStride;
  }
}

/** y = x · scale[c] + offset[c]. */
export function affine(
  x: usize, xStride: usize, y: usize, yStride: usize, rows: i32, vectors: i32, scale: usize, offset: usize,
): void {
  const bytes = <usize>vectors << 4;
  for (let row = 0; row < rows; row++) {
    for (let o: usize = 0; o < bytes; o += 16) {
      v128.store(y + o, madd(v128.load(x + o), v128.load(scale + o), v128.load(offset + o)));
    }
    x += xStride;
    y += yStride;
  }
}

/** y = other + x · scale[c]. */
export function scaleAdd(
  x: usize, xStride: usize, other: usize, otherStride: usize, y: usize, yStride: usize, rows: i32, vectors: i32, scale: usize,
): void {
  const bytes = <usize>vectors << 4;
  for (let row = 0; row < rows; row++) {
    for (let o: usize = 0; o < bytes; o += 16) {
      v128.store(y + o, madd(v128.load(x + o), v128.load(scale + o), v128.load(other + o)));
    }
    x += xStride;
    other += otherStride;
    y += yStride;
  }
}

/** y = other · sigmoid(x). */
export function gate(
  x: usize, xStride: usize, other: usize, otherStride: usize, y: usize, yStride: usize, rows: i32, vectors: i32,
): void {
  const bytes = <usize>vectors << 4;
  const minusLog2e = splatAt(33), most = splatAt(34), least = splatAt(8), one = splatAt(0), magic = splatAt(6);
  const c0 = splatAt(0), c1 = splatAt(1), c2 = splatAt(2), c3 = splatAt(3), c4 = splatAt(4), c5 = splatAt(5);
  for (let row = 0; row < rows; row++) {
    for (let o: usize = 0; o < bytes; o += 16) {
      const s = sigmoidWith(v128.load(x + o), minusLog2e, most, least, one, magic, c0, c1, c2, c3, c4, c5);
      v128.store(y + o, f32x4.mul(v128.load(other + o), s));
    }
    x += xStride;
    other += otherStride;
    y += yStride;
  }
}

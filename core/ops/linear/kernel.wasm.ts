import { madd } from '../simd.wasm';

/**
 * y[row] = bias + Σ over segments s, k: x[row][s][k] · w[s][k], for one strip of rows.
 *
 * A linear layer is one segment of k channels. A 3×3 convolution on a zero-bordered, gap-free copy of its rows is
 * three segments (the rows above, here, below) of 3·C channels: neighbours in x are neighbours in memory, so the
 * "row" of pixel p + 1 starts C values after that of pixel p.
 *
 * Loop order: panels of 8 outputs (their weights stay in L1), then 4 rows at a time: 8 accumulators, more would
 * spill. Sums run over s, then k, from the bias, whatever the tile: the result of a row does not depend on the strip.
 *
 * A residual (0: none) of the output's shape is added as the sums are stored.
 * Strides are in bytes. Weights: [panel][segment][k][8], bias: [panel][8]. All 8·panels outputs are written.
 */
export function gemm(
  x: usize, xStride: usize, y: usize, yStride: usize, rows: i32,
  k: i32, segments: i32, segmentStride: usize, panels: i32, weights: usize, bias: usize,
  residual: usize, residualStride: usize,
): void {
  const kBytes = <usize>k << 2;
  const panelBytes = (<usize>k * segments) << 5;
  for (let panel = 0; panel < panels; panel++) {
    const b0 = v128.load(bias);
    const b1 = v128.load(bias, 16);
    let xRow = x;
    let yRow = y;
    let rRow = residual;
    let left = rows;
    while (left >= 4) {
      let a00 = b0, a01 = b1, a10 = b0, a11 = b1, a20 = b0, a21 = b1, a30 = b0, a31 = b1;
      let w = weights;
      let base = xRow;
      for (let s = 0; s < segments; s++) {
        let x0 = base;
        let x1 = x0 + xStride;
        let x2 = x1 + xStride;
        let x3 = x2 + xStride;
        const end = x0 + kBytes;
        do {
          const w0 = v128.load(w);
          const w1 = v128.load(w, 16);
          let v = v128.load32_splat(x0);
          a00 = madd(v, w0, a00);
          a01 = madd(v, w1, a01);
          v = v128.load32_splat(x1);
          a10 = madd(v, w0, a10);
          a11 = madd(v, w1, a11);
          v = v128.load32_splat(x2);
          a20 = madd(v, w0, a20);
          a21 = madd(v, w1, a21);
          v = v128.load32_splat(x3);
          a30 = madd(v, w0, a30);
          a31 = madd(v, w1, a31);
          w += 32;
          x0 += 4;
          x1 += 4;
          x2 += 4;
          x3 += 4;
        } while (x0 < end);
        base += segmentStride;
      }
      if (rRow !== 0) {
        a00 = f32x4.add(a00, v128.load(rRow));
        a01 = f32x4.add(a01, v128.load(rRow, 16));
        rRow += residualStride;
        a10 = f32x4.add(a10, v128.load(rRow));
        a11 = f32x4.add(a11, v128.load(rRow, 16));
        rRow += residualStride;
        a20 = f32x4.add(a20, v128.load(rRow));
        a21 = f32x4.add(a21, v128.load(rRow, 16));
        rRow += residualStride;
        a30 = f32x4.add(a30, v128.load(rRow));
        a31 = f32x4.add(a31, v128.load(rRow, 16));
        rRow += residualStride;
      }
      v128.store(yRow, a00);
      v128.store(yRow, a01, 16);
      yRow += yStride;
      v128.store(yRow, a10);
      v128.store(yRow, a11, 16);
      yRow += yStride;
      v128.store(yRow, a20);
      v128.store(yRow, a21, 16);
      yRow += yStride;
      v128.store(yRow, a30);
      v128.store(yRow, a31, 16);
      yRow += yStride;
      xRow += xStride << 2;
      left -= 4;
    }
    while (left > 0) {
      let a0 = b0, a1 = b1;
      let w = weights;
      let base = xRow;
      for (let s = 0; s < segments; s++) {
        let x0 = base;
        const end = x0 + kBytes;
        do {
          const v = v128.load32_splat(x0);
          a0 = madd(v, v128.load(w), a0);
          a1 = madd(v, v128.load(w, 16), a1);
          w += 32;
          x0 += 4;
        } while (x0 < end);
        base += segmentStride;
      }
      if (rRow !== 0) {
        a0 = f32x4.add(a0, v128.load(rRow));
        a1 = f32x4.add(a1, v128.load(rRow, 16));
        rRow += residualStride;
      }
      v128.store(yRow, a0);
      v128.store(yRow, a1, 16);
      yRow += yStride;
      xRow += xStride;
      left--;
    }
    weights += panelBytes;
    bias += 32;
    y += 32;
    if (residual !== 0) residual += 32;
  }
}

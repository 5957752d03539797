import { madd } from '../simd.wasm';
import { gemm } from '../linear/kernel.wasm';

/**
 * Dense k×k convolution (zero padding) of `count` pixels of one image row, starting at (y, x0).
 *
 * The k source rows are copied, without gaps between pixels and with their zero border, to scratch
 * (k · (count + k − 1) · channels floats); then it is a `gemm` of k segments. Strides are in bytes.
 */
export function convRow(
  source: usize, sourceStride: usize, height: i32, width: i32, channels: i32, kernelSize: i32,
  y: i32, x0: i32, count: i32, out: usize, outStride: usize, panels: i32, weights: usize, bias: usize, scratch: usize,
): void {
  const radius = kernelSize >> 1;
  const pixelBytes = <usize>channels << 2;
  const span = count + kernelSize - 1;
  const spanBytes = <usize>span * pixelBytes;
  const first = max(x0 - radius, 0);
  const last = min(x0 + count + radius, width);
  const leftBytes = <usize>(first - (x0 - radius)) * pixelBytes;
  const insideBytes = <usize>(last - first) * pixelBytes;
  let to = scratch;
  for (let ky = 0; ky < kernelSize; ky++) {
    const sy = y + ky - radius;
    if (sy < 0 || sy >= height) {
      memory.fill(to, 0, spanBytes);
    } else {
      memory.fill(to, 0, leftBytes);
      let from = source + (<usize>(sy * width + first)) * sourceStride;
      if (sourceStride === pixelBytes) {
        memory.copy(to + leftBytes, from, insideBytes);
      } else {
        let pixel = to + leftBytes;
        for (let x = first; x < last; x++) {
          memory.copy(pixel, from, pixelBytes);
          pixel += pixelBytes;
          from += sourceStride;
        }
      }
      memory.fill(to + leftBytes + insideBytes, 0, spanBytes - leftBytes - insideBytes);
    }
    to += spanBytes;
  }
  gemm(scratch, pixelBytes, out, outStride, count, channels * kernelSize, kernelSize, spanBytes, panels, weights, bias, 0, 0);
}

/**
 * Depthwise k×k convolution (zero padding) of `count` pixels of one image row, starting at (y, x0).
 * Four channels a vector; of 3×3 and 5×5, several pixels at a time where no tap leaves the row. Weights: [vector][ky][kx][4].
 */
export function depthwiseRow(
  source: usize, sourceStride: usize, height: i32, width: i32, vectors: i32, kernelSize: i32,
  y: i32, x0: i32, count: i32, out: usize, outStride: usize, weights: usize, bias: usize,
): void {
  const radius = kernelSize >> 1;
  const kyFirst = max(radius - y, 0);
  const kyLast = min(height - y + radius, kernelSize);
  const rowBytes = <usize>width * sourceStride;
  const end = x0 + count;
  const insideFrom = max(x0, radius);
  const inside = min(end, width - radius) - insideFrom;
  const block = kernelSize === 3 ? 6 : kernelSize === 5 ? 8 : i32.MAX_VALUE;
  const blocks = inside / block;
  const isInBlocks = blocks > 0;
  for (let v = 0; v < vectors; v++) {
    const top = source + <usize>(y - radius + kyFirst) * rowBytes;
    if (isInBlocks) {
      const from = top + <usize>(insideFrom - radius) * sourceStride;
      const to = out + <usize>(insideFrom - x0) * outStride;
      const w = weights + ((<usize>kyFirst * kernelSize) << 4);
      const wEnd = weights + ((<usize>kyLast * kernelSize) << 4);
      // What is left goes as one more block, over pixels done before.
      const last = inside - block;
      const lastFrom = from + <usize>last * sourceStride;
      const lastTo = to + <usize>last * outStride;
      if (kernelSize === 3) {
        depthwise3(from, sourceStride, rowBytes, to, outStride, blocks, w, wEnd, bias);
        if (blocks * block < inside) depthwise3(lastFrom, sourceStride, rowBytes, lastTo, outStride, 1, w, wEnd, bias);
      } else {
        depthwise5(from, sourceStride, rowBytes, to, outStride, blocks, w, wEnd, bias);
        if (blocks * block < inside) depthwise5(lastFrom, sourceStride, rowBytes, lastTo, outStride, 1, w, wEnd, bias);
      }
    }
    for (let x = x0; x < end; x++) {
      if (isInBlocks && x === insideFrom) {
        x += inside;
        if (x >= end) break;
      }
      let a = v128.load(bias);
      const kxFirst = max(radius - x, 0);
      const kxLast = min(width - x + radius, kernelSize);
      let row = top;
      for (let ky = kyFirst; ky < kyLast; ky++) {
        for (let kx = kxFirst; kx < kxLast; kx++) {
          const tap = v128.load(weights + (<usize>(ky * kernelSize + kx) << 4));
          a = madd(v128.load(row + <usize>(x - radius + kx) * sourceStride), tap, a);
        }
        row += rowBytes;
      }
      v128.store(out + <usize>(x - x0) * outStride, a);
    }
    weights += (<usize>kernelSize * kernelSize) << 4;
    bias += 16;
    source += 16;
    out += 16;
  }
}

/**
 * `blocks` times 6 neighbours with all of their 3 taps in a row: each source vector is loaded once for all that read it.
 * Sums run over ky, then kx, as everywhere.
 */
function depthwise3(
  source: usize, sourceStride: usize, rowBytes: usize, out: usize, outStride: usize, blocks: i32,
  weights: usize, weightsEnd: usize, bias: usize,
): void {
  const start = v128.load(bias);
  for (; blocks > 0; blocks--) {
    let a0 = start, a1 = start, a2 = start, a3 = start, a4 = start, a5 = start;
    let w = weights;
    let row = source;
    do {
      const w0 = v128.load(w);
      const w1 = v128.load(w, 16);
      const w2 = v128.load(w, 32);
      let p = row;
      let v = v128.load(p);
      a0 = madd(v, w0, a0);
      p += sourceStride;
      v = v128.load(p);
      a0 = madd(v, w1, a0);
      a1 = madd(v, w0, a1);
      p += sourceStride;
      v = v128.load(p);
      a0 = madd(v, w2, a0);
      a1 = madd(v, w1, a1);
      a2 = madd(v, w0, a2);
      p += sourceStride;
      v = v128.load(p);
      a1 = madd(v, w2, a1);
      a2 = madd(v, w1, a2);
      a3 = madd(v, w0, a3);
      p += sourceStride;
      v = v128.load(p);
      a2 = madd(v, w2, a2);
      a3 = madd(v, w1, a3);
      a4 = madd(v, w0, a4);
      p += sourceStride;
      v = v128.load(p);
      a3 = madd(v, w2, a3);
      a4 = madd(v, w1, a4);
      a5 = madd(v, w0, a5);
      p += sourceStride;
      v = v128.load(p);
      a4 = madd(v, w2, a4);
      a5 = madd(v, w1, a5);
      p += sourceStride;
      v = v128.load(p);
      a5 = madd(v, w2, a5);
      w += 48;
      row += rowBytes;
    } while (w < weightsEnd);
    v128.store(out, a0);
    out += outStride;
    v128.store(out, a1);
    out += outStride;
    v128.store(out, a2);
    out += outStride;
    v128.store(out, a3);
    out += outStride;
    v128.store(out, a4);
    out += outStride;
    v128.store(out, a5);
    out += outStride;
    source += sourceStride * 6;
  }
}

/**
 * `blocks` times 8 neighbours with all of their 5 taps in a row: each source vector is loaded once for all that read it.
 * Sums run over ky, then kx, as everywhere.
 */
function depthwise5(
  source: usize, sourceStride: usize, rowBytes: usize, out: usize, outStride: usize, blocks: i32,
  weights: usize, weightsEnd: usize, bias: usize,
): void {
  const start = v128.load(bias);
  for (; blocks > 0; blocks--) {
    let a0 = start, a1 = start, a2 = start, a3 = start, a4 = start, a5 = start, a6 = start, a7 = start;
    let w = weights;
    let row = source;
    do {
      const w0 = v128.load(w);
      const w1 = v128.load(w, 16);
      const w2 = v128.load(w, 32);
      const w3 = v128.load(w, 48);
      const w4 = v128.load(w, 64);
      let p = row;
      let v = v128.load(p);
      a0 = madd(v, w0, a0);
      p += sourceStride;
      v = v128.load(p);
      a0 = madd(v, w1, a0);
      a1 = madd(v, w0, a1);
      p += sourceStride;
      v = v128.load(p);
      a0 = madd(v, w2, a0);
      a1 = madd(v, w1, a1);
      a2 = madd(v, w0, a2);
      p += sourceStride;
      v = v128.load(p);
      a0 = madd(v, w3, a0);
      a1 = madd(v, w2, a1);
      a2 = madd(v, w1, a2);
      a3 = madd(v, w0, a3);
      p += sourceStride;
      v = v128.load(p);
      a0 = madd(v, w4, a0);
      a1 = madd(v, w3, a1);
      a2 = madd(v, w2, a2);
      a3 = madd(v, w1, a3);
      a4 = madd(v, w0, a4);
      p += sourceStride;
      v = v128.load(p);
      a1 = madd(v, w4, a1);
      a2 = madd(v, w3, a2);
      a3 = madd(v, w2, a3);
      a4 = madd(v, w1, a4);
      a5 = madd(v, w0, a5);
      p += sourceStride;
      v = v128.load(p);
      a2 = madd(v, w4, a2);
      a3 = madd(v, w3, a3);
      a4 = madd(v, w2, a4);
      a5 = madd(v, w1, a5);
      a6 = madd(v, w0, a6);
      p += sourceStride;
      v = v128.load(p);
      a3 = madd(v, w4, a3);
      a4 = madd(v, w3, a4);
      a5 = madd(v, w2, a5);
      a6 = madd(v, w1, a6);
      a7 = madd(v, w0, a7);
      p += sourceStride;
      v = v128.load(p);
      a4 = madd(v, w4, a4);
      a5 = madd(v, w3, a5);
      a6 = madd(v, w2, a6);
      a7 = madd(v, w1, a7);
      p += sourceStride;
      v = v128.load(p);
      a5 = madd(v, w4, a5);
      a6 = madd(v, w3, a6);
      a7 = madd(v, w2, a7);
      p += sourceStride;
      v = v128.load(p);
      a6 = madd(v, w4, a6);
      a7 = madd(v, w3, a7);
      p += sourceStride;
      v = v128.load(p);
      a7 = madd(v, w4, a7);
      w += 80;
      row += rowBytes;
    } while (w < weightsEnd);
    v128.store(out, a0);
    out += outStride;
    v128.store(out, a1);
    out += outStride;
    v128.store(out, a2);
    out += outStride;
    v128.store(out, a3);
    out += outStride;
    v128.store(out, a4);
    out += outStride;
    v128.store(out, a5);
    out += outStride;
    v128.store(out, a6);
    out += outStride;
    v128.store(out, a7);
    out += outStride;
    source += sourceStride * 8;
  }
}

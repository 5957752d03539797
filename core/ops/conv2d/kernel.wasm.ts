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
 * Four channels a vector, four pixels at a time where no tap leaves the row. Weights: [vector][ky][kx][4].
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
  for (let v = 0; v < vectors; v++) {
    const start = v128.load(bias);
    const w0 = weights + ((<usize>kyFirst * kernelSize) << 4);
    const top = source + <usize>(y - radius + kyFirst) * rowBytes;
    let to = out;
    let x = x0;
    while (x < end) {
      if (x >= radius && x + 3 + radius < width && x + 4 <= end) {
        let a0 = start, a1 = start, a2 = start, a3 = start;
        let w = w0;
        let row = top + <usize>(x - radius) * sourceStride;
        for (let ky = kyFirst; ky < kyLast; ky++) {
          let p = row;
          let q = p + (sourceStride << 1);
          const wEnd = w + (<usize>kernelSize << 4);
          do {
            const tap = v128.load(w);
            a0 = madd(v128.load(p), tap, a0);
            a1 = madd(v128.load(p + sourceStride), tap, a1);
            a2 = madd(v128.load(q), tap, a2);
            a3 = madd(v128.load(q + sourceStride), tap, a3);
            p += sourceStride;
            q += sourceStride;
            w += 16;
          } while (w < wEnd);
          row += rowBytes;
        }
        v128.store(to, a0);
        v128.store(to + outStride, a1);
        v128.store(to + (outStride << 1), a2);
        v128.store(to + outStride * 3, a3);
        to += outStride << 2;
        x += 4;
      } else {
        let a = start;
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
        v128.store(to, a);
        to += outStride;
        x++;
      }
    }
    weights += (<usize>kernelSize * kernelSize) << 4;
    bias += 16;
    source += 16;
    out += 16;
  }
}

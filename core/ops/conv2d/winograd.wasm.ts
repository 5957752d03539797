import { gemm } from '../linear/kernel.wasm';

/** Pairs of pixels that go through the products together: what they need stays in the cache. */
// @ts-ignore: decorator
@inline
const chunk: i32 = 32;

/**
 * Dense 3×3 convolution (zero padding) of `count` pixels of one image row, starting at (y, x0), by Winograd's F(2, 3)
 * along x (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", section 4.1): two neighbours take four
 * products a row and channel instead of six.
 *
 * Pixels 2t and 2t + 1 need d0…d3 = x[2t − 1 … 2t + 2]. Of these come d0 − d2, d1 + d2, d2 − d1 and d1 − d3, each a
 * `gemm` of three segments (the rows above, here, below) with weights transformed alike, and of the products m0…m3 come
 * m0 + m1 + m2 and m1 − m2 − m3. Pairs start at even x of the map, so that no result depends on how a row is cut.
 *
 * Strides are in bytes. Weights: four times as for `gemm`, one after the other. Scratch: zeros (a pixel, or a row of
 * biases), then the transformed inputs [4][3][chunk][channels rounded up to 4], then the products [4][chunk][8·panels].
 */
export function convRowWinograd(
  source: usize, sourceStride: usize, height: i32, width: i32, channels: i32,
  y: i32, x0: i32, count: i32, out: usize, outStride: usize, panels: i32, weights: usize, bias: usize, scratch: usize,
): void {
  const pixelBytes = <usize>((channels + 3) & ~3) << 2;
  const outBytes = <usize>panels << 5;
  const zeroBytes = max(pixelBytes, outBytes);
  const rowBytes = <usize>chunk * pixelBytes;
  const partBytes = rowBytes * 3;
  const productBytes = <usize>chunk * outBytes;
  const weightBytes = <usize>(3 * channels * panels) << 5;
  const inputs = scratch + zeroBytes;
  const products = inputs + (partBytes << 2);
  memory.fill(scratch, 0, zeroBytes);

  const end = x0 + count;
  for (let from = x0 & ~1; from < end; from += chunk << 1) {
    const pairs = min(chunk, (end - from + 1) >> 1);
    for (let ky = 0; ky < 3; ky++) {
      const sy = y + ky - 1;
      const row = source + <usize>(sy * width) * sourceStride;
      let to = inputs + <usize>ky * rowBytes;
      if (sy < 0 || sy >= height) {
        for (let part = 0; part < 4; part++) memory.fill(to + <usize>part * partBytes, 0, <usize>pairs * pixelBytes);
        continue;
      }
      for (let x = from; x < from + (pairs << 1); x += 2) {
        const p1 = row + <usize>x * sourceStride;
        const p0 = x > 0 ? p1 - sourceStride : scratch;
        const p2 = x + 1 < width ? p1 + sourceStride : scratch;
        const p3 = x + 2 < width ? p2 + sourceStride : scratch;
        for (let o: usize = 0; o < pixelBytes; o += 16) {
          const d0 = v128.load(p0 + o), d1 = v128.load(p1 + o), d2 = v128.load(p2 + o), d3 = v128.load(p3 + o);
          const at = to + o;
          v128.store(at, f32x4.sub(d0, d2));
          v128.store(at + partBytes, f32x4.add(d1, d2));
          v128.store(at + 2 * partBytes, f32x4.sub(d2, d1));
          v128.store(at + 3 * partBytes, f32x4.sub(d1, d3));
        }
        to += pixelBytes;
      }
    }
    // The bias comes with m1, which both pixels take.
    for (let part = 0; part < 4; part++) {
      gemm(
        inputs + <usize>part * partBytes, pixelBytes, products + <usize>part * productBytes, outBytes, pairs, channels, 3,
        rowBytes, panels, weights + <usize>part * weightBytes, part === 1 ? bias : scratch, 0, 0,
      );
    }
    let product = products;
    for (let x = from; x < from + (pairs << 1); x += 2) {
      const to = out + <usize>(x - x0) * outStride;
      const hasFirst = x >= x0;
      const hasSecond = x + 1 < end;
      for (let o: usize = 0; o < outBytes; o += 16) {
        const at = product + o;
        const m1 = v128.load(at + productBytes), m2 = v128.load(at + 2 * productBytes);
        if (hasFirst) v128.store(to + o, f32x4.add(f32x4.add(v128.load(at), m1), m2));
        if (hasSecond) {
          v128.store(to + o + outStride, f32x4.sub(f32x4.sub(m1, m2), v128.load(at + 3 * productBytes)));
        }
      }
      product += outBytes;
    }
  }
}

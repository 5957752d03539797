/** Source index of padded index i in an axis of n: mirrored with the edge repeated, as often as needed. */
// @ts-ignore: decorator
@inline
function mirror(i: i32, n: i32): i32 {
  const m = i % (n << 1);
  return m < n ? m : (n << 1) - 1 - m;
}

/**
 * Planar [C, h, w] → channel-last pixels first … first + count − 1 of the padded map of width `paddedWidth`.
 * Stride in bytes.
 */
export function planarToTokens(
  planar: usize, channels: i32, height: i32, width: i32, paddedWidth: i32, first: i32, count: i32, y: usize, yStride: usize,
): void {
  const planeBytes = <usize>(height * width) << 2;
  for (let i = first; i < first + count; i++) {
    let from = planar + (<usize>(mirror(i / paddedWidth, height) * width + mirror(i % paddedWidth, width)) << 2);
    for (let c = 0; c < channels; c++) {
      store<f32>(y + (<usize>c << 2), load<f32>(from));
      from += planeBytes;
    }
    y += yStride;
  }
}

/** Channel-last map (width `paddedWidth`) → rows of the planar, cropped output [C, h, w]. Stride in bytes. */
export function tokensToPlanar(
  x: usize, xStride: usize, channels: i32, height: i32, width: i32, paddedWidth: i32, firstRow: i32, rows: i32, planar: usize,
): void {
  const planeBytes = <usize>(height * width) << 2;
  for (let row = firstRow; row < firstRow + rows; row++) {
    let from = x + <usize>(row * paddedWidth) * xStride;
    let to = planar + (<usize>(row * width) << 2);
    for (let column = 0; column < width; column++) {
      for (let c = 0; c < channels; c++) store<f32>(to + <usize>c * planeBytes, load<f32>(from + (<usize>c << 2)));
      from += xStride;
      to += 4;
    }
  }
}

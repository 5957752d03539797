/**
 * Pixel shuffle of pixels first … first + count − 1: out[y·r + i][x·r + j][c] = in[y][x][c·r² + i·r + j].
 * `x` points at the first of those pixels, `out` at the whole output map. Strides in bytes.
 */
export function pixelShuffle(
  x: usize, xStride: usize, width: i32, first: i32, count: i32, channels: i32, factor: i32, out: usize, outStride: usize,
): void {
  const outWidth = width * factor;
  for (let pixel = first; pixel < first + count; pixel++) {
    const corner = (pixel / width) * factor * outWidth + (pixel % width) * factor;
    for (let i = 0; i < factor; i++) {
      for (let j = 0; j < factor; j++) {
        const to = out + <usize>(corner + i * outWidth + j) * outStride;
        for (let c = 0; c < channels; c++) {
          store<f32>(to + (<usize>c << 2), load<f32>(x + (<usize>((c * factor + i) * factor + j) << 2)));
        }
      }
    }
    x += xStride;
  }
}

/** Repeats pixels first … first + count − 1 factor × factor times into the whole map `out`. Strides in bytes. */
export function upsampleNearest(
  x: usize, xStride: usize, width: i32, first: i32, count: i32, channels: i32, factor: i32, out: usize, outStride: usize,
): void {
  const outWidth = width * factor;
  const bytes = <usize>channels << 2;
  for (let pixel = first; pixel < first + count; pixel++) {
    const corner = (pixel / width) * factor * outWidth + (pixel % width) * factor;
    for (let i = 0; i < factor; i++) {
      for (let j = 0; j < factor; j++) {
        memory.copy(out + <usize>(corner + i * outWidth + j) * outStride, x, bytes);
      }
    }
    x += xStride;
  }
}

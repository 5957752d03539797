/** Side of the square matrices. */
const side = 256;

/** Multiply-adds of one calibration, in billions: the unit in which times are given as multiples. */
export const calibrationGmacs = 1;

/**
 * Times a matrix product in plain JavaScript, one thread, float32: how fast this machine is at this moment, so that
 * figures of different machines and of busy and quiet hours can be compared. Returns CPU seconds for
 * {@link calibrationGmacs} billion multiply-adds; the fastest of several products counts.
 */
export function calibrate(): number {
  const a = new Float32Array(side * side).fill(0.5);
  const b = new Float32Array(side * side).fill(0.25);
  const c = new Float32Array(side * side);
  let fastest = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 4; round += 1) {
    const before = process.cpuUsage();
    multiply(a, b, c);
    const { user, system } = process.cpuUsage(before);
    fastest = Math.min(fastest, (user + system) / 1e6);
  }
  return (fastest * calibrationGmacs * 1e9) / side ** 3;
}

function multiply(a: Float32Array, b: Float32Array, c: Float32Array): void {
  c.fill(0);
  for (let i = 0; i < side; i += 1) {
    for (let k = 0; k < side; k += 1) {
      const factor = a[i * side + k]!;
      for (let j = 0; j < side; j += 1) {
        c[i * side + j]! += factor * b[k * side + j]!;
      }
    }
  }
}

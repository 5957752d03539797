import type { KernelExports } from '../../ops/cpu-kernel.js';
import { compileKernels, type WasmBuild } from './wasm-build.js';

/** Rows, inputs and outputs of the product: everything stays in the first-level cache. */
const rows = 256;
const channels = 48;
const macsOfCall = rows * channels * channels;

/** Measures for at least this long, so that other processes on the machine weigh on it as they do on a run. */
const leastMs = 100;

/**
 * The yardstick of all timings here: a matrix product of the `gemm` kernel, one thread, in cache. It says how fast
 * this machine is at this moment, so that figures of different machines and of busy and quiet hours can be compared.
 * The function returned measures anew and gives billions of multiply-adds for each CPU second.
 * @throws MAMBAIR_DEVICE_UNAVAILABLE
 */
export async function createCalibration(build: WasmBuild | 'auto'): Promise<() => number> {
  const { module } = await compileKernels(build);
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 16, shared: true });
  const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as KernelExports;
  const [x, y, weights, bias] = [1 << 16, 1 << 17, 1 << 18, 1 << 19] as const;
  new Float32Array(memory.buffer, x, rows * channels).fill(0.5);
  const measure = (): number => {
    const cpu = process.cpuUsage();
    const end = performance.now() + leastMs;
    let calls = 0;
    while (performance.now() < end) {
      for (let call = 0; call < 50; call++) {
        kernels.gemm(x, channels * 4, y, channels * 4, rows, channels, 1, 0, channels / 8, weights, bias, 0, 0);
      }
      calls += 50;
    }
    const { user, system } = process.cpuUsage(cpu);
    return (calls * macsOfCall) / (user + system) / 1e3;
  };
  measure(); // once for the optimising compiler
  return measure;
}

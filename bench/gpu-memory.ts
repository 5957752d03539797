// Device memory of the reference job, MambaIRv2-light ×4 from 320 × 180 pixels: planned, and allocated when it is bound on the
// device; then of a run through the executor (of a small picture on a software adapter, which would take minutes).
// Ends with 1 when they differ, or the job takes more than 600 MB. Usage: npm run bench -- gpu-memory
import { recognise } from '../core/architectures/architectures.js';
import { randomWeights } from '../core/benchmark/random-weights.js';
import { bindProgram, memoryReport } from '../core/executors/webgpu/bound-program.js';
import { loadWeights } from '../core/executors/webgpu/loaded-weights.js';
import { OpenedDevice } from '../core/executors/webgpu/opened-device.js';
import { makeProgram } from '../core/executors/webgpu/program.js';
import { createWebgpuExecutor } from '../core/executors/webgpu/webgpu-executor.js';
import { findAdapter } from '../core/library/gpu-adapters.js';
import { randomImage } from '../test/random-network.js';
import { countAllocations, watchedAdapter } from '../test/watched-adapter.js';

const mostBytes = 600e6;
const precisions = ['f32', 'f16'] as const;
const tensors = randomWeights('lightSR_x4');
const { graph } = recognise(tensors);

function printRow(
  what: string,
  { planned, allocated }: { readonly planned: number; readonly allocated: number },
): void {
  console.log(`| ${what} | ${planned} | ${allocated} | ${(allocated / 1e6).toFixed(0)} |`);
  if (planned !== allocated || allocated > mostBytes) {
    process.exitCode = 1;
  }
}

/** Binds the reference job without running it. */
async function bind(precision: (typeof precisions)[number]): Promise<void> {
  const device = await OpenedDevice.open((await findAdapter()).adapter);
  const counted = countAllocations(device.device);
  const program = makeProgram(graph, { height: 180, width: 320, routing: 'seeded', precision, keep: [] });
  const weights = await loadWeights(graph, tensors, { device, precision });
  await bindProgram(program, weights, device);
  const { maxBindingBytes } = device;
  const { totalBytes } = memoryReport(program, { weightBytes: weights.bytes, maxBindingBytes });
  printRow(`320 × 180, ${precision}`, { planned: totalBytes, allocated: counted.total });
  device.device.destroy();
}

/** Runs a picture through the executor. */
async function run(precision: (typeof precisions)[number]): Promise<void> {
  const { adapter, isSoftware } = await findAdapter();
  const counted = { total: 0, largest: 0 };
  const watched = watchedAdapter(adapter, (device) => void countAllocations(device, counted));
  const executor = await createWebgpuExecutor(watched, { precision });
  const network = await executor.load(graph, tensors);
  const [height, width] = isSoftware ? [32, 48] : [180, 320];
  await network.run(randomImage([1, 3, height, width], 1), { routing: { kind: 'seeded', seed: 0 } });
  const planned = network.plan(height, width).totalBytes;
  printRow(`${width} × ${height}, ${precision}, run`, { planned, allocated: counted.total });
  await executor.dispose();
}

console.log('| MambaIRv2-light ×4 | planned bytes | allocated bytes | MB |\n|---|---:|---:|---:|');
for (const precision of precisions) {
  await bind(precision);
}
for (const precision of precisions) {
  await run(precision);
}

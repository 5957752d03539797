// Prints how far the scans of CPU and GPU (where there is one) are from float64 on a whole picture: 61440 steps of 48
// channels and 8 states, in class order, with the decays of a network and with hardly any; and over a million steps.
// Usage: npm run bench -- scan-accuracy
import { createCpuExecutor } from '../core/executors/cpu/cpu-executor.js';
import type { Executor } from '../core/executors/executor.js';
import { createReferenceExecutor } from '../core/executors/reference/reference-executor.js';
import { describeGpus } from '../core/library/describe-gpus.js';
import { createGpuExecutor } from '../core/library/gpu-adapters.js';
import { between } from '../core/ops/op-case.js';
import { scanCase, timeSteps } from '../core/ops/selective-scan/cases.js';
import { distanceOf, runCases } from '../test/op-harness.js';

const picture = { channels: 48, states: 8, rank: 3, size: [192, 320], classes: 64 } as const;

const cases = [
  scanCase(picture, 'as networks are initialised', 'δ 0.001 to 0.1, A −1 to −8'),
  scanCase(
    { ...picture, dtBias: timeSteps(1e-4, 20), aLogs: () => between(-11, 6) },
    'all kinds',
    'δ 1e-4 to 20, A −2e-5 to −400',
  ),
  scanCase(
    { ...picture, dtBias: timeSteps(1e-3, 1.1e-3), aLogs: () => () => Math.log(1e-4) },
    'slow',
    'δ 0.001, A −1e-4',
  ),
  scanCase({ ...picture, aLogs: () => () => -200 }, 'a sum', 'δ 0.001 to 0.1, A 0'),
  scanCase(
    { channels: 2, states: 4, rank: 1, size: [1000, 1000], aLogs: () => () => -200 },
    'a long sum',
    'a million steps, A 0',
  ),
];

/** The builds of the CPU's kernels, and the GPU where there is one. */
const executors: Readonly<Record<string, () => Promise<Executor>>> = {
  plain: () => createCpuExecutor({ build: 'plain' }),
  relaxed: () => createCpuExecutor({ build: 'relaxed' }),
  ...((await describeGpus()).gpus.length > 0 ? { webgpu: () => createGpuExecutor() } : {}),
};

console.log('| kernels | decays | largest abs(y) | max abs difference | relative |\n|---|---|---|---|---|');
for (const scan of cases) {
  const expected = (await runCases(createReferenceExecutor(), [scan])).get(scan.id)?.data ?? new Float32Array();
  let largest = 0;
  for (const value of expected) {
    largest = Math.max(largest, Math.abs(value));
  }
  for (const [name, create] of Object.entries(executors)) {
    const executor = await create();
    const found = (await runCases(executor, [scan])).get(scan.id)?.data ?? [];
    await executor.dispose();
    const { maxAbs, relative } = distanceOf(found, expected);
    const numbers = [
      largest.toPrecision(3),
      (maxAbs * Math.max(1, largest)).toExponential(1),
      relative.toExponential(1),
    ];
    console.log(`| ${name} | ${scan.id} | ${numbers.join(' | ')} |`);
  }
}

// How far the scans of CPU and GPU (where there is one) are from the float64 reference, as normalised mean square error: of a whole
// picture, 61 440 steps in class order; of decays of every kind over 1 to a million steps; of all cases of the op; and of 4
// million steps. Ends with 1 when the GPU's is above 1e-10 anywhere. Takes minutes on a software adapter.
// Usage: npm run bench -- scan-accuracy
import { createCpuExecutor } from '../core/executors/cpu/cpu-executor.js';
import type { Executor } from '../core/executors/executor.js';
import { createReferenceExecutor } from '../core/executors/reference/reference-executor.js';
import { describeGpus } from '../core/library/describe-gpus.js';
import { createGpuExecutor } from '../core/library/gpu-adapters.js';
import { between, type OpCase } from '../core/ops/op-case.js';
import {
  decayCases,
  mostScanError,
  scanCase,
  selectiveScanCases,
  timeSteps,
} from '../core/ops/selective-scan/cases.js';
import { distanceOf, runCases } from '../test/op-harness.js';

const picture = { channels: 48, states: 8, rank: 3, size: [192, 320], classes: 64 } as const;
const narrow = { channels: 2, states: 4, rank: 1 } as const;

const pictures = [
  scanCase(picture, 'as networks are initialised', 'picture: δ 0.001 to 0.1, A −1 to −8'),
  scanCase(
    { ...picture, dtBias: timeSteps(1e-4, 20), aLogs: () => between(-11, 6) },
    'all kinds',
    'picture: δ 1e-4 to 20, A −2e-5 to −400',
  ),
  scanCase(
    { ...picture, dtBias: timeSteps(1e-3, 1.1e-3), aLogs: () => () => Math.log(1e-4) },
    'slow',
    'picture: δ 0.001, A −1e-4',
  ),
  scanCase({ ...picture, aLogs: () => () => -200 }, 'a sum', 'picture: δ 0.001 to 0.1, A 0'),
];

/** What is listed as one row each, but the third: so many that only the worst is. */
const groups: readonly (readonly OpCase[])[] = [
  ...pictures.map((each) => [each]),
  ...decayCases(narrow, [1_000_000]).map((each) => [each]),
  [scanCase({ channels: 1, states: 1, rank: 1, size: [2000, 2000] }, 'the longest', 'usual, 4000000')],
  [
    scanCase(
      { channels: 1, states: 1, rank: 1, size: [2000, 2000], aLogs: () => () => -200 },
      'the longest sum',
      'none, 4000000',
    ),
  ],
  decayCases({ channels: 5, states: 8, rank: 3 }, [1, 2, 15, 16, 17, 63, 64, 65, 1000, 4096, 57_600, 65_537]),
  selectiveScanCases,
];

/** The builds of the CPU's kernels, and the GPU where there is one. */
const executors: Readonly<Record<string, () => Promise<Executor>>> = {
  plain: () => createCpuExecutor({ build: 'plain' }),
  relaxed: () => createCpuExecutor({ build: 'relaxed' }),
  ...((await describeGpus()).gpus.length > 0 ? { webgpu: () => createGpuExecutor() } : {}),
};

console.log(
  `| decays, steps | ${Object.keys(executors).join(' | ')} |\n|---|${'---:|'.repeat(Object.keys(executors).length)}`,
);
for (const group of groups) {
  const expected = await runCases(createReferenceExecutor(), group);
  const cells: string[] = [];
  let worstId = '';
  for (const [name, create] of Object.entries(executors)) {
    const executor = await create();
    const found = await runCases(executor, group);
    await executor.dispose();
    const errors = group.map(({ id }) => {
      const { relative } = distanceOf(found.get(id)?.data ?? [], expected.get(id)?.data ?? []);
      return { id, error: relative ** 2 };
    });
    const worst = errors.toSorted((a, b) => b.error - a.error)[0];
    cells.push((worst?.error ?? Number.NaN).toExponential(1));
    worstId = worst?.id ?? '';
    if (name === 'webgpu' && errors.some(({ error }) => !(error <= mostScanError))) {
      process.exitCode = 1;
    }
  }
  const label = group.length > 1 ? `the farthest of ${group.length} cases (${worstId})` : worstId;
  console.log(`| ${label} | ${cells.join(' | ')} |`);
}

import { createCpuExecutor } from '../core/executors/cpu/cpu-executor.js';
import { createReferenceExecutor } from '../core/executors/reference/reference-executor.js';
import { readCheckpoint } from '../core/checkpoint/read-checkpoint.js';
import { invariant } from '../core/errors.js';
import { compareGolden, networkFixtures } from '../test/golden/golden-cases.js';
import { sharedPath } from '../test/shared-path.js';

/**
 * How far each executor is from the official code (run in float64), on its fixtures: relative L2 distance of the
 * output, and of the farthest inner value; classes of the router that differ, of all decisions.
 *
 *     npm run bench -- accuracy
 */
const executors = [
  { name: 'reference', create: () => Promise.resolve(createReferenceExecutor()) },
  { name: 'cpu, plain', create: () => createCpuExecutor({ build: 'plain' }) },
  { name: 'cpu, relaxed', create: () => createCpuExecutor({ build: 'relaxed' }) },
];
const weightsPath = sharedPath('weights/mambairv2_lightSR_x4.pth');
invariant(weightsPath, 'this needs the fixtures of the shared material beside the repository');
const official = (await readCheckpoint(weightsPath)).tensors;

console.log(
  `| fixture | ${executors.map(({ name }) => `${name}: output | farthest tap | classes differing`).join(' | ')} |`,
);
console.log(`|---|${executors.map(() => '---|---|---|').join('')}`);
for (const name of [...networkFixtures, 'official-light-x4-seeded']) {
  const cells: string[] = [];
  for (const { name: executorName, create } of executors) {
    if (name.startsWith('official') && executorName === 'reference') {
      cells.push('(takes minutes)', '', '');
      continue;
    }
    const executor = await create();
    const result = await compareGolden(executor, name, name.startsWith('official') ? { weights: official } : {});
    await executor.dispose();
    const farthest = Math.max(0, ...Object.values(result.taps));
    cells.push(
      result.output.toExponential(1),
      farthest.toExponential(1),
      `${result.classFlips} of ${result.decisions}`,
    );
  }
  console.log(`| ${name.replace('mambairv2-', '')} | ${cells.join(' | ')} |`);
}

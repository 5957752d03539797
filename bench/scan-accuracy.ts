// Prints how far the CPU's scan is from float64 on a whole picture: 61440 steps of 48 channels and 8 states, in class
// order, with the decays of a network and with hardly any. Usage: npm run bench -- scan-accuracy
import { createCpuExecutor } from '../core/executors/cpu/cpu-executor.js';
import { createReferenceExecutor } from '../core/executors/reference/reference-executor.js';
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
];

console.log('| build | decays | largest abs(y) | max abs difference | relative |\n|---|---|---|---|---|');
for (const scan of cases) {
  const expected = (await runCases(createReferenceExecutor(), [scan])).get(scan.id)?.data ?? new Float32Array();
  let largest = 0;
  for (const value of expected) {
    largest = Math.max(largest, Math.abs(value));
  }
  for (const build of ['plain', 'relaxed'] as const) {
    const executor = await createCpuExecutor({ build });
    const found = (await runCases(executor, [scan])).get(scan.id)?.data ?? [];
    await executor.dispose();
    const { maxAbs, relative } = distanceOf(found, expected);
    const numbers = [
      largest.toPrecision(3),
      (maxAbs * Math.max(1, largest)).toExponential(1),
      relative.toExponential(1),
    ];
    console.log(`| ${build} | ${scan.id} | ${numbers.join(' | ')} |`);
  }
}

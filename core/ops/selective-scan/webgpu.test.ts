import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeWithGpu } from '../../../test/gpu.js';
import { type CaseResult, distanceOf, runCases } from '../../../test/op-harness.js';
import type { Executor } from '../../executors/executor.js';
import { createReferenceExecutor } from '../../executors/reference/reference-executor.js';
import { createGpuExecutor } from '../../library/gpu-adapters.js';
import { between, type Draw, type OpCase, within } from '../op-case.js';
import { scanCase, timeSteps } from './cases.js';
import { chunkLengthOf } from './webgpu.js';

const constant = (value: number) => (): Draw => () => value;

/** log(−A) and the bias of the time step. */
const decays: Readonly<Record<string, Pick<Parameters<typeof scanCase>[0], 'aLogs' | 'dtBias'>>> = {
  usual: {},
  none: { aLogs: constant(-200) },
  denormal: { aLogs: constant(Math.log(1e-40)) },
  '10⁴': { aLogs: constant(Math.log(1e4)) },
  mixed: { aLogs: () => between(Math.log(1e-5), Math.log(400)), dtBias: within(20) },
  'long memory': { aLogs: constant(Math.log(1e-4)), dtBias: timeSteps(1e-3, 2e-3) },
};

/** Around the ends of chunks of 64 and of tiles of 16, and where chunks become longer. */
const lengths = [1, 2, 15, 17, 63, 64, 65, 127, 129, 1000, 65_537];

describeWithGpu('the scan in chunks', () => {
  const cases: readonly OpCase[] = Object.entries(decays).flatMap(([name, decay]) =>
    lengths
      .filter((length) => length < 60_000 || name === 'usual' || name === 'none')
      .map((length) =>
        scanCase(
          { channels: 3, states: 4, rank: 2, size: [1, length], ...decay },
          'any length, any decay',
          `${name}, ${length}`,
        ),
      ),
  );
  let executor: Executor;
  let found: ReadonlyMap<string, CaseResult>;
  let expected: ReadonlyMap<string, CaseResult>;
  beforeAll(async () => {
    executor = await createGpuExecutor();
    found = await runCases(executor, cases);
    expected = await runCases(createReferenceExecutor(), cases);
  });
  afterAll(() => executor.dispose());

  it.each(cases.map(({ id }) => id))('is the serial scan: decays %s steps', (id) => {
    const { relative } = distanceOf(found.get(id)?.data ?? [], expected.get(id)?.data ?? []);
    // The normalised mean square error, of which 1e-10 is allowed.
    expect(relative ** 2).toBeLessThanOrEqual(1e-10);
  });
});

it('has chunks of whole tiles, and never more than the carry should walk', () => {
  for (const length of [1, 64, 65, 57_600, 65_536, 65_537, 1_000_000, 4_000_000]) {
    const chunk = chunkLengthOf(length);
    expect(chunk % 16).toBe(0);
    expect(Math.ceil(length / chunk)).toBeLessThanOrEqual(1024);
  }
});

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeWithGpu } from '../../../test/gpu.js';
import { type CaseResult, distanceOf, runCases } from '../../../test/op-harness.js';
import type { Executor } from '../../executors/executor.js';
import { createReferenceExecutor } from '../../executors/reference/reference-executor.js';
import { createGpuExecutor } from '../../library/gpu-adapters.js';
import { decayCases, mostScanError } from './cases.js';
import { chunkLengthOf } from './webgpu.js';

/** Around the ends of chunks of 64, of tiles of 16, of the 16 runs and fours of the carry, and where chunks become longer. */
const lengths = [1, 2, 15, 17, 63, 64, 65, 127, 129, 1000, 1025, 4097, 65_537];

describeWithGpu('the scan in chunks', () => {
  const cases = decayCases({ channels: 3, states: 4, rank: 2 }, lengths).filter(
    ({ width, id }) => width < 60_000 || id.startsWith('usual') || id.startsWith('none'),
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
    expect(relative ** 2).toBeLessThanOrEqual(mostScanError);
  });
});

it('has chunks of whole tiles, and never more than the carry should walk', () => {
  for (const length of [1, 64, 65, 57_600, 65_536, 65_537, 1_000_000, 4_000_000]) {
    const chunk = chunkLengthOf(length);
    expect(chunk % 16).toBe(0);
    expect(Math.ceil(length / chunk)).toBeLessThanOrEqual(1024);
  }
});

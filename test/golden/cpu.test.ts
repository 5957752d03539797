import { expect, it } from '@jest/globals';
import { readCheckpoint } from '../../core/checkpoint/read-checkpoint.js';
import { createCpuExecutor } from '../../core/executors/cpu/cpu-executor.js';
import { describeWithOnnxRuntime } from '../onnxruntime.js';
import { describeWithShared, sharedPath } from '../shared.js';
import { compareGolden, networkFixtures } from './golden-cases.js';

const builds = [
  { build: 'plain', bound: 1e-5 },
  { build: 'relaxed', bound: 2e-5 },
] as const;

describeWithShared('the cpu executor computes what the official code does', ['golden'], () => {
  it.each(builds.flatMap((build) => networkFixtures.map((name) => ({ ...build, name }))))(
    '$name ($build)',
    async ({ build, bound, name }) => {
      const executor = await createCpuExecutor({ build, threads: 2 });
      const comparison = await compareGolden(executor, name);
      await executor.dispose();
      const far = Object.entries({ output: comparison.output, ...comparison.taps }).filter(
        ([, rel]) => !(rel <= bound),
      );
      expect(far).toEqual([]);
      expect({ flips: comparison.classFlips, orderErrors: comparison.orderErrors }).toEqual({
        flips: 0,
        orderErrors: 0,
      });
    },
  );
});

describeWithOnnxRuntime('with ONNX Runtime', () => {
  describeWithShared('the cpu executor computes what the official code does', ['golden'], () => {
    it.each(networkFixtures)('%s', async (name) => {
      const executor = await createCpuExecutor({ threads: 2, onnxruntime: 'on' });
      const { output, taps, classFlips, orderErrors } = await compareGolden(executor, name);
      const { description } = executor;
      await executor.dispose();
      expect(description).toMatch(/onnxruntime .* for \d+ layers/);
      expect(Object.entries({ output, ...taps }).filter(([, rel]) => !(rel <= 1e-5))).toEqual([]);
      expect({ classFlips, orderErrors }).toEqual({ classFlips: 0, orderErrors: 0 });
    });
  });
});

describeWithShared(
  'the cpu executor with the published light ×4 weights',
  ['golden', 'weights/mambairv2_lightSR_x4.pth'],
  () => {
    it.each(builds)('takes every class decision as the official code does ($build)', async ({ build, bound }) => {
      const { tensors } = await readCheckpoint(sharedPath('weights/mambairv2_lightSR_x4.pth') as string);
      const executor = await createCpuExecutor({ build, threads: 2 });
      const comparison = await compareGolden(executor, 'official-light-x4-seeded', { weights: tensors });
      await executor.dispose();
      // Two float32 engines may differ in one decision of a million; the margin of this fixture is far above rounding.
      expect(comparison.classFlips).toBe(0);
      expect(comparison.output).toBeLessThanOrEqual(bound);
    });
  },
);

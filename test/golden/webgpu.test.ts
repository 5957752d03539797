import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Executor } from '../../core/executors/executor.js';
import { createGpuExecutor } from '../../core/library/gpu-adapters.js';
import { describeWithGpu } from '../gpu.js';
import { describeWithShared } from '../shared.js';
import { compareGolden, networkFixtures, webgpuBound } from './golden-cases.js';

describeWithGpu('the webgpu executor', () => {
  describeWithShared('computes what the official code does', ['golden'], () => {
    let executor: Executor;
    beforeAll(async () => {
      executor = await createGpuExecutor();
    });
    afterAll(() => executor.dispose());

    it.each(networkFixtures)('%s', async (name) => {
      const { output, taps, classFlips, orderErrors } = await compareGolden(executor, name);
      expect(Object.entries({ output, ...taps }).filter(([, distance]) => !(distance <= webgpuBound))).toEqual([]);
      expect({ classFlips, orderErrors }).toEqual({ classFlips: 0, orderErrors: 0 });
    });
  });
});

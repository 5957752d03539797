import { expect, it } from '@jest/globals';
import { describeWithGpu } from '../../../test/gpu.js';
import { runCases } from '../../../test/op-harness.js';
import { createCpuExecutor } from '../../executors/cpu/cpu-executor.js';
import type { Executor } from '../../executors/executor.js';
import { createGpuExecutor } from '../../library/gpu-adapters.js';
import { manyDecisions } from './cases.js';

const opCase = manyDecisions(5);

async function classesOn(executor: Executor) {
  const results = await runCases(executor, [opCase]);
  await executor.dispose();
  return results.get(opCase.id)?.data ?? [];
}

describeWithGpu('seeded routing on the GPU', () => {
  it('draws the classes that the CPU draws', async () => {
    const cpu = await classesOn(await createCpuExecutor({ build: 'plain', threads: 2 }));
    const gpu = await classesOn(await createGpuExecutor());
    const different = [...cpu].filter((token, pixel) => token !== gpu[pixel]).length;
    console.info(`${different} of ${cpu.length} classes differ`);
    expect(cpu).toHaveLength(opCase.height * opCase.width);
    expect(different).toBeLessThanOrEqual(2);
  });
});

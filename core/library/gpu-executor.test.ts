import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeExecutor } from '../../test/conformance/executor-suite.js';
import { describeWithGpu } from '../../test/gpu.js';
import { randomCheckpoint, randomImage, smallConfig } from '../../test/random-network.js';
import { recognise } from '../architectures/architectures.js';
import { createCpuExecutor } from '../executors/cpu/cpu-executor.js';
import type { Executor } from '../executors/executor.js';
import { restoreTensor } from '../restore/restore-tensor.js';
import { createExecutor } from './executors.js';
import { openGpu } from './gpu-executor.js';

/** The processes of this one that run a GPU. */
async function gpuProcesses(): Promise<readonly number[]> {
  const { execFileSync } = await import('node:child_process');
  const lines = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', `${process.pid}`], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => line.includes('gpu-process.js')).map((line) => Number.parseInt(line, 10));
}

// One kernel, one order of sums for every size: what the CPU executor is held to.
describeWithGpu('on the GPU', () => describeExecutor('webgpu', () => openGpu(), 2e-6));

describeWithGpu('the process of a GPU', () => {
  const tensors = randomCheckpoint(smallConfig, 1);
  const { graph } = recognise(tensors);
  let executor: Executor;
  beforeAll(async () => {
    executor = await openGpu();
  });
  afterAll(() => executor.dispose());

  it('may be killed during a run: the picture is finished elsewhere, and equal', async () => {
    const network = await executor.load(graph, tensors);
    const input = randomImage([1, 3, 40, 70], 4);
    const tiled = { tile: 32, overlap: 8, routing: 'seeded' } as const;
    const undisturbed = await restoreTensor(network, input, tiled);

    const cpu = await createCpuExecutor({ threads: 2 });
    const codes: string[] = [];
    const finishing = restoreTensor(network, input, {
      ...tiled,
      fallback: () => cpu.load(graph, tensors),
      warn: (code) => codes.push(code),
    });
    const [pid = 0] = await gpuProcesses();
    process.kill(pid, 'SIGKILL');
    const finished = await finishing;
    await cpu.dispose();
    expect(codes).toEqual(['MAMBAIR_DEVICE_LOST']);
    const square = finished.data.reduce((sum, value, at) => sum + (value - (undisturbed.data[at] as number)) ** 2, 0);
    expect(square / finished.data.length).toBeLessThan(1e-7);
    await expect(network.run(input, { routing: { kind: 'argmax' } })).rejects.toMatchObject({
      code: 'MAMBAIR_DEVICE_LOST',
    });
    await expect(executor.load(graph, tensors)).rejects.toMatchObject({ code: 'MAMBAIR_DEVICE_LOST' });
  });

  it('ends with its executor', async () => {
    const other = await openGpu();
    const [pid = 0] = await gpuProcesses();
    await other.dispose();
    expect(await gpuProcesses()).not.toContain(pid);
  });

  it('is not started for a GPU that is not there', async () => {
    await expect(createExecutor({ device: 'webgpu:99' })).rejects.toMatchObject({ code: 'MAMBAIR_DEVICE_UNAVAILABLE' });
    await expect(createExecutor({ device: 'webgpu:1e3' as 'webgpu' })).rejects.toMatchObject({
      code: 'MAMBAIR_OPTION_INVALID',
    });
  });
});

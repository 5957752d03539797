import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeWithGpu, gpuTestMs } from '../../test/gpu.js';
import { randomCheckpoint, smallConfig } from '../../test/random-network.js';
import { recognise } from '../architectures/architectures.js';
import { createCpuExecutor } from '../executors/cpu/cpu-executor.js';
import type { Executor, Network } from '../executors/executor.js';
import type { GpuAdapter } from '../executors/webgpu/gpu.js';
import { createWebgpuExecutor } from '../executors/webgpu/webgpu-executor.js';
import { bisectNetworks } from './bisect.js';
import { findAdapter } from './gpu-adapters.js';

const tensors = randomCheckpoint(smallConfig, 1);
const { graph } = recognise(tensors);
const size = { height: 10, width: 9 };

/** A GPU whose driver compiles some kernels wrongly. */
async function openBroken(broken: (label: string, code: string) => string): Promise<Executor> {
  const { adapter } = await findAdapter();
  const watched: GpuAdapter = {
    info: adapter.info,
    features: adapter.features,
    limits: adapter.limits,
    async requestDevice(descriptor) {
      const device = await adapter.requestDevice(descriptor);
      const create = device.createShaderModule.bind(device);
      Object.defineProperty(device, 'createShaderModule', {
        value: ({ label = '', code }: { label?: string; code: string }) => create({ label, code: broken(label, code) }),
      });
      return device;
    },
  };
  return createWebgpuExecutor(watched, { precision: 'f32' });
}

describeWithGpu('the search for a wrong kernel', () => {
  let cpu: Executor;
  let exact: Network;
  beforeAll(async () => {
    cpu = await createCpuExecutor({ threads: 2, build: 'plain' });
    exact = await cpu.load(graph, tensors);
  });
  afterAll(() => cpu.dispose());

  it(
    'finds nothing where there is nothing',
    async () => {
      const executor = await openBroken((_, code) => code);
      const gpu = await executor.load(graph, tensors);
      const { distance, first, router, bounds } = await bisectNetworks(graph, { gpu, exact }, size);
      expect(first).toBeUndefined();
      expect(distance).toBeLessThan(bounds.distance / 5);
      expect(router?.share).toBe(0);
      await executor.dispose();
    },
    gpuTestMs,
  );

  it(
    'names the first value that a broken kernel computes, and shows that it does so alone',
    async () => {
      const executor = await openBroken((label, code) =>
        label.startsWith('selective-scan')
          ? code.replace('let delta = softplus(', 'let delta = 1.01 * softplus(')
          : code,
      );
      const gpu = await executor.load(graph, tensors);
      const { first, distance, bounds } = await bisectNetworks(graph, { gpu, exact }, size);
      const scan = graph.nodes.find(({ operation }) => operation.op === 'selectiveScan')?.name as string;
      expect(first).toMatchObject({ node: scan, op: 'selectiveScan' });
      expect(first?.alone).toBeGreaterThan(bounds.distance);
      expect(distance).toBeGreaterThan(bounds.distance);

      // From behind the last scan on, all is right.
      const last = graph.nodes.findLast(({ operation }) => operation.op === 'selectiveScan')?.name as string;
      const behind = await bisectNetworks(graph, { gpu, exact }, { ...size, from: last });
      expect(behind.first).toBeUndefined();
      expect(behind.distance).toBeLessThan(bounds.distance);
      const unknown = bisectNetworks(graph, { gpu, exact }, { ...size, from: 'nowhere' });
      await expect(unknown).rejects.toMatchObject({ code: 'MAMBAIR_OPTION_INVALID' });
      await executor.dispose();
    },
    gpuTestMs,
  );
});

import { describe, expect, it } from '@jest/globals';
import { describeWithGpu, gpuTestMs } from '../../../test/gpu.js';
import { randomCheckpoint, randomImage, smallConfig } from '../../../test/random-network.js';
import { recognise } from '../../architectures/architectures.js';
import { readCheckpoint } from '../../checkpoint/read-checkpoint.js';
import { findAdapter } from '../../library/gpu-adapters.js';
import type { GpuAdapter, GpuDevice } from './gpu.js';
import { createWebgpuExecutor } from './webgpu-executor.js';

const tensors = randomCheckpoint(smallConfig, 1);
const { graph } = recognise(tensors);
const routing = { kind: 'seeded', seed: 3 } as const;

/** An adapter whose device the test can look at. */
function watched(adapter: GpuAdapter, watch: (device: GpuDevice) => void): GpuAdapter {
  return {
    info: adapter.info,
    features: adapter.features,
    limits: adapter.limits,
    async requestDevice(descriptor) {
      const device = await adapter.requestDevice(descriptor);
      watch(device);
      return device;
    },
  };
}

describeWithGpu('a network on the GPU', () => {
  describe('memory', () => {
    it(
      'is what the plan says',
      async () => {
        const { adapter } = await findAdapter();
        let allocated = 0;
        const counting = watched(adapter, (device) => {
          const create = device.createBuffer.bind(device);
          Object.defineProperty(device, 'createBuffer', {
            value: (descriptor: Parameters<typeof create>[0]) => {
              allocated += descriptor.size;
              return create(descriptor);
            },
          });
        });
        const executor = await createWebgpuExecutor(counting, { precision: 'f16' });
        const network = await executor.load(graph, tensors);
        const { weightBytes, totalBytes } = network.plan(21, 30);
        expect(allocated).toBe(weightBytes);
        await network.run(randomImage([1, 3, 21, 30], 1), { routing });
        expect(allocated).toBe(totalBytes);
        await executor.dispose();
      },
      gpuTestMs,
    );
  });

  describe('in halves', () => {
    it(
      'is taken by itself where the device has them, says why, gives the same picture with less memory',
      async () => {
        const { adapter } = await findAdapter();
        // The kernels need no feature of the device; that it has this one only tells that halves pay.
        const features = { has: () => true, [Symbol.iterator]: () => [][Symbol.iterator]() };
        const executor = await createWebgpuExecutor({ ...watched(adapter, () => undefined), features });
        // A trained one: of random weights little agrees with anything.
        const checkpoint = await readCheckpoint('models/tiny-x2.safetensors');
        const tiny = recognise(checkpoint.tensors);
        const [halved, precise] = [
          await executor.load(tiny.graph, checkpoint.tensors),
          await executor.load(tiny.graph, checkpoint.tensors, { precision: 'f32' }),
        ];
        expect(precise.precision).toEqual({ name: 'f32', reason: 'it was asked for' });
        expect(halved.precision?.name).toBe('f16');
        expect(halved.precision?.reason).toMatch(/^the device has shader-f16, and the network is \d+ dB from float32/);
        const input = randomImage([1, 3, 17, 20], 5);
        const [a, b] = [await halved.run(input, { routing }), await precise.run(input, { routing })];
        expect(meanSquare(a.output.data, b.output.data)).toBeLessThan(1e-6);
        expect(halved.plan(64, 64).activationBytes).toBeLessThan(0.7 * precise.plan(64, 64).activationBytes);
        await executor.dispose();
      },
      gpuTestMs,
    );
  });
});

function meanSquare(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, at) => sum + (value - (b[at] as number)) ** 2, 0) / b.length;
}

import { describe, expect, it } from '@jest/globals';
import { describeWithGpu, gpuTestMs } from '../../../test/gpu.js';
import { randomCheckpoint, randomImage, smallConfig } from '../../../test/random-network.js';
import { countAllocations, watchedAdapter } from '../../../test/watched-adapter.js';
import { recognise } from '../../architectures/architectures.js';
import { readCheckpoint } from '../../checkpoint/read-checkpoint.js';
import { findAdapter } from '../../library/gpu-adapters.js';
import { createWebgpuExecutor } from './webgpu-executor.js';

const tensors = randomCheckpoint(smallConfig, 1);
const { graph } = recognise(tensors);
const routing = { kind: 'seeded', seed: 3 } as const;

describeWithGpu('a network on the GPU', () => {
  describe('memory', () => {
    it(
      'is what the plan says',
      async () => {
        const { adapter } = await findAdapter();
        const counted = { total: 0, largest: 0 };
        const counting = watchedAdapter(adapter, (device) => void countAllocations(device, counted));
        const executor = await createWebgpuExecutor(counting, { precision: 'f16' });
        const network = await executor.load(graph, tensors);
        const { weightBytes, totalBytes } = network.plan(21, 30);
        expect(counted.total).toBe(weightBytes);
        await network.run(randomImage([1, 3, 21, 30], 1), { routing });
        expect(counted.total).toBe(totalBytes);
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
        const executor = await createWebgpuExecutor({ ...watchedAdapter(adapter, () => undefined), features });
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

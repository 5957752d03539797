import { expect, it } from '@jest/globals';
import { describeWithGpu } from '../../../test/gpu.js';
import { randomCheckpoint, randomImage, smallConfig } from '../../../test/random-network.js';
import { recognise } from '../../architectures/architectures.js';
import type { GpuAdapter, GpuBuffer, GpuDevice } from './gpu.js';
import type { GpuOptions } from './opened-device.js';
import { createWebgpuExecutor } from './webgpu-executor.js';

const tensors = randomCheckpoint(smallConfig, 1);
const { graph } = recognise(tensors);
const routing = { kind: 'seeded', seed: 3 } as const;

/** Kept: an instance that is collected while its device is in use brings the process down. */
const instances: unknown[] = [];

/** A device that runs nothing and answers at once; what is asked of it is told, and results wait for `release`. */
async function openWatched(options: GpuOptions = {}) {
  const name = 'webgpu';
  const dawn = (await import(name)) as { create(flags: string[]): { requestAdapter(): Promise<GpuAdapter> } };
  const instance = dawn.create(['backend=null']);
  instances.push(instance);
  const adapter = await instance.requestAdapter();
  const events: string[] = [];
  const waiting: (() => void)[] = [];
  const watchBuffer = (buffer: GpuBuffer): GpuBuffer => {
    const map = buffer.mapAsync.bind(buffer);
    const mapLater = async (mode: number): Promise<void> => {
      events.push('wait');
      await new Promise<void>((resolve) => waiting.push(resolve));
      await map(mode);
      events.push('read');
    };
    Object.defineProperty(buffer, 'mapAsync', { value: mapLater });
    return buffer;
  };
  const watch = (device: GpuDevice): GpuDevice => {
    const create = device.createBuffer.bind(device);
    Object.defineProperty(device, 'createBuffer', {
      value: (descriptor: Parameters<typeof create>[0]) =>
        descriptor.label === 'readback' ? watchBuffer(create(descriptor)) : create(descriptor),
    });
    const write = device.queue.writeBuffer.bind(device.queue);
    Object.defineProperty(device.queue, 'writeBuffer', {
      value: (...args: Parameters<typeof write>) => {
        if (args[2].byteLength === 8 * 8 * 3 * 4) {
          events.push('upload');
        }
        write(...args);
      },
    });
    return device;
  };
  const watched: GpuAdapter = {
    info: adapter.info,
    features: adapter.features,
    limits: adapter.limits,
    requestDevice: async (descriptor) => watch(await adapter.requestDevice(descriptor)),
  };
  const executor = await createWebgpuExecutor(watched, { precision: 'f32', ...options });
  return { executor, events, release: () => waiting.shift()?.() };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Waits until it holds, and some turns more, in which nothing else should happen. */
async function settled(holds: () => boolean): Promise<void> {
  while (!holds()) {
    await turn();
  }
  for (let turns = 0; turns < 50; turns++) {
    await turn();
  }
}

describeWithGpu('runs of a network on a GPU', () => {
  it('are sent two at a time: one computes while the other waits to be read, and a third waits for a buffer', async () => {
    const { executor, events, release } = await openWatched();
    const network = await executor.load(graph, tensors);
    expect(network.runsAtOnce).toBe(2);
    const runs = [1, 2, 3].map((seed) => network.run(randomImage([1, 3, 8, 8], seed), { routing }));
    await settled(() => events.length >= 4);
    expect(events).toEqual(['upload', 'wait', 'upload', 'wait']);
    release();
    await settled(() => events.length >= 7);
    expect(events).toEqual(['upload', 'wait', 'upload', 'wait', 'read', 'upload', 'wait']);
    release();
    release();
    await Promise.all(runs);

    // A run of another size frees the buffers of this one, and so waits until they are read.
    const [before, other] = [
      network.run(randomImage([1, 3, 8, 8], 4), { routing }),
      network.run(randomImage([1, 3, 12, 8], 5), { routing }),
    ];
    events.length = 0;
    await settled(() => events.length >= 2);
    expect(events).toEqual(['upload', 'wait']);
    release();
    await before;
    await settled(() => events.length >= 4);
    release();
    expect((await other).output.shape).toEqual([1, 3, 24, 16]);

    // One that is stopped leaves its buffer to the next.
    const abort = new AbortController();
    const stopped = network.run(randomImage([1, 3, 8, 8], 6), { routing, signal: abort.signal });
    abort.abort();
    await expect(stopped).rejects.toMatchObject({ code: 'MAMBAIR_CANCELLED' });
    const after = network.run(randomImage([1, 3, 8, 8], 7), { routing });
    events.length = 0;
    await settled(() => events.includes('wait'));
    release();
    await after;
    await executor.dispose();
  });

  it('fail when the device does not answer, and all after them', async () => {
    const { executor, events } = await openWatched({ patienceMs: 5000 });
    const network = await executor.load(graph, tensors);
    const lost = { code: 'MAMBAIR_DEVICE_LOST', message: expect.stringContaining('5 s') };
    const input = randomImage([1, 3, 8, 8], 1);
    await expect(network.run(input, { routing })).rejects.toMatchObject(lost);
    expect(events).toEqual(['upload', 'wait']);
    await expect(network.run(input, { routing })).rejects.toMatchObject(lost);
    await executor.dispose();
  });
});

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeWithGpu } from '../../../test/gpu.js';
import { randomCheckpoint, randomImage, smallConfig } from '../../../test/random-network.js';
import { countAllocations, watchedAdapter } from '../../../test/watched-adapter.js';
import { recognise } from '../../architectures/architectures.js';
import type { ErrorCode } from '../../errors.js';
import { findAdapter } from '../../library/gpu-adapters.js';
import { chooseTiles } from '../../restore/choose-tiles.js';
import type { RestoreOptions } from '../../restore/options.js';
import { restoreTensor } from '../../restore/restore-tensor.js';
import type { Executor, Network } from '../executor.js';
import type { GpuDevice } from './gpu.js';
import type { GpuOptions } from './opened-device.js';
import { createWebgpuExecutor } from './webgpu-executor.js';

const tensors = randomCheckpoint(smallConfig, 1);
const { graph } = recognise(tensors);
const input = randomImage([1, 3, 40, 70], 2);
const tiled = { tile: 32, overlap: 8, routing: 'seeded' } as const;

/** A device that a test can make fail. */
interface Faulty {
  readonly executor: Executor;
  readonly network: Network;
  readonly device: GpuDevice;
  /** Error scopes that are to report that memory has run out, from the next one on. */
  readonly memory: { failures: number };
}

async function openFaulty(options: GpuOptions = {}): Promise<Faulty> {
  const { adapter } = await findAdapter();
  const memory = { failures: 0 };
  let device: GpuDevice | undefined;
  const watched = watchedAdapter(adapter, (opened) => {
    device = opened;
    const pop = opened.popErrorScope.bind(opened);
    const failing = async () => {
      const isFailing = memory.failures > 0;
      memory.failures -= isFailing ? 1 : 0;
      const error = await pop();
      return isFailing ? { message: 'out of memory, says the test' } : error;
    };
    Object.defineProperty(opened, 'popErrorScope', { value: failing });
  });
  const executor = await createWebgpuExecutor(watched, options);
  const network = await executor.load(graph, tensors);
  return { executor, network, device: device as GpuDevice, memory };
}

/** Restores, and collects what was warned of. */
async function restore(network: Network, options: RestoreOptions) {
  const codes: ErrorCode[] = [];
  const { data } = await restoreTensor(network, input, { ...options, warn: (code) => codes.push(code) });
  return { data, codes };
}

// Every device compiles all kernels, which is what takes time on SwiftShader: one is used for as much as possible.
describeWithGpu('a picture on a GPU', () => {
  let gpu: Faulty;
  let undisturbed: Float32Array;
  beforeAll(async () => {
    gpu = await openFaulty();
    undisturbed = (await restore(gpu.network, tiled)).data;
  });
  afterAll(() => gpu.executor.dispose());

  it('that has no memory for it is the one made of smaller tiles, bit for bit', async () => {
    // The first scope that is asked is the memory's.
    gpu.memory.failures = 1;
    const { data, codes } = await restore(gpu.network, { ...tiled, tile: 'whole' });
    expect(codes).toEqual(['MAMBAIR_OUT_OF_MEMORY']);
    expect(data).toEqual(undisturbed);
  });

  it('that binds small buffers only is the one made of the same tiles elsewhere, bit for bit', async () => {
    const small = await openFaulty({ maxBindingBytes: 2 ** 17 });
    const counted = countAllocations(small.device);
    const whole = small.network.run(input, { routing: { kind: 'argmax' } });
    await expect(whole).rejects.toMatchObject({ code: 'MAMBAIR_OUT_OF_MEMORY' });
    expect(counted.total).toBe(0);
    const size = { height: 40, width: 70 };
    const { columns } = chooseTiles(small.network, size, { ...tiled, tile: 'auto', channels: 3 });
    const [first] = columns.spans;
    const side = (first?.end ?? 0) - (first?.start ?? 0);
    expect(columns.spans.length).toBeGreaterThan(1);
    const expected = await restore(gpu.network, { ...tiled, tile: side });
    expect(await restore(small.network, { ...tiled, tile: 'auto' })).toEqual(expected);
    await small.executor.dispose();
  });

  it('that loses its device is finished on another, bit for bit', async () => {
    let next: Faulty | undefined;
    const { data, codes } = await restore(gpu.network, {
      ...tiled,
      progress: ({ done }) => void (done >= 1 && next === undefined && gpu.device.destroy()),
      recover: async () => {
        next = await openFaulty();
        return { network: next.network, how: 'on another device' };
      },
    });
    await next?.executor.dispose();
    const after = gpu.network.run(input, { routing: { kind: 'argmax' } });
    await expect(after).rejects.toMatchObject({ code: 'MAMBAIR_DEVICE_LOST' });
    expect(codes).toEqual(['MAMBAIR_DEVICE_LOST']);
    expect(data).toEqual(undisturbed);
  });
});

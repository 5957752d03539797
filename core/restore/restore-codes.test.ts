import { describe, expect, it } from '@jest/globals';
import { repeatNetwork } from '../../test/fake-networks.js';
import { describeWithGpu, gpuTestMs } from '../../test/gpu.js';
import { MambairError } from '../errors.js';
import type { Network } from '../executors/executor.js';
import { GraphBuilder } from '../graph/build-graph.js';
import { openGpu } from '../library/executors.js';
import { frameLayout, pixelFormat } from '../video/pixel-format.js';
import type { RestoreOptions } from './options.js';
import { createFrameRestorer } from './restore-frames.js';

const colour = { matrix: 'bt709', range: 'limited', chromaLocation: 'left' } as const;
const options: RestoreOptions = { tile: 'auto', routing: 'seeded', seed: 7 };

/** A network that takes codes: it inverts them, and keeps what it was asked. */
function takingCodes(scale: number, fail?: () => Error) {
  const asked: unknown[] = [];
  const network: Network = {
    ...repeatNetwork({ scale }),
    runCodes: async (codes, { source, target }, { routing }) => {
      asked.push([source.width, target.width, routing]);
      const error = fail?.();
      if (error !== undefined) {
        throw error;
      }
      return new Uint8Array(target.samples * target.bytesPerSample).fill(255 - (codes[0] ?? 0));
    },
  };
  return { network, asked };
}

const frameOf = (name: string) => {
  const layout = frameLayout(pixelFormat(name), 40, 36);
  return { layout, frame: new Uint8Array(layout.bytes).fill(55) };
};

describe('frames through a network that takes codes', () => {
  it('go as codes where they are one tile', async () => {
    const { layout, frame } = frameOf('yuv420p');
    const { network, asked } = takingCodes(2);
    const restorer = await createFrameRestorer(network, layout, colour, options);
    const target = new Uint8Array(restorer.layout.bytes);
    expect(await restorer.restore(frame, target)).toBe(target);
    expect(target.every((code) => code === 200)).toBe(true);
    expect((await restorer.restore(frame)).every((code) => code === 200)).toBe(true);
    expect(asked[0]).toEqual([40, 80, { kind: 'seeded', seed: 7 }]);
  });

  it.each([
    ['in tiles', 'yuv420p', { ...options, tile: 32, overlap: 8 }],
    ['with alpha that grows', 'yuva420p', options],
    ['as gray through a network of colours', 'gray', options],
  ] as const)('go the long way %s', async (_, name, how) => {
    const { layout, frame } = frameOf(name);
    const { network, asked } = takingCodes(2);
    const restorer = await createFrameRestorer(network, layout, colour, how);
    expect((await restorer.restore(frame)).every((code) => code === 55)).toBe(true);
    expect(asked).toEqual([]);
  });

  it('go the long way once the short one failed, but stop when they are told to', async () => {
    const { layout, frame } = frameOf('yuv420p');
    const failing = takingCodes(1, () => new MambairError('MAMBAIR_NOT_FINITE', 'infinite'));
    const restorer = await createFrameRestorer(failing.network, layout, colour, options);
    expect(await restorer.restore(frame)).toEqual(frame);
    expect(await restorer.restore(frame)).toEqual(frame);
    expect(failing.asked).toHaveLength(1);

    // With another network to go on with, what failed goes the short way there, and all after it.
    const [lost, other] = [takingCodes(1, () => new MambairError('MAMBAIR_DEVICE_LOST', 'gone')), takingCodes(1)];
    const codes: string[] = [];
    const recovering = await createFrameRestorer(lost.network, layout, colour, {
      ...options,
      warn: (code) => codes.push(code),
      recover: async () => ({ network: other.network, how: 'elsewhere' }),
    });
    expect((await recovering.restore(frame)).every((code) => code === 200)).toBe(true);
    expect((await recovering.restore(frame)).every((code) => code === 200)).toBe(true);
    expect([lost.asked.length, other.asked.length, codes]).toEqual([1, 2, ['MAMBAIR_DEVICE_LOST']]);

    const stopped = takingCodes(1, () => new MambairError('MAMBAIR_CANCELLED', 'stopped'));
    const stopping = await createFrameRestorer(stopped.network, layout, colour, options);
    await expect(stopping.restore(frame)).rejects.toMatchObject({ code: 'MAMBAIR_CANCELLED' });
  });
});

describeWithGpu('a frame as codes on the GPU', () => {
  it(
    'is within one code of what the long way makes of it',
    async () => {
      const graph = new GraphBuilder();
      const image = graph.input('input', { channels: 3, multiple: 8 });
      const darker = graph.affine('darker', image, { scale: [0.9, 0.8, 0.95], offset: [0.02, 0.1, 0] });
      const executor = await openGpu();
      const network = await executor.load(graph.finish(graph.upsampleNearest('larger', darker, 2)), new Map());
      const long: Network = {
        scale: 2,
        inputChannels: 3,
        outputChannels: 3,
        plan: (height, width) => network.plan(height, width),
        run: (input, how) => network.run(input, how),
        dispose: async () => undefined,
      };
      for (const name of ['yuv420p', 'yuv422p10le', 'rgb24', 'gbrp16le']) {
        const layout = frameLayout(pixelFormat(name), 37, 21);
        const frame = new Uint8Array(layout.bytes);
        const codes = layout.bytesPerSample === 1 ? frame : new Uint16Array(frame.buffer);
        codes.forEach((_, at) => (codes[at] = (at * 7919) % 2 ** layout.format.depth));
        const [short, other] = [
          await (await createFrameRestorer(network, layout, colour, options)).restore(frame),
          await (await createFrameRestorer(long, layout, colour, options)).restore(frame),
        ];
        const samples = (bytes: Uint8Array) => (layout.bytesPerSample === 1 ? bytes : new Uint16Array(bytes.buffer));
        const [a, b] = [samples(short), samples(other)];
        expect(a.length).toBe(b.length);
        expect(a.every((code, at) => Math.abs(code - (b[at] as number)) <= 1)).toBe(true);
      }
      await executor.dispose();
    },
    gpuTestMs,
  );
});

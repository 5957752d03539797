import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { recognise } from '../../core/architectures/architectures.js';
import { type ErrorCode, isMambairError } from '../../core/errors.js';
import type { Executor, Network, Routing, RunOptions } from '../../core/executors/executor.js';
import { seededNoise } from '../../core/routing/noise.js';
import type { Tensor } from '../../core/tensor/tensor.js';
import { relativeDistance } from '../golden/golden-cases.js';
import { randomCheckpoint, randomImage, smallConfig } from '../random-network.js';

const block = 'layers.0.residual_group.layers.0';
const argmax: RunOptions = { routing: { kind: 'argmax' } };

/** The code of the error that a promise or call fails with, or 'none'. */
async function codeOf(act: () => unknown): Promise<ErrorCode | 'none'> {
  try {
    await act();
    return 'none';
  } catch (error) {
    if (isMambairError(error)) {
      return error.code;
    }
    throw error;
  }
}

/**
 * What every executor must do, whatever it computes with. `bound` is the relative distance within which equal
 * calculations in another arrangement (batch, padding) must agree.
 */
export function describeExecutor(name: string, create: () => Promise<Executor>, bound: number): void {
  describe(`${name} executor`, () => {
    const tensors = randomCheckpoint(smallConfig, 1);
    const { graph } = recognise(tensors);
    let executor: Executor;
    let network: Network;
    beforeAll(async () => {
      executor = await create();
      network = await executor.load(graph, tensors);
    });
    afterAll(async () => {
      await executor.dispose();
    });
    const run = (input: Tensor, options = argmax) => network.run(input, options);

    it('says what it is and what the network is', () => {
      expect(executor.description).not.toBe('');
      expect(network).toMatchObject({ scale: 2, inputChannels: 3, outputChannels: 3 });
    });

    it.each([
      [1, 1],
      [1, 9],
      [3, 2],
      [4, 4],
      [13, 6],
    ])('runs on %i × %i pixels', async (height, width) => {
      const { output } = await run(randomImage([1, 3, height, width], 2));
      expect(output.shape).toEqual([1, 3, 2 * height, 2 * width]);
      expect(output.data.every((value) => Number.isFinite(value))).toBe(true);
    });

    it('gives every item of a batch what it gives it alone', async () => {
      const both = randomImage([2, 3, 5, 7], 3);
      const half = both.data.length / 2;
      const options: RunOptions = { routing: { kind: 'seeded', seed: 9 } };
      const together = (await run(both, options)).output.data;
      const alone = await Promise.all(
        [0, 1].map((item) =>
          run({ shape: [1, 3, 5, 7], data: both.data.slice(item * half, (item + 1) * half) }, options),
        ),
      );
      const outputs = alone.flatMap(({ output }) => [...output.data]);
      expect(relativeDistance(together, outputs)).toBeLessThanOrEqual(bound);
    });

    it('gives the same bytes every time', async () => {
      const input = randomImage([1, 3, 9, 6], 4);
      const runs = await Promise.all([run(input), run(input)]);
      // What comes from another process may be a view on the message that brought it.
      const [first, second] = runs.map(({ output: { data } }) =>
        Buffer.from(data.buffer, data.byteOffset, data.byteLength),
      );
      expect(first?.equals(second as Buffer)).toBe(true);
    });

    it('pads by mirroring at the bottom and right', async () => {
      const small = randomImage([1, 3, 3, 2], 5);
      const padded = Float32Array.from({ length: 3 * 4 * 4 }, (_, index) => {
        const [channel, y, x] = [index >> 4, (index >> 2) & 3, index & 3];
        const [mirroredY, mirroredX] = [y < 3 ? y : 5 - y, x < 2 ? x : 3 - x];
        return small.data[(channel * 3 + mirroredY) * 2 + mirroredX] as number;
      });
      const { output } = await run(small);
      const whole = (await run({ shape: [1, 3, 4, 4], data: padded })).output;
      const cropped = Float32Array.from({ length: output.data.length }, (_, index) => {
        const [channel, y, x] = [Math.floor(index / 24), Math.floor(index / 4) % 6, index % 4];
        return whole.data[(channel * 8 + y) * 8 + x] as number;
      });
      expect(relativeDistance(output.data, cropped)).toBeLessThanOrEqual(bound);
    });

    describe('routing', () => {
      const image = randomImage([1, 3, 8, 8], 6);
      const classNodes = graph.routes.map((id) => graph.nodes[id]?.name ?? '');
      const classesUnder = async (routing: Routing): Promise<Int32Array[]> => {
        const { taps } = await run(image, { routing, taps: classNodes });
        return classNodes.map((node) => Int32Array.from(taps.get(node)?.data ?? []));
      };

      it('by seed equals the replay of the seed’s noise', async () => {
        const noise = [0, 1].map((number) => {
          const region = { originX: 20, originY: 30, width: 8, height: 8, tokens: smallConfig.numTokens };
          return Float32Array.from(seededNoise({ ...region, seed: 7, block: number }));
        });
        const seeded = await classesUnder({ kind: 'seeded', seed: 7, originX: 20, originY: 30 });
        expect(seeded).toEqual(await classesUnder({ kind: 'replay', noise }));
        expect(seeded).not.toEqual(await classesUnder({ kind: 'seeded', seed: 8, originX: 20, originY: 30 }));
        expect(seeded).not.toEqual(await classesUnder({ kind: 'seeded', seed: 7 }));
      });

      it('by argmax equals no noise', async () => {
        const noise = [0, 1].map(() => new Float32Array(64 * smallConfig.numTokens));
        expect(await classesUnder({ kind: 'argmax' })).toEqual(await classesUnder({ kind: 'replay', noise }));
      });

      it('takes forced classes', async () => {
        const classes = [0, 1].map((number) => Int32Array.from({ length: 64 }, (_, pixel) => (pixel * 3 + number) % 5));
        expect(await classesUnder({ kind: 'forced', classes })).toEqual(classes);
      });

      it.each<[string, Routing, ErrorCode]>([
        ['too few blocks of noise', { kind: 'replay', noise: [new Float32Array(320)] }, 'MAMBAIR_SHAPE_MISMATCH'],
        [
          'noise of another size',
          { kind: 'replay', noise: [new Float32Array(320), new Float32Array(3)] },
          'MAMBAIR_SHAPE_MISMATCH',
        ],
        [
          'classes of another size',
          { kind: 'forced', classes: [new Int32Array(64), new Int32Array(63)] },
          'MAMBAIR_SHAPE_MISMATCH',
        ],
        [
          'classes out of range',
          { kind: 'forced', classes: [new Int32Array(64), new Int32Array(64).fill(5)] },
          'MAMBAIR_SHAPE_MISMATCH',
        ],
        [
          'a negative class',
          { kind: 'forced', classes: [new Int32Array(64).fill(-1), new Int32Array(64)] },
          'MAMBAIR_SHAPE_MISMATCH',
        ],
        ['a seed that is no uint32', { kind: 'seeded', seed: 2 ** 32 }, 'MAMBAIR_OPTION_INVALID'],
        ['a broken origin', { kind: 'seeded', seed: 1, originX: 0.5 }, 'MAMBAIR_OPTION_INVALID'],
      ])('refuses %s', async (_, routing, code) => {
        expect(await codeOf(() => run(image, { routing }))).toBe(code);
      });
    });

    it('returns inner values by name, batch first, padded', async () => {
      const { taps } = await run(randomImage([2, 3, 5, 7], 7), {
        ...argmax,
        taps: [block, `${block}.assm.order`, 'output'],
      });
      expect(taps.get(block)?.shape).toEqual([2, 8, 8, 8]);
      expect(taps.get('output')?.shape).toEqual([2, 16, 16, 3]);
      const order = taps.get(`${block}.assm.order`);
      expect(order?.shape).toEqual([2, 8, 8, 1]);
      const permutation = [...(order?.data.slice(64) ?? [])].sort((a, b) => a - b);
      expect(permutation).toEqual(Array.from({ length: 64 }, (_, pixel) => pixel));
    });

    it('refuses an inner value that is not there', async () => {
      const options = { ...argmax, taps: ['layers.7'] };
      expect(await codeOf(() => run(randomImage([1, 3, 4, 4], 8), options))).toBe('MAMBAIR_OPTION_INVALID');
    });

    it.each<[string, Tensor]>([
      ['another number of channels', { shape: [1, 1, 4, 4], data: new Float32Array(16) }],
      ['no batch axis', { shape: [3, 4, 4], data: new Float32Array(48) }],
      ['no pixels', { shape: [1, 3, 0, 4], data: new Float32Array(0) }],
      ['an empty batch', { shape: [0, 3, 4, 4], data: new Float32Array(0) }],
      ['less data than its shape', { shape: [1, 3, 4, 4], data: new Float32Array(47) }],
      ['a broken size', { shape: [1, 3, 4, 0.5], data: new Float32Array(6) }],
    ])('refuses an input of %s', async (_, input) => {
      expect(await codeOf(() => run(input))).toBe('MAMBAIR_SHAPE_MISMATCH');
    });

    it('stops when cancelled, before and during a run, and goes on afterwards', async () => {
      const input = randomImage([1, 3, 200, 200], 9);
      const before = AbortSignal.abort();
      expect(await codeOf(() => run(input, { ...argmax, signal: before }))).toBe('MAMBAIR_CANCELLED');
      const during = new AbortController();
      const running = codeOf(() => run(input, { ...argmax, signal: during.signal }));
      setTimeout(() => during.abort(), 1);
      expect(await running).toBe('MAMBAIR_CANCELLED');
      expect((await run(randomImage([1, 3, 4, 4], 10))).output.shape).toEqual([1, 3, 8, 8]);
    });

    it('tells its progress, up to the end', async () => {
      const seen: [number, number][] = [];
      await run(randomImage([2, 3, 8, 8], 11), { ...argmax, progress: (done, total) => seen.push([done, total]) });
      const total = seen.at(-1)?.[1] ?? 0;
      expect(seen.at(-1)).toEqual([total, total]);
      const steps = seen.map(([done]) => done);
      expect(steps).toEqual([...steps].sort((a, b) => a - b));
    });

    it('plans memory that grows with the image and refuses what is past its limit', async () => {
      const [small, large] = [network.plan(8, 8), network.plan(64, 64)];
      expect(small.weightBytes).toBe(large.weightBytes);
      expect(large.activationBytes).toBeGreaterThan(small.activationBytes);
      expect(large.totalBytes).toBeGreaterThanOrEqual(large.weightBytes + large.activationBytes);
      expect(network.plan(2 ** 20, 2 ** 20).totalBytes).toBeGreaterThan(small.limitBytes);
    });

    it('refuses weights that do not fit the graph', async () => {
      const broken = new Map(tensors);
      broken.delete('norm.weight');
      expect(await codeOf(() => executor.load(graph, broken))).toBe('MAMBAIR_SHAPE_MISMATCH');
    });

    it('refuses work after disposal, of a network and of itself, twice without harm', async () => {
      const input = randomImage([1, 3, 4, 4], 12);
      const own = await create();
      const [first, second] = [await own.load(graph, tensors), await own.load(graph, tensors)];
      await first.dispose();
      await first.dispose();
      expect(await codeOf(() => first.run(input, argmax))).toBe('MAMBAIR_DISPOSED');
      expect(await codeOf(() => first.plan(4, 4))).toBe('MAMBAIR_DISPOSED');
      expect(await codeOf(() => second.run(input, argmax))).toBe('none');
      await own.dispose();
      await own.dispose();
      expect(await codeOf(() => second.run(input, argmax))).toBe('MAMBAIR_DISPOSED');
      expect(await codeOf(() => own.load(graph, tensors))).toBe('MAMBAIR_DISPOSED');
    });
  });
}

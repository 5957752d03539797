import { describe, expect, it } from '@jest/globals';
import type { FakeNetwork } from '../../test/fake-networks.js';
import { fakeNetwork, mapPixels, repeatNetwork, tightNetwork } from '../../test/fake-networks.js';
import { type ErrorCode, MambairError } from '../errors.js';
import type { Network } from '../executors/executor.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Recovered, RestoreOptions } from './options.js';
import { restoreTensor } from './restore-tensor.js';

function picture(height: number, width: number): Tensor {
  const data = Float32Array.from({ length: 3 * height * width }, (_, i) => ((i * 7919) % 256) / 255);
  return { shape: [1, 3, height, width], data };
}

/** Collects warnings by code. */
function warnings(): { readonly codes: string[]; readonly warn: (code: string) => void } {
  const codes: string[] = [];
  return { codes, warn: (code) => codes.push(code) };
}

const brokenNetwork = (): FakeNetwork =>
  fakeNetwork({
    compute: (input) => {
      const output = mapPixels(input, 1, (pixel) => pixel);
      output.data[7] = Number.NaN;
      return output;
    },
  });

const lostNetwork = (): FakeNetwork =>
  fakeNetwork({
    compute: () => {
      throw new MambairError('MAMBAIR_DEVICE_LOST', 'the device was lost');
    },
  });

const options = { tile: 'whole', routing: 'seeded' } as const;

describe('out of memory', () => {
  it('goes on with smaller tiles, gives the same picture, and says so once per halving', async () => {
    const network = tightNetwork(40, { scale: 2 });
    const { codes, warn } = warnings();
    const input = picture(100, 150);
    const output = await restoreTensor(network, input, { ...options, warn });
    expect(output).toEqual(mapPixels(input, 2, (pixel) => pixel));
    // 150, 64, 32
    expect(codes).toEqual(['MAMBAIR_OUT_OF_MEMORY', 'MAMBAIR_OUT_OF_MEMORY']);
  });

  it('remembers the size that fits for the tiles after', async () => {
    const network = tightNetwork(70);
    await restoreTensor(network, picture(128, 256), { ...options, tile: 128, overlap: 16 });
    const sides = network.runs.map(({ input }) => Math.max(...input.shape.slice(2)));
    expect(sides[0]).toBe(128);
    expect(sides.slice(1).every((side) => side <= 64)).toBe(true);
  });

  it('keeps the place in the picture for seeded routing', async () => {
    const network = tightNetwork(100);
    await restoreTensor(network, picture(64, 160), options);
    const origins = network.runs.slice(1).map(({ options: { routing } }) => routing);
    expect(origins).toEqual([0, 32, 80].map((originX) => ({ kind: 'seeded', seed: 0, originX, originY: 0 })));
  });

  it('gives up below the smallest tile', async () => {
    const result = restoreTensor(tightNetwork(20), picture(100, 100), options);
    await expect(result).rejects.toMatchObject({ code: 'MAMBAIR_OUT_OF_MEMORY' });
  });
});

/** Answers with these networks, one after the other; remembers what it was asked. */
function recovery(...networks: readonly Network[]) {
  const codes: ErrorCode[] = [];
  const recover: NonNullable<RestoreOptions['recover']> = (_, code) => {
    const network = networks[codes.length];
    codes.push(code);
    return Promise.resolve(network && { network, how: 'elsewhere' });
  };
  return { codes, recover };
}

describe('out of memory with the smallest tile', () => {
  it('moves to another network, and tries whole tiles there', async () => {
    const other = repeatNetwork();
    const { codes, warn } = warnings();
    const { recover } = recovery(other);
    const input = picture(64, 64);
    expect(await restoreTensor(tightNetwork(20), input, { ...options, warn, recover })).toEqual(input);
    // 64, 32, elsewhere
    expect(codes).toEqual(['MAMBAIR_OUT_OF_MEMORY', 'MAMBAIR_OUT_OF_MEMORY']);
  });

  it('is remembered for the next picture of the same network', async () => {
    const network = tightNetwork(70);
    const { codes, warn } = warnings();
    await restoreTensor(network, picture(100, 100), { ...options, warn });
    const first = network.runs.length;
    await restoreTensor(network, picture(100, 100), { ...options, warn });
    expect(codes).toEqual(['MAMBAIR_OUT_OF_MEMORY']);
    expect(network.runs.slice(first).every(({ input }) => Math.max(...input.shape) <= 70)).toBe(true);
  });
});

describe('a result that is not finite', () => {
  it('runs the tile again on the network that is found', async () => {
    const other = repeatNetwork();
    const { codes, warn } = warnings();
    const input = picture(10, 12);
    const { recover } = recovery(other);
    expect(await restoreTensor(brokenNetwork(), input, { ...options, warn, recover })).toEqual(input);
    expect(codes).toEqual(['MAMBAIR_NOT_FINITE']);
    expect(other.runs).toHaveLength(1);
    // Found for a whole model, and not this picture's to free.
    expect(other.isDisposed).toBe(false);
  });

  it('is an error when nothing helps', async () => {
    const refusal = { code: 'MAMBAIR_NOT_FINITE' };
    await expect(restoreTensor(brokenNetwork(), picture(4, 4), options)).rejects.toMatchObject(refusal);
    const { codes, recover } = recovery(brokenNetwork(), brokenNetwork());
    const again = restoreTensor(brokenNetwork(), picture(4, 4), { ...options, recover });
    await expect(again).rejects.toMatchObject(refusal);
    expect(codes).toHaveLength(3);
  });
});

describe('a lost device', () => {
  it('moves everything to the network that is found', async () => {
    const lost = lostNetwork();
    const { codes, warn } = warnings();
    const input = picture(40, 100);
    const { recover, codes: asked } = recovery(repeatNetwork());
    expect(await restoreTensor(lost, input, { ...options, tile: 48, warn, recover })).toEqual(input);
    expect([lost.runs.length, asked, codes]).toEqual([1, ['MAMBAIR_DEVICE_LOST'], ['MAMBAIR_DEVICE_LOST']]);
  });

  it('is told once by those who meet it together', async () => {
    const { codes, warn } = warnings();
    const input = picture(8, 8);
    const recover = (): Promise<Recovered> => Promise.resolve({ network: repeatNetwork() });
    expect(await restoreTensor(lostNetwork(), input, { ...options, warn, recover })).toEqual(input);
    expect(codes).toEqual([]);
  });

  it('is an error when nothing helps', async () => {
    await expect(restoreTensor(lostNetwork(), picture(4, 4), options)).rejects.toMatchObject({
      code: 'MAMBAIR_DEVICE_LOST',
    });
  });

  it('reports why no other network could be made', async () => {
    const recover = (): Promise<Recovered> =>
      Promise.reject(new MambairError('MAMBAIR_DEVICE_UNAVAILABLE', 'no other device'));
    await expect(restoreTensor(lostNetwork(), picture(4, 4), { ...options, recover })).rejects.toMatchObject({
      code: 'MAMBAIR_DEVICE_UNAVAILABLE',
    });
  });
});

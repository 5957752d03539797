import { describe, expect, it } from '@jest/globals';
import type { FakeNetwork } from '../../test/fake-networks.js';
import { fakeNetwork, mapPixels, repeatNetwork, tightNetwork } from '../../test/fake-networks.js';
import { MambairError } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
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

describe('a result that is not finite', () => {
  it('runs the tile again on the fallback network, which is disposed', async () => {
    const fallback = repeatNetwork();
    const { codes, warn } = warnings();
    const input = picture(10, 12);
    const output = await restoreTensor(brokenNetwork(), input, {
      ...options,
      warn,
      fallback: () => Promise.resolve(fallback),
    });
    expect(output).toEqual(input);
    expect(codes).toEqual(['MAMBAIR_NOT_FINITE']);
    expect(fallback.runs).toHaveLength(1);
    expect(fallback.isDisposed).toBe(true);
  });

  it('is an error without a fallback, and when the fallback gives one too', async () => {
    const refusal = { code: 'MAMBAIR_NOT_FINITE' };
    await expect(restoreTensor(brokenNetwork(), picture(4, 4), options)).rejects.toMatchObject(refusal);
    const fallback = (): Promise<FakeNetwork> => Promise.resolve(brokenNetwork());
    await expect(restoreTensor(brokenNetwork(), picture(4, 4), { ...options, fallback })).rejects.toMatchObject(
      refusal,
    );
  });
});

describe('a lost device', () => {
  it('moves everything to the fallback network, made once', async () => {
    const lost = lostNetwork();
    const fallback = repeatNetwork();
    const { codes, warn } = warnings();
    let made = 0;
    const input = picture(40, 100);
    const output = await restoreTensor(lost, input, {
      ...options,
      tile: 48,
      warn,
      fallback: () => {
        made += 1;
        return Promise.resolve(fallback);
      },
    });
    expect(output).toEqual(input);
    expect([lost.runs.length, made, codes]).toEqual([1, 1, ['MAMBAIR_DEVICE_LOST']]);
  });

  it('is an error without a fallback', async () => {
    await expect(restoreTensor(lostNetwork(), picture(4, 4), options)).rejects.toMatchObject({
      code: 'MAMBAIR_DEVICE_LOST',
    });
  });

  it('reports why a fallback could not be made', async () => {
    const fallback = (): Promise<FakeNetwork> =>
      Promise.reject(new MambairError('MAMBAIR_DEVICE_UNAVAILABLE', 'no other device'));
    await expect(restoreTensor(lostNetwork(), picture(4, 4), { ...options, fallback })).rejects.toMatchObject({
      code: 'MAMBAIR_DEVICE_UNAVAILABLE',
    });
  });
});

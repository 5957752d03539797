import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { FakeNetwork } from '../../test/fake-networks.js';
import { fakeNetwork, mapPixels, repeatNetwork } from '../../test/fake-networks.js';
import { MambairError } from '../errors.js';
import type { PixelImage } from '../image/pixels.js';
import type { RestoreOptions } from './options.js';
import { restoreImage } from './restore-image.js';

const whole: RestoreOptions = { tile: 'whole', routing: 'seeded' };
const tiles: RestoreOptions = { tile: 32, overlap: 8, routing: 'seeded' };

type Channels = PixelImage['channels'];

function image(width: number, height: number, channels: Channels, data: PixelImage['data']): PixelImage {
  return { width, height, channels, data };
}

/** Every pixel repeated, by the definition. */
function repeated({ width, height, channels, data }: PixelImage, scale: number): PixelImage {
  const result = new (data.constructor as Uint8ArrayConstructor)(data.length * scale * scale);
  for (let i = 0; i < result.length; i += 1) {
    const c = i % channels;
    const x = Math.floor(i / channels) % (width * scale);
    const y = Math.floor(i / channels / (width * scale));
    result[i] = data[(Math.floor(y / scale) * width + Math.floor(x / scale)) * channels + c]!;
  }
  return image(width * scale, height * scale, channels, result);
}

const anyImage = fc
  .record({
    width: fc.integer({ min: 1, max: 70 }),
    height: fc.integer({ min: 1, max: 70 }),
    channels: fc.constantFrom<Channels>(1, 2, 3, 4),
    isDeep: fc.boolean(),
    seed: fc.integer({ min: 1, max: 10_000 }),
  })
  .map(({ width, height, channels, isDeep, seed }) => {
    const data = new (isDeep ? Uint16Array : Uint8Array)(width * height * channels);
    let state = seed;
    for (let i = 0; i < data.length; i += 1) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      data[i] = state >>> 16;
    }
    return image(width, height, channels, data);
  });

describe('a network that changes nothing', () => {
  it.each([
    ['RGB', 3],
    ['gray', 1],
  ] as const)('gives back every sample of any depth, channels and tiles (%s network)', async (_, channels) => {
    await fc.assert(
      fc.asyncProperty(anyImage, fc.constantFrom(whole, tiles), async (input, options) => {
        const output = await restoreImage(repeatNetwork({ channels }), input, options);
        expect(Buffer.compare(Buffer.from(output.data.buffer), Buffer.from(input.data.buffer))).toBe(0);
        expect(output).toMatchObject({ width: input.width, height: input.height, channels: input.channels });
      }),
      { seed: 1, numRuns: 40 },
    );
  });

  it('repeats every sample at ×2, colours under full transparency aside', async () => {
    await fc.assert(
      fc.asyncProperty(anyImage, fc.constantFrom(1, 3), async (source, channels) => {
        const hasAlpha = source.channels % 2 === 0;
        const visible = source.data.map((value, i) =>
          hasAlpha && i % source.channels === source.channels - 1 ? Math.max(1, value) : value,
        ) as PixelImage['data'];
        const input = { ...source, data: visible };
        const output = await restoreImage(repeatNetwork({ channels, scale: 2 }), input, tiles);
        const expected = repeated(input, 2);
        expect(output.width).toBe(expected.width);
        expect(Buffer.compare(Buffer.from(output.data.buffer), Buffer.from(expected.data.buffer))).toBe(0);
      }),
      { seed: 1, numRuns: 40 },
    );
  });

  it('gives back float samples, clamped to [0, 1]', async () => {
    const input = image(2, 1, 1, Float32Array.of(0.123456, 1.5));
    const output = await restoreImage(repeatNetwork(), input, whole);
    expect(output.data).toEqual(Float32Array.of(0.123456, 1));
  });
});

describe('gray and colour', () => {
  const halve = (channels: number, scale = 1): FakeNetwork =>
    fakeNetwork({ channels, scale, compute: (input) => mapPixels(input, scale, (pixel) => pixel / 2) });

  it('keeps gray gray through an RGB network, as the mean of its channels', async () => {
    const network = fakeNetwork({
      compute: ({ shape, data }) => ({ shape, data: data.map((value, i) => value * (i < 4 ? 1 : i < 8 ? 0.5 : 0)) }),
    });
    const output = await restoreImage(network, image(2, 2, 1, Uint8Array.of(0, 50, 100, 200)), whole);
    expect(output).toEqual(image(2, 2, 1, Uint8Array.of(0, 25, 50, 100)));
  });

  it('moves only the luma of colour through a gray network at ×1', async () => {
    const input = image(1, 1, 3, Uint8Array.of(200, 150, 100));
    const output = await restoreImage(halve(1), input, whole);
    const change = (0.299 * 200 + 0.587 * 150 + 0.114 * 100) / 2;
    expect(Array.from(output.data)).toEqual([200, 150, 100].map((value) => Math.round(value - change)));
  });

  it('upscales each channel of colour through a gray network', async () => {
    const output = await restoreImage(halve(1, 2), image(1, 1, 3, Uint8Array.of(200, 150, 100)), whole);
    expect(Array.from(output.data.subarray(0, 3))).toEqual([100, 75, 50]);
  });
});

describe('alpha', () => {
  /** Reaches over edges, as every network does: the mean of nine pixels across. */
  const blur = (): FakeNetwork =>
    fakeNetwork({
      scale: 2,
      compute: ({ shape, data }) => {
        const width = shape[3]!;
        const blurred = data.map((_, i) => {
          const x = i % width;
          let sum = 0;
          for (let k = x - 4; k <= x + 4; k += 1) {
            sum += data[i - x + Math.min(width - 1, Math.max(0, k))]!;
          }
          return sum / 9;
        });
        return mapPixels({ shape, data: blurred }, 2, (pixel) => pixel);
      },
    });

  /** A white disc on black that full transparency hides, with a soft edge. */
  const disc = (): PixelImage => {
    const data = new Uint8Array(80 * 80 * 4);
    for (let i = 0; i < 80 * 80; i += 1) {
      const distance = Math.hypot((i % 80) - 40, Math.floor(i / 80) - 40);
      const alpha = Math.round(255 * Math.min(1, Math.max(0, 25 - distance)));
      data.set(alpha === 0 ? [0, 0, 0, 0] : [250, 250, 250, alpha], 4 * i);
    }
    return image(80, 80, 4, data);
  };

  it.each([
    ['whole', whole],
    ['tiles', tiles],
  ])('bleeds no hidden colour into the edge (%s)', async (_, options) => {
    const output = await restoreImage(blur(), disc(), options);
    const dark = output.data.filter((value, i) => i % 4 === 0 && output.data[i + 3] !== 0 && value < 249);
    expect(dark).toHaveLength(0);
  });

  it('keeps opaque areas opaque and empty areas empty', async () => {
    const input = disc();
    const output = await restoreImage(blur(), input, tiles);
    const wrong: number[] = [];
    for (let i = 0; i < 160 * 160; i += 1) {
      const distance = Math.hypot(Math.floor((i % 160) / 2) - 40, Math.floor(i / 320) - 40);
      const alpha = output.data[4 * i + 3]!;
      if ((distance < 22 && alpha !== 255) || (distance > 27 && alpha !== 0)) {
        wrong.push(i);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('does not run the network for alpha that is opaque, nor for a tile that is empty', async () => {
    const opaque = image(8, 8, 4, new Uint8Array(256).fill(255));
    const network = repeatNetwork({ scale: 2 });
    const output = await restoreImage(network, opaque, whole);
    expect([network.runs.length, output.data.every((value) => value === 255)]).toEqual([1, true]);
    const empty = image(8, 8, 4, new Uint8Array(256));
    expect((await restoreImage(network, empty, whole)).data.every((value) => value === 0)).toBe(true);
    expect(network.runs).toHaveLength(1);
  });

  it('keeps alpha, and what it hides, exactly at ×1', async () => {
    const darken = fakeNetwork({ compute: (input) => mapPixels(input, 1, (pixel) => pixel / 2) });
    const input = image(3, 1, 4, Uint8Array.of(100, 100, 100, 9, 80, 60, 40, 0, 100, 100, 100, 255));
    const output = await restoreImage(darken, input, whole);
    expect(Array.from(output.data)).toEqual([50, 50, 50, 9, 80, 60, 40, 0, 50, 50, 50, 255]);
  });
});

describe('rows and tiles', () => {
  it('hands finished rows to the sink from top to bottom, each once', async () => {
    const input = image(
      50,
      100,
      3,
      Uint8Array.from({ length: 15_000 }, (_, i) => i % 251),
    );
    const collected: number[] = [];
    const heights: number[] = [];
    await restoreImage(repeatNetwork({ scale: 2 }), input, tiles, {
      write(rows) {
        expect(rows).toMatchObject({ width: 100, channels: 3 });
        heights.push(rows.height);
        collected.push(...rows.data);
        return Promise.resolve();
      },
    });
    expect(heights.length).toBeGreaterThan(2);
    expect(collected).toEqual(Array.from(repeated(input, 2).data));
  });

  it('never keeps more than a row of tiles waiting', async () => {
    let written = 0;
    let longestWait = 0;
    const network = fakeNetwork({
      channels: 1,
      compute: (input, { routing }) => {
        const { originY = 0 } = routing as { originY?: number };
        longestWait = Math.max(longestWait, originY + input.shape[2]! - written);
        return input;
      },
    });
    await restoreImage(network, image(80, 320, 1, new Uint8Array(25_600)), tiles, {
      write(rows) {
        written += rows.height;
        return Promise.resolve();
      },
    });
    expect([written, longestWait]).toEqual([320, 32]);
  });

  it('shows no seam in a smooth picture', async () => {
    const sharpen = fakeNetwork({
      channels: 1,
      compute: (input) => mapPixels(input, 1, (pixel, y, x) => pixel + ((x + y) % 2 === 0 ? 1e-4 : -1e-4)),
    });
    const data = Uint16Array.from({ length: 10_000 }, (_, i) => 20_000 + 100 * (i % 100) + 50 * Math.floor(i / 100));
    const output = await restoreImage(sharpen, image(100, 100, 1, data), tiles);
    expect(output.data.filter((value, i) => Math.abs(value - data[i]!) > 8)).toHaveLength(0);
  });

  it('passes on what the sink throws', async () => {
    const write = (): Promise<void> => Promise.reject(new MambairError('MAMBAIR_FILE_WRITE', 'disk full'));
    const result = restoreImage(repeatNetwork(), image(1, 1, 1, new Uint8Array(1)), whole, { write });
    await expect(result).rejects.toMatchObject({ code: 'MAMBAIR_FILE_WRITE' });
  });
});

describe('cancelling', () => {
  it('stops within a tile, because the network gets the signal, and writes nothing more', async () => {
    const controller = new AbortController();
    const slow = fakeNetwork({
      compute: (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(new MambairError('MAMBAIR_CANCELLED', 'stopped')));
          setImmediate(() => controller.abort());
        }),
    });
    const written: PixelImage[] = [];
    const result = restoreImage(
      slow,
      image(100, 100, 1, new Uint8Array(10_000)),
      { ...tiles, signal: controller.signal },
      {
        write: (rows) => {
          written.push(rows);
          return Promise.resolve();
        },
      },
    );
    await expect(result).rejects.toMatchObject({ code: 'MAMBAIR_CANCELLED' });
    expect([slow.runs.length, written.length]).toEqual([1, 0]);
  });

  it('stops between tiles', async () => {
    const controller = new AbortController();
    const network = repeatNetwork();
    const progress = (): void => controller.abort();
    const options = { ...tiles, signal: controller.signal, progress };
    const result = restoreImage(network, image(100, 100, 3, new Uint8Array(30_000)), options);
    await expect(result).rejects.toMatchObject({ code: 'MAMBAIR_CANCELLED' });
    expect(network.runs).toHaveLength(1);
  });
});

describe('bad input', () => {
  it.each([
    ['no pixels', image(0, 4, 1, new Uint8Array(0))],
    ['too few samples', image(2, 2, 3, new Uint8Array(11))],
    ['five channels', image(1, 1, 5 as Channels, new Uint8Array(5))],
  ])('refuses %s', async (_, input) => {
    await expect(restoreImage(repeatNetwork(), input, whole)).rejects.toMatchObject({ code: 'MAMBAIR_SHAPE_MISMATCH' });
  });

  it('refuses float samples that are not finite', async () => {
    const input = image(1, 1, 1, Float32Array.of(Number.NaN));
    await expect(restoreImage(repeatNetwork(), input, whole)).rejects.toMatchObject({ code: 'MAMBAIR_NOT_FINITE' });
  });

  it('refuses a result that no array holds', async () => {
    const network = repeatNetwork({ channels: 1, scale: 60_000 });
    const result = restoreImage(network, image(4, 4, 1, new Uint8Array(16)), whole);
    await expect(result).rejects.toMatchObject({ code: 'MAMBAIR_OUT_OF_MEMORY' });
  });
});

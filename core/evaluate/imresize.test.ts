import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readFileSync, readdirSync } from 'node:fs';
import { goldenTensor, readGoldenTensors } from '../../test/golden-tensors.js';
import { describeWithShared, sharedPath } from '../../test/shared.js';
import { readBenchmarkImage } from '../image/benchmark-image.js';
import type { PixelImage } from '../image/pixels.js';
import { imresize } from './imresize.js';
import { downscale } from './protocol.js';

interface ResizeCase {
  readonly name: string;
  readonly file: string;
  readonly antialiasing: boolean;
  readonly outputs: readonly {
    readonly scale: string;
    readonly scale_value: number;
    readonly float_tensor: string;
    readonly matlab_uint8_tensor: string;
  }[];
}

function asImage(shape: readonly number[], data: PixelImage['data']): PixelImage {
  return { height: shape[0]!, width: shape[1]!, channels: (shape[2] ?? 1) as 1 | 3, data };
}

describeWithShared('imresize on the golden cases', ['golden/imresize'], () => {
  const folder = sharedPath('golden/imresize')!;
  const { cases } = JSON.parse(readFileSync(`${folder}/imresize.json`, 'utf8')) as { cases: ResizeCase[] };
  it.each(cases)('gives the values of $name', ({ file, antialiasing, outputs }) => {
    const tensors = readGoldenTensors(`${folder}/${file}`);
    const input = goldenTensor<Uint8Array>(tensors, 'input');
    const bytes = asImage(input.shape, input.data);
    const floats = asImage(
      input.shape,
      Float32Array.from(input.data, (value) => value / 255),
    );
    for (const output of outputs) {
      const float = imresize(floats, { scale: output.scale_value }, { antialiasing });
      const expected = goldenTensor<Float32Array>(tensors, output.float_tensor);
      expect(float).toMatchObject({ height: expected.shape[0], width: expected.shape[1] });
      expect(largestDifference(float.data, expected.data)).toBeLessThan(2e-6);

      const rounded = imresize(bytes, { scale: output.scale_value }, { antialiasing });
      const exact = goldenTensor<Uint8Array>(tensors, output.matlab_uint8_tensor).data;
      const different = exact.reduce((count, value, i) => count + (value === rounded.data[i] ? 0 : 1), 0);
      expect(largestDifference(rounded.data, exact)).toBeLessThanOrEqual(1);
      // the factors 0.7 and 1.5 meet exact ties, which the last bit of a float64 decides
      expect(different).toBeLessThanOrEqual(['0.7', '1.5'].includes(output.scale) ? 10 : 0);
    }
  });
});

describeWithShared('imresize on Set5', ['testsets/Set5'], () => {
  it.each([2, 3, 4])('makes the published low-resolution files of scale %i byte for byte', async (scale) => {
    const folder = sharedPath('testsets/Set5')!;
    for (const file of readdirSync(`${folder}/HR`)) {
      const low = await readBenchmarkImage(
        `${folder}/LRbicx${scale}/${file.replace('.png', `x${scale}.png`)}`,
        'colour',
      );
      const made = downscale(await readBenchmarkImage(`${folder}/HR/${file}`, 'colour'), scale);
      expect([file, made.width, made.height]).toEqual([file, low.width, low.height]);
      expect(Buffer.compare(made.data as Uint8Array, low.data as Uint8Array)).toBe(0);
    }
  });
});

function largestDifference(a: PixelImage['data'], b: PixelImage['data']): number {
  expect(a.length).toBe(b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i += 1) {
    largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  }
  return largest;
}

describe('imresize', () => {
  it('uses one factor per axis for a target size, and keeps 16-bit depth', () => {
    const image: PixelImage = { width: 6, height: 4, channels: 1, data: new Uint16Array(24).fill(40000) };
    const result = imresize(image, { width: 9, height: 2 });
    expect(result).toMatchObject({ width: 9, height: 2, channels: 1 });
    expect(result.data).toEqual(new Uint16Array(18).fill(40000));
  });

  it('resizes the axis of the smaller factor first', () => {
    // 1-pixel steps overshoot; the intermediate clamp is seen only by the second pass, so the order shows
    const data = Uint8Array.from({ length: 64 }, (_, i) => (((i >> 3) + i) % 2 === 0 || i % 5 === 0 ? 255 : 0));
    const image: PixelImage = { width: 8, height: 8, channels: 1, data };
    const transposed: PixelImage = { ...image, data: data.map((_, i) => data[(i % 8) * 8 + (i >> 3)]!) };
    const wide = imresize(image, { width: 16, height: 5 });
    const tall = imresize(transposed, { width: 5, height: 16 });
    expect(Array.from(tall.data)).toEqual(
      Array.from(tall.data, (_, i) => wide.data[(i % 5) * 16 + Math.floor(i / 5)]!),
    );
  });

  it('keeps a constant image constant at any size', () => {
    fc.assert(
      fc.property(
        fc.record({
          width: fc.integer({ min: 1, max: 12 }),
          height: fc.integer({ min: 1, max: 12 }),
          value: fc.integer({ min: 0, max: 255 }),
          to: fc.tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 30 })),
        }),
        ({ width, height, value, to }) => {
          const data = new Uint8Array(width * height * 3).fill(value);
          const result = imresize({ width, height, channels: 3, data }, { width: to[0], height: to[1] });
          return result.data.every((sample) => sample === value);
        },
      ),
      { seed: 1 },
    );
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses the factor %d', (scale) => {
    const image: PixelImage = { width: 2, height: 2, channels: 1, data: new Uint8Array(4) };
    expect(() => imresize(image, { scale })).toThrow(expect.objectContaining({ code: 'MAMBAIR_OPTION_INVALID' }));
  });

  it('refuses a result that no memory holds', () => {
    const image: PixelImage = { width: 2, height: 2, channels: 1, data: new Uint8Array(4) };
    expect(() => imresize(image, { scale: 1e6 })).toThrow(expect.objectContaining({ code: 'MAMBAIR_IMAGE_TOO_LARGE' }));
  });
});

import { describe, expect, it } from '@jest/globals';
import type { BenchmarkImage } from '../image/benchmark-image.js';
import type { PixelImage } from '../image/pixels.js';
import { imageToTensor } from '../restore/pixel-tensor.js';
import { benchmarkMode, cropTopLeft, downscale, prepareSample, scoreOutput } from './protocol.js';

function testImage(width: number, height: number, channels: 1 | 3): BenchmarkImage {
  const data = Uint8Array.from({ length: width * height * channels }, (_, i) => (i * 37) % 256);
  return { width, height, channels, data };
}

describe('benchmarkMode', () => {
  it('is gray for gray networks and for JPEG repair, else colour', () => {
    const encode = (gray: PixelImage): Promise<PixelImage> => Promise.resolve(gray);
    expect(benchmarkMode({ kind: 'jpeg', quality: 10, encode }, 1)).toBe('gray');
    expect(benchmarkMode({ kind: 'denoise', sigma: 15 }, 1)).toBe('gray');
    expect(benchmarkMode({ kind: 'upscale', scale: 2 }, 3)).toBe('colour');
  });
});

describe('prepareSample', () => {
  it('crops the reference to the low-resolution size times the scale', async () => {
    const hr = testImage(26, 32, 3);
    const { input, reference, cropBorder } = await prepareSample({ kind: 'upscale', scale: 3 }, hr);
    expect(input.shape).toEqual([1, 3, 10, 8]);
    expect(reference).toEqual(cropTopLeft(hr, 24, 30));
    expect(cropBorder).toBe(3);
  });

  it('takes a ready low-resolution image', async () => {
    const hr = testImage(24, 24, 3);
    const lr = downscale(hr, 2);
    const ready = await prepareSample({ kind: 'upscale', scale: 2 }, hr, lr);
    expect(ready).toEqual(await prepareSample({ kind: 'upscale', scale: 2 }, hr));
  });

  it('refuses a reference smaller than the input demands', async () => {
    const made = prepareSample({ kind: 'upscale', scale: 2 }, testImage(8, 8, 3), testImage(5, 4, 3));
    await expect(made).rejects.toMatchObject({ code: 'MAMBAIR_SHAPE_MISMATCH' });
  });

  it('refuses to reduce an image smaller than the scale', async () => {
    const made = prepareSample({ kind: 'upscale', scale: 4 }, testImage(3, 9, 3));
    await expect(made).rejects.toMatchObject({ code: 'MAMBAIR_OPTION_INVALID' });
  });

  it('adds noise over the whole image and crops nothing', async () => {
    const { input, cropBorder } = await prepareSample({ kind: 'denoise', sigma: 50 }, testImage(16, 16, 3));
    expect(input.shape).toEqual([1, 3, 16, 16]);
    expect(Math.min(...input.data)).toBeLessThan(0);
    expect(cropBorder).toBe(0);
  });

  it('gives the encoder the gray image and its quality, and compares gray with gray', async () => {
    const seen: unknown[] = [];
    const encode = (gray: PixelImage, quality: number): Promise<PixelImage> => {
      seen.push(gray.channels, quality);
      return Promise.resolve({ ...gray, data: gray.data.map((value) => value >> 1) as Uint8Array });
    };
    const sample = await prepareSample({ kind: 'jpeg', quality: 10, encode }, testImage(16, 12, 1));
    expect(seen).toEqual([1, 10]);
    expect(sample.input.shape).toEqual([1, 1, 12, 16]);
    expect(sample.reference.channels).toBe(1);
  });
});

describe('scoreOutput', () => {
  it('finds the reference itself identical', async () => {
    const sample = await prepareSample({ kind: 'denoise', sigma: 0 }, testImage(16, 16, 3));
    expect(scoreOutput(sample.input, sample)).toEqual({
      psnrRgb: Number.POSITIVE_INFINITY,
      psnrY: Number.POSITIVE_INFINITY,
      ssimRgb: 1,
      ssimY: 1,
    });
  });

  it('never scores a result that is not finite', () => {
    const reference = testImage(16, 16, 3);
    const output = imageToTensor(reference);
    output.data[5] = Number.NaN;
    expect(() => scoreOutput(output, { input: output, reference, cropBorder: 0 })).toThrow(
      expect.objectContaining({ code: 'MAMBAIR_NOT_FINITE' }),
    );
  });
});

import { describe, expect, it } from '@jest/globals';
import type { PixelImage } from '../image/pixels.js';
import { imageToTensor } from '../restore/pixel-tensor.js';
import { cropTopLeft, downscale, prepareSample, scoreOutput, toBenchmarkImage } from './protocol.js';

function colourImage(width: number, height: number): PixelImage {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 37) % 256);
  return { width, height, channels: 3, data };
}

describe('toBenchmarkImage', () => {
  it('takes the upper byte of 16 bit and ignores alpha', () => {
    const image: PixelImage = { width: 1, height: 1, channels: 4, data: Uint16Array.of(0x12ff, 0xff00, 0x00ff, 0) };
    expect(toBenchmarkImage(image, 3).data).toEqual(Uint8Array.of(0x12, 0xff, 0x00));
  });

  it('repeats gray to RGB, and back gives the same gray', () => {
    const gray: PixelImage = {
      width: 256,
      height: 1,
      channels: 1,
      data: Uint8Array.from({ length: 256 }, (_, i) => i),
    };
    expect(toBenchmarkImage(toBenchmarkImage(gray, 3), 1)).toEqual(gray);
  });

  it('makes gray by the full-range luma, rounded down', () => {
    const image: PixelImage = { width: 1, height: 1, channels: 3, data: Uint8Array.of(255, 100, 3) };
    expect(toBenchmarkImage(image, 1).data).toEqual(Uint8Array.of(Math.floor(0.299 * 255 + 0.587 * 100 + 0.114 * 3)));
  });

  it('refuses float images', () => {
    const image: PixelImage = { width: 1, height: 1, channels: 1, data: new Float32Array(1) };
    expect(() => toBenchmarkImage(image, 1)).toThrow(expect.objectContaining({ code: 'MAMBAIR_IMAGE_UNSUPPORTED' }));
  });
});

describe('prepareSample', () => {
  it('crops the reference to the low-resolution size times the scale', async () => {
    const hr = colourImage(26, 32);
    const { input, reference, cropBorder } = await prepareSample({ kind: 'upscale', scale: 3 }, hr, { channels: 3 });
    expect(input.shape).toEqual([1, 3, 10, 8]);
    expect(reference).toEqual(cropTopLeft(hr, 24, 30));
    expect(cropBorder).toBe(3);
  });

  it('takes a ready low-resolution image', async () => {
    const hr = colourImage(24, 24);
    const lr = downscale(hr, 2);
    const ready = await prepareSample({ kind: 'upscale', scale: 2 }, hr, { channels: 3, lr });
    expect(ready).toEqual(await prepareSample({ kind: 'upscale', scale: 2 }, hr, { channels: 3 }));
  });

  it('refuses a reference smaller than the input demands', async () => {
    const made = prepareSample({ kind: 'upscale', scale: 2 }, colourImage(8, 8), {
      channels: 3,
      lr: colourImage(5, 4),
    });
    await expect(made).rejects.toMatchObject({ code: 'MAMBAIR_SHAPE_MISMATCH' });
  });

  it('refuses to reduce an image smaller than the scale', async () => {
    const made = prepareSample({ kind: 'upscale', scale: 4 }, colourImage(3, 9), { channels: 3 });
    await expect(made).rejects.toMatchObject({ code: 'MAMBAIR_OPTION_INVALID' });
  });

  it('adds noise over the whole image and crops nothing', async () => {
    const { input, cropBorder } = await prepareSample({ kind: 'denoise', sigma: 50 }, colourImage(16, 16), {
      channels: 3,
    });
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
    const sample = await prepareSample({ kind: 'jpeg', quality: 10, encode }, colourImage(16, 12), { channels: 3 });
    expect(seen).toEqual([1, 10]);
    expect(sample.input.shape).toEqual([1, 1, 12, 16]);
    expect(sample.reference.channels).toBe(1);
  });
});

describe('scoreOutput', () => {
  it('finds the reference itself identical', async () => {
    const sample = await prepareSample({ kind: 'denoise', sigma: 0 }, colourImage(16, 16), { channels: 3 });
    expect(scoreOutput(sample.input, sample)).toEqual({
      psnrRgb: Number.POSITIVE_INFINITY,
      psnrY: Number.POSITIVE_INFINITY,
      ssimRgb: 1,
      ssimY: 1,
    });
  });

  it('never scores a result that is not finite', () => {
    const reference = colourImage(16, 16);
    const output = imageToTensor(reference);
    output.data[5] = Number.NaN;
    expect(() => scoreOutput(output, { input: output, reference, cropBorder: 0 })).toThrow(
      expect.objectContaining({ code: 'MAMBAIR_NOT_FINITE' }),
    );
  });
});

import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import sharp, { type Sharp } from 'sharp';
import { inTemporaryFolder, makePng, makeTiff, pngHeader, randomImage } from '../../test/image-samples.js';
import type { WritableImageFormat } from './image-format.js';
import type { PixelImage } from './pixels.js';
import { readImage } from './read-image.js';
import { openImageWriter, writeImage } from './write-image.js';

const exact: readonly { format: WritableImageFormat; depth: 8 | 16; channels: readonly (1 | 2 | 3 | 4)[] }[] = [
  { format: 'png', depth: 8, channels: [1, 2, 3, 4] },
  { format: 'png', depth: 16, channels: [1, 2, 3, 4] },
  { format: 'tiff', depth: 8, channels: [1, 2, 3, 4] },
  { format: 'tiff', depth: 16, channels: [1, 2, 3, 4] },
  { format: 'webp', depth: 8, channels: [3, 4] },
  { format: 'avif', depth: 8, channels: [3, 4] },
];

describe('decode after encode', () => {
  for (const { format, depth, channels } of exact) {
    it(`gives back every sample of ${depth}-bit ${format}`, async () => {
      await inTemporaryFolder(async (folder) => {
        const path = join(folder, 'image');
        const size = fc.integer({ min: 1, max: 40 });
        const property = fc.asyncProperty(size, size, fc.constantFrom(...channels), fc.nat(), async (w, h, c, seed) => {
          const image = randomImage(w, h, c, depth, seed);
          await writeImage(path, image, { format, lossless: true, overwrite: true });
          const back = await readImage(path);
          expect(back.pixels).toEqual(image);
          expect(back.warnings).toEqual([]);
          expect(back.format).toBe(format);
        });
        await fc.assert(property, { seed: 1, numRuns: format === 'avif' ? 6 : 12 });
      });
    });
  }

  it('keeps gray as equal RGB where the format has no gray', async () => {
    await inTemporaryFolder(async (folder) => {
      for (const format of ['webp', 'avif'] as const) {
        const image = randomImage(20, 10, 2, 8);
        const path = join(folder, `gray.${format}`);
        await writeImage(path, image, { format, lossless: true });
        const { pixels } = await readImage(path);
        const expected: number[] = [];
        for (let i = 0; i < image.data.length; i += 2) {
          const gray = image.data[i] ?? 0;
          expected.push(gray, gray, gray, image.data[i + 1] ?? 0);
        }
        expect(Array.from(pixels.data)).toEqual(expected);
      }
    });
  });

  it('reduces 16 bits with a warning, to the nearest value', async () => {
    await inTemporaryFolder(async (folder) => {
      const image = randomImage(31, 17, 4, 16);
      for (const [format, bits] of [
        ['webp', 8],
        ['avif', 10],
      ] as const) {
        const path = join(folder, `reduced.${format}`);
        const warnings = await writeImage(path, image, { format, lossless: true });
        expect(warnings.map(({ code }) => code)).toEqual(['depth-reduced']);
        const { data } = (await readImage(path)).pixels;
        const max = data instanceof Uint16Array ? 65535 : 255;
        for (const [i, value] of image.data.entries()) {
          // half a step of the reduced depth, and one more 16-bit unit for repeated low bits
          expect(Math.abs((data[i] ?? 0) / max - value / 65535)).toBeLessThanOrEqual(0.5 / (2 ** bits - 1) + 1 / 65535);
        }
      }
    });
  });

  it('lays transparency on the background for JPEG, and refuses it without one', async () => {
    await inTemporaryFolder(async (folder) => {
      const data = Uint8Array.from({ length: 16 * 16 * 4 }, (_, i) => [200, 100, 0, 0][i % 4] ?? 0);
      const image: PixelImage = { width: 16, height: 16, channels: 4, data };
      const path = join(folder, 'flat.jpg');
      await expect(writeImage(path, image, { format: 'jpeg' })).rejects.toMatchObject({
        code: 'MAMBAIR_IMAGE_UNSUPPORTED',
      });
      const warnings = await writeImage(path, image, { format: 'jpeg', background: [255, 0, 255] });
      expect(warnings.map(({ code }) => code)).toEqual(['alpha-flattened']);
      const { pixels } = await readImage(path);
      expect(pixels.channels).toBe(3);
      expect(Math.abs((pixels.data[0] ?? 0) - 255) + (pixels.data[1] ?? 0)).toBeLessThan(8);
    });
  });
});

describe('the streaming writer', () => {
  it('writes the same bytes whether rows come at once or in pieces', async () => {
    await inTemporaryFolder(async (folder) => {
      for (const { format, depth, channels } of exact) {
        const image = randomImage(53, 29, channels[channels.length - 1] ?? 3, depth, 5);
        const options = { ...image, depth, format, overwrite: true } as const;
        await writeImage(join(folder, 'whole'), image, options);
        const writer = await openImageWriter(join(folder, 'pieces'), options);
        const rowLength = image.width * image.channels;
        for (let y = 0, step = 1; y < image.height; y += step, step = (step % 4) + 1) {
          const height = Math.min(step, image.height - y);
          const data = image.data.slice(y * rowLength, (y + height) * rowLength);
          await writer.sink.write({ ...image, height, data });
          data.fill(0); // the sink said it is done with it
        }
        await writer.finish();
        const [whole, pieces] = await Promise.all([
          readImage(join(folder, 'whole')),
          readImage(join(folder, 'pieces')),
        ]);
        expect(pieces.pixels).toEqual(whole.pixels);
      }
    });
  });
});

describe('reading', () => {
  it('expands palettes, with and without transparency, and low bit depths', async () => {
    const palette = Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 8, 7);
    const { deflateSync } = await import('node:zlib');
    const rows = deflateSync(Uint8Array.of(0, 0b00011011, 0, 0b11100100));
    const opaque = await readImage(
      makePng([
        ['IHDR', pngHeader(4, 2, 2, 3)],
        ['PLTE', palette],
        ['IDAT', rows],
      ]),
    );
    expect(opaque.pixels.channels).toBe(3);
    expect(Array.from(opaque.pixels.data.subarray(0, 12))).toEqual(Array.from(palette));
    const alpha = Uint8Array.of(10, 20);
    const transparent = await readImage(
      makePng([
        ['IHDR', pngHeader(4, 2, 2, 3)],
        ['PLTE', palette],
        ['tRNS', alpha],
        ['IDAT', rows],
      ]),
    );
    expect(Array.from(transparent.pixels.data.subarray(0, 16))).toEqual([
      255, 0, 0, 10, 0, 255, 0, 20, 0, 0, 255, 255, 9, 8, 7, 255,
    ]);
    const bits = deflateSync(Uint8Array.of(0, 0b10100000, 0, 0b01010000));
    const oneBit = await readImage(
      makePng([
        ['IHDR', pngHeader(4, 2, 1, 0)],
        ['IDAT', bits],
      ]),
    );
    expect(oneBit.pixels).toEqual({
      width: 4,
      height: 2,
      channels: 1,
      data: Uint8Array.of(255, 0, 255, 0, 0, 255, 0, 255),
    });
  });

  it('converts CMYK to sRGB with a warning and drops its profile', async () => {
    const { data, width, height } = randomImage(24, 16, 3, 8);
    const colour = (): Sharp => sharp(data, { raw: { width, height, channels: 3 } });
    const files = [
      await colour().toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer(),
      await colour().withIccProfile('cmyk').jpeg({ quality: 100 }).toBuffer(),
      await colour().withIccProfile('cmyk').tiff({ compression: 'deflate' }).toBuffer(),
    ];
    for (const file of files) {
      const image = await readImage(file);
      expect(image.pixels).toMatchObject({ width, height, channels: 3 });
      expect(image.warnings.map(({ code }) => code)).toEqual(['cmyk-converted']);
      expect(image.metadata.icc).toBeUndefined();
    }
    const red = sharp({ create: { width: 8, height: 8, channels: 3, background: '#a08060' } });
    const back = await readImage(await red.withIccProfile('cmyk').tiff({ compression: 'deflate' }).toBuffer());
    for (const [i, expected] of [0xa0, 0x80, 0x60].entries()) {
      expect(Math.abs((back.pixels.data[i] ?? 0) - expected)).toBeLessThan(24); // perceptual intent there and back
    }
  });

  it('refuses floating-point and 32-bit samples', async () => {
    const { data, width, height } = randomImage(8, 8, 3, 8);
    const float = await sharp(data, { raw: { width, height, channels: 3 } })
      .toColourspace('scrgb')
      .tiff({ compression: 'deflate', predictor: 'float' })
      .toBuffer();
    await expect(readImage(float)).rejects.toMatchObject({ code: 'MAMBAIR_IMAGE_UNSUPPORTED' });
  });

  it('reads 10- and 12-bit AVIF as 16 bit with white at 65535', async () => {
    const data = Uint16Array.from({ length: 16 * 16 * 3 }, (_, i) => [65535, 0, 32768][i % 3] ?? 0);
    for (const bitdepth of [10, 12] as const) {
      const file = await sharp(data, { raw: { width: 16, height: 16, channels: 3 } })
        .toColourspace('rgb16')
        .avif({ bitdepth, lossless: true })
        .toBuffer();
      const { pixels } = await readImage(file);
      const step = 65535 / (2 ** bitdepth - 1);
      expect(pixels.data[0]).toBe(65535);
      expect(pixels.data[1]).toBe(0);
      expect(Math.abs((pixels.data[2] ?? 0) - 32768)).toBeLessThanOrEqual(step);
    }
  });

  it('understands the kinds of TIFF', async () => {
    const pixel = { width: 1, height: 1, samples: 4, bits: 8, photometric: 2 };
    const read = async (file: Uint8Array): Promise<number[]> => Array.from((await readImage(file)).pixels.data);
    // straight, unspecified and premultiplied alpha
    expect(await read(makeTiff(pixel, Uint8Array.of(50, 25, 10, 128), [[338, 3, 2]]))).toEqual([50, 25, 10, 128]);
    expect(await read(makeTiff(pixel, Uint8Array.of(50, 25, 10, 128), [[338, 3, 0]]))).toEqual([50, 25, 10, 128]);
    expect(await read(makeTiff(pixel, Uint8Array.of(50, 25, 10, 128), [[338, 3, 1]]))).toEqual([99, 49, 19, 128]);
    const gray = { width: 2, height: 1, samples: 1, bits: 8, photometric: 0 };
    expect(await read(makeTiff(gray, Uint8Array.of(0, 200)))).toEqual([255, 55]);
    expect(await read(makeTiff({ ...gray, bits: 16 }, Uint8Array.of(0, 0, 0xff, 0x7f)))).toEqual([65535, 32768]);
    expect(await read(makeTiff({ ...gray, bits: 1, photometric: 1 }, Uint8Array.of(0x80)))).toEqual([255, 0]);
    expect(await read(makeTiff({ ...gray, bits: 4, photometric: 1 }, Uint8Array.of(0xa5)))).toEqual([170, 85]);
    const map = Array.from({ length: 768 }, (_, i) => ((i % 256) + (i >> 8)) * 257);
    const palette = makeTiff({ ...gray, photometric: 3 }, Uint8Array.of(7, 9), [[320, 3, ...map]]);
    expect(await read(palette)).toEqual([7, 8, 9, 9, 10, 11]);
    // unknown tags are no damage
    expect((await readImage(makeTiff(gray, Uint8Array.of(1, 2), [[42112, 3, 1]]))).warnings).toEqual([]);
  });

  it('refuses TIFF samples that it cannot hold, extra channels, and previews of raw files', async () => {
    const gray = { width: 1, height: 1, samples: 1, bits: 8, photometric: 1 };
    const bytes = new Uint8Array(64);
    for (const file of [
      makeTiff({ ...gray, bits: 32 }, bytes),
      makeTiff({ ...gray, bits: 32 }, bytes, [[339, 3, 3]]),
      makeTiff({ ...gray, bits: 16 }, bytes, [[339, 3, 2]]),
      makeTiff({ ...gray, samples: 3 }, bytes),
      makeTiff({ ...gray, samples: 5, photometric: 2 }, bytes),
      makeTiff({ ...gray, samples: 6, photometric: 2 }, bytes),
      makeTiff(gray, bytes, [[254, 4, 1]]),
      makeTiff(gray, bytes, [[50706, 4, 0x00000401]]),
    ]) {
      await expect(readImage(file)).rejects.toMatchObject({ code: 'MAMBAIR_IMAGE_UNSUPPORTED' });
    }
  });

  it('converts Lab to sRGB with a warning', async () => {
    const lab = { width: 1, height: 1, samples: 3, bits: 16, photometric: 8 };
    const white = await readImage(makeTiff(lab, Uint8Array.of(0xff, 0xff, 0, 0, 0, 0)));
    expect(white.warnings.map(({ code }) => code)).toEqual(['lab-converted']);
    expect(white.pixels.data).toBeInstanceOf(Uint16Array);
    expect(Math.min(...white.pixels.data)).toBeGreaterThan(65000);
  });

  it('reads what is left of a truncated file only when asked', async () => {
    const { data, width, height } = randomImage(64, 64, 3, 8);
    for (const format of ['jpeg', 'png'] as const) {
      const file = await sharp(data, { raw: { width, height, channels: 3 } })
        [format]()
        .toBuffer();
      const half = file.subarray(0, file.length >> 1);
      await expect(readImage(half)).rejects.toMatchObject({ code: 'MAMBAIR_IMAGE_UNREADABLE' });
      const image = await readImage(half, { allowDamaged: true });
      expect(image.pixels).toMatchObject({ width, height });
      expect(image.warnings.map(({ code }) => code)).toEqual(['damaged']);
    }
  });

  it('keeps to its limits and names what it cannot open', async () => {
    await inTemporaryFolder(async (folder) => {
      const path = join(folder, 'a.png');
      await writeImage(path, randomImage(10, 10, 3, 8), { format: 'png' });
      const code = async (file: string | Uint8Array, options = {}): Promise<unknown> =>
        readImage(file, options).then(
          () => 'read',
          (error: { code: unknown }) => error.code,
        );
      expect(await code(path, { maxPixels: 100 })).toBe('read');
      expect(await code(path, { maxPixels: 99 })).toBe('MAMBAIR_IMAGE_TOO_LARGE');
      expect(await code(path, { maxFileBytes: 50 })).toBe('MAMBAIR_IMAGE_TOO_LARGE');
      expect(await code(join(folder, 'b.png'))).toBe('MAMBAIR_FILE_NOT_FOUND');
      expect(await code(folder)).toBe('MAMBAIR_FILE_READ');
      expect(await code(path, { page: -1 })).toBe('MAMBAIR_OPTION_INVALID');
      expect(await code(path, { signal: AbortSignal.abort() })).toBe('MAMBAIR_CANCELLED');
    });
  });

  it('refuses animations unless a frame is chosen, and takes the first page of a TIFF with a warning', async () => {
    const frames = randomImage(8, 24, 3, 8);
    const animated = await sharp(frames.data, { raw: { width: 8, height: 24, channels: 3, pageHeight: 8 } })
      .webp({ lossless: true })
      .toBuffer();
    await expect(readImage(animated)).rejects.toMatchObject({ code: 'MAMBAIR_IMAGE_UNSUPPORTED' });
    const second = await readImage(animated, { page: 1 });
    expect(Array.from(second.pixels.data.subarray(0, 6))).toEqual(
      Array.from(frames.data.subarray(8 * 8 * 3, 8 * 8 * 3 + 6)),
    );
    await expect(readImage(animated, { page: 9 })).rejects.toMatchObject({ code: 'MAMBAIR_OPTION_INVALID' });
    const pages = await sharp(frames.data, { raw: { width: 8, height: 24, channels: 3, pageHeight: 8 } })
      .tiff({ compression: 'deflate' })
      .toBuffer();
    expect((await readImage(pages)).warnings.map(({ code }) => code)).toEqual(['first-page-only']);
  });
});

import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import sharp from 'sharp';
import { inTemporaryFolder, makePng, orientPixels, pngHeader, randomImage } from '../../test/image-samples.js';
import { describeWithShared, sharedPath } from '../../test/shared.js';
import { readBenchmarkImage } from './benchmark-image.js';
import { decodeJpeg, decodeJpegYCbCr, encodeJpeg } from './encode-jpeg.js';
import { estimateJpegCompression, ijgLuminanceTable } from './jpeg-quality.js';
import { writeImage } from './write-image.js';

const photoLike = (width: number, height: number): ReturnType<typeof randomImage> => {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) {
    const [x, y, c] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width), i % 3];
    data[i] = 128 + 60 * Math.sin(x / (5 + c)) + 50 * Math.cos(y / (7 - c));
  }
  return { width, height, channels: 3, data };
};

describe('estimateJpegCompression', () => {
  it('finds every quality of standard tables exactly', async () => {
    const image = photoLike(24, 16);
    for (let quality = 1; quality <= 100; quality++) {
      const file = await encodeJpeg(image, { quality });
      expect(estimateJpegCompression(file)).toEqual({
        quality,
        isStandardTable: true,
        subsampling: '4:2:0',
        isProgressive: false,
      });
    }
  });

  it('takes the nearest quality for other tables, and knows subsampling, gray and progressive', async () => {
    const { data, width, height } = photoLike(24, 16);
    const image = sharp(data, { raw: { width, height, channels: 3 } });
    const other = estimateJpegCompression(await image.clone().jpeg({ quality: 75, quantisationTable: 2 }).toBuffer());
    expect(other?.isStandardTable).toBe(false);
    expect(Math.abs((other?.quality ?? 0) - 75)).toBeLessThan(15);
    const full = await image.clone().jpeg({ chromaSubsampling: '4:4:4', progressive: true }).toBuffer();
    expect(estimateJpegCompression(full)).toMatchObject({ subsampling: '4:4:4', isProgressive: true });
    const gray = await encodeJpeg(randomImage(8, 8, 1, 8), { quality: 40 });
    expect(estimateJpegCompression(gray)).toMatchObject({ subsampling: 'gray', quality: 40 });
  });

  it('never throws, whatever the bytes', async () => {
    const file = await encodeJpeg(photoLike(24, 16), { quality: 50 });
    const change = fc.tuple(fc.nat(file.length - 1), fc.nat(255));
    const property = fc.property(fc.array(change, { maxLength: 8 }), fc.nat(file.length), (changes, length) => {
      const bytes = Uint8Array.from(file);
      for (const [at, value] of changes) {
        bytes[at] = value;
      }
      const estimate = estimateJpegCompression(bytes.subarray(0, length));
      expect(estimate === undefined || (estimate.quality >= 1 && estimate.quality <= 100)).toBe(true);
    });
    fc.assert(property, { seed: 1, numRuns: 500 });
  });

  it('has the IJG library’s tables at the ends', () => {
    expect(ijgLuminanceTable(100).every((value) => value === 1)).toBe(true);
    expect(ijgLuminanceTable(50).slice(0, 6)).toEqual([16, 11, 12, 14, 12, 10]);
    expect(Math.max(...ijgLuminanceTable(1))).toBe(255);
  });
});

describe('decodeJpegYCbCr', () => {
  it('gives the planes of which RGB is made', async () => {
    const file = await encodeJpeg(photoLike(48, 32), { quality: 90, subsampling: '4:4:4' });
    const [planes, rgb] = [await decodeJpegYCbCr(file), await decodeJpeg(file)];
    for (let i = 0; i < rgb.data.length; i += 3) {
      const [y, cb, cr] = [planes?.data[i] ?? 0, (planes?.data[i + 1] ?? 0) - 128, (planes?.data[i + 2] ?? 0) - 128];
      const expected = [y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb];
      for (const [c, value] of expected.entries()) {
        const clamped = Math.min(255, Math.max(0, value));
        expect(Math.abs(clamped - (rgb.data[i + c] ?? 0))).toBeLessThanOrEqual(1);
      }
    }
  });

  it('has nothing to say about gray and CMYK files', async () => {
    expect(await decodeJpegYCbCr(await encodeJpeg(randomImage(8, 8, 1, 8), { quality: 90 }))).toBeUndefined();
    const { data } = randomImage(8, 8, 3, 8);
    const cmyk = await sharp(data, { raw: { width: 8, height: 8, channels: 3 } })
      .toColourspace('cmyk')
      .jpeg()
      .toBuffer();
    expect(await decodeJpegYCbCr(cmyk)).toBeUndefined();
  });
});

describe('readBenchmarkImage', () => {
  it('drops alpha and low bytes, and repeats gray', async () => {
    await inTemporaryFolder(async (folder) => {
      const path = join(folder, 'a.png');
      const wide = randomImage(9, 7, 4, 16);
      await writeImage(path, wide, { format: 'png' });
      const expected = Array.from(wide.data).filter((_, i) => i % 4 !== 3);
      const colour = await readBenchmarkImage(path, 'colour');
      expect(Array.from(colour.data)).toEqual(expected.map((value) => value >> 8));
      const gray = randomImage(9, 7, 1, 8);
      await writeImage(path, gray, { format: 'png', overwrite: true });
      expect((await readBenchmarkImage(path, 'gray')).data).toEqual(gray.data);
      const repeated = Array.from(gray.data).flatMap((value) => [value, value, value]);
      expect(Array.from((await readBenchmarkImage(path, 'colour')).data)).toEqual(repeated);
    });
  });

  it('truncates the gray of a colour PNG and rounds that of a TIFF', async () => {
    const image = randomImage(40, 40, 3, 8);
    await inTemporaryFolder(async (folder) => {
      const weighted = Array.from({ length: 1600 }, (_, i) => {
        const [r, g, b] = [image.data[3 * i] ?? 0, image.data[3 * i + 1] ?? 0, image.data[3 * i + 2] ?? 0];
        return 0.299 * r + 0.587 * g + 0.114 * b;
      });
      const countOff = async (format: 'png' | 'tiff', rule: (value: number) => number): Promise<number> => {
        const path = join(folder, format);
        await writeImage(path, image, { format });
        const { data } = await readBenchmarkImage(path, 'gray');
        const differences = weighted.map((value, i) => Math.abs(rule(value) - (data[i] ?? 0)));
        expect(Math.max(...differences)).toBeLessThanOrEqual(1);
        return differences.filter((difference) => difference > 0).length;
      };
      expect(await countOff('png', Math.floor)).toBeLessThan(16); // measured on OpenCV: 0.3 %
      expect(await countOff('tiff', Math.round)).toBeLessThan(16);
    });
  });

  it('takes the stored luma of a colour JPEG, upright', async () => {
    const { data, width, height } = photoLike(40, 24);
    const file = await sharp(data, { raw: { width, height, channels: 3 } })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    const planes = await decodeJpegYCbCr(file);
    await inTemporaryFolder(async (folder) => {
      const { writeFile } = await import('node:fs/promises');
      await writeFile(join(folder, 'a.jpg'), file);
      const gray = await readBenchmarkImage(join(folder, 'a.jpg'), 'gray');
      expect([gray.width, gray.height]).toEqual([24, 40]);
      expect(Array.from(gray.data)).toEqual(Array.from(planes?.data ?? []).filter((_, i) => i % 3 === 0));
    });
    const plain = await sharp(data, { raw: { width, height, channels: 3 } })
      .jpeg()
      .toBuffer();
    const turned = orientPixels((await decodeJpegYCbCr(plain)) ?? photoLike(1, 1), 6);
    expect(planes).toEqual(turned);
  });

  it('expands palettes', async () => {
    const { deflateSync } = await import('node:zlib');
    const png = makePng([
      ['IHDR', pngHeader(2, 1, 8, 3)],
      ['PLTE', Uint8Array.of(1, 2, 3, 200, 100, 50)],
      ['IDAT', deflateSync(Uint8Array.of(0, 1, 0))],
    ]);
    await inTemporaryFolder(async (folder) => {
      const { writeFile } = await import('node:fs/promises');
      await writeFile(join(folder, 'a.png'), png);
      expect(Array.from((await readBenchmarkImage(join(folder, 'a.png'), 'colour')).data)).toEqual([
        200, 100, 50, 1, 2, 3,
      ]);
    });
  });
});

describeWithShared('JPEG compression of classic5', ['testsets/classic5'], () => {
  it('gives the unrestored PSNR known for OpenCV’s encoder', async () => {
    const names = ['baboon', 'barbara', 'boats', 'lena', 'peppers'];
    for (const [quality, expected] of [
      [10, 27.8211],
      [20, 30.1233],
      [30, 31.484],
      [40, 32.4284],
    ] as const) {
      let sum = 0;
      for (const name of names) {
        const image = await readBenchmarkImage(sharedPath(`testsets/classic5/${name}.png`) ?? '', 'gray');
        const coded = await decodeJpeg(await encodeJpeg(image, { quality }));
        const squares = image.data.reduce((total, value, i) => total + (value - (coded.data[i] ?? 0)) ** 2, 0);
        sum += 10 * Math.log10((255 * 255 * image.data.length) / squares);
      }
      expect(sum / names.length).toBeCloseTo(expected, 4);
    }
  });
});

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import {
  inTemporaryFolder,
  makeIccProfile,
  makePng,
  makeUltraHdr,
  orientPixels,
  pngHeader,
  randomImage,
  wideGamutProfiles,
} from '../../test/image-samples.js';
import { encodeExif, type ExifDirectories, parseExif } from './exif.js';
import { writableImageFormats } from './image-format.js';
import { unwrapIptc, wrapIptcForJpeg } from './image-metadata.js';
import type { ImageMetadata } from './image-metadata.js';
import { readImage } from './read-image.js';
import {
  encodeTiffDirectory,
  makeTiffEntry,
  nextTiffDirectory,
  type TiffEntry,
  tiffEntryNumber,
} from './tiff-directory.js';
import { readTiffDeclarations } from './tiff-exif.js';
import { writeImage } from './write-image.js';

const ascii = (tag: number, text: string): TiffEntry => ({
  tag,
  type: 2,
  count: text.length + 1,
  value: Buffer.from(`${text}\0`, 'latin1'),
});

function sampleExif(littleEndian: boolean, orientation: number): ExifDirectories {
  const rationals = makeTiffEntry(0, 4, [51, 1, 30, 1, 3230, 100], littleEndian).value;
  return {
    littleEndian,
    main: [
      ascii(0x010f, 'NIKON CORPORATION'),
      ascii(0x0110, 'D850'),
      makeTiffEntry(0x0112, 3, [orientation], littleEndian),
      ascii(0x8298, 'somebody'),
    ],
    exif: [
      makeTiffEntry(0x8827, 3, [640], littleEndian),
      ascii(0x9003, '2024:05:06 07:08:09'),
      { tag: 0x927c, type: 7, count: 40, value: Uint8Array.from({ length: 40 }, (_, i) => i) },
      makeTiffEntry(0xa002, 4, [4000], littleEndian),
      makeTiffEntry(0xa003, 4, [3000], littleEndian),
    ],
    gps: [ascii(0x0001, 'N'), { tag: 0x0002, type: 5, count: 3, value: rationals }],
    interoperability: [ascii(0x0001, 'R03')],
  };
}

const xmp = (orientation: number): Uint8Array =>
  Buffer.from(
    `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="${orientation}" tiff:Artist="Zoë"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>`,
  );

/** IPTC-IIM: record 2, data set 120 (caption). */
const iptc = Buffer.from('\x1c\x02\x78\0\x05hello', 'latin1');

/** Values by directory and tag, for comparison whatever the byte order and place. */
function exifValues(block: Uint8Array | undefined): Record<string, string> {
  const parsed = block === undefined ? undefined : parseExif(block);
  const values: Record<string, string> = {};
  for (const name of ['main', 'exif', 'gps', 'interoperability'] as const) {
    for (const { tag, type, value } of parsed?.[name] ?? []) {
      const unit = type === 3 ? 2 : type === 4 || type === 5 ? 4 : 1;
      const bytes = Buffer.from(value);
      if (parsed?.littleEndian === false && unit > 1) {
        bytes[unit === 2 ? 'swap16' : 'swap32']();
      }
      values[`${name}.${tag.toString(16)}`] = bytes.toString('hex');
    }
  }
  return values;
}

describe('a written file', () => {
  for (const littleEndian of [true, false]) {
    it(`keeps EXIF, XMP, density and profile (${littleEndian ? 'Intel' : 'Motorola'} order)`, async () => {
      const image = randomImage(30, 20, 3, 8);
      const metadata: ImageMetadata = {
        exif: encodeExif(sampleExif(littleEndian, 1)),
        xmp: xmp(1),
        density: 240,
        icc: wideGamutProfiles[0]!.icc,
      };
      const expected = exifValues(metadata.exif);
      expected['exif.a002'] = '1e000000';
      expected['exif.a003'] = '14000000';
      delete expected['main.112'];
      await inTemporaryFolder(async (folder) => {
        for (const format of writableImageFormats) {
          const path = join(folder, `image.${format}`);
          expect(await writeImage(path, image, { format, metadata })).toEqual([]);
          const back = (await readImage(path)).metadata;
          expect([format, exifValues(back.exif)]).toEqual([format, expect.objectContaining(expected)]);
          expect(Buffer.from(back.xmp ?? []).toString()).toBe(Buffer.from(metadata.xmp ?? []).toString());
          expect([format, back.density]).toEqual([format, 240]);
          expect(Buffer.from(back.icc ?? []).equals(Buffer.from(metadata.icc ?? []))).toBe(true);
        }
      });
    });
  }

  it('keeps IPTC in JPEG and TIFF, and says so where it cannot', async () => {
    await inTemporaryFolder(async (folder) => {
      for (const format of writableImageFormats) {
        const path = join(folder, `image.${format}`);
        const warnings = await writeImage(path, randomImage(8, 8, 3, 8), { format, metadata: { iptc } });
        const back = Buffer.from((await readImage(path)).metadata.iptc ?? []).toString('latin1');
        const isKept = format === 'jpeg' || format === 'tiff';
        expect([format, back]).toEqual([format, isKept ? iptc.toString('latin1') : '']);
        expect(warnings.map(({ code }) => code)).toEqual(isKept ? [] : ['iptc-dropped']);
      }
    });
    expect(Buffer.from(unwrapIptc(wrapIptcForJpeg(iptc)) ?? [])).toEqual(iptc);
  });

  it('has no EXIF, XMP or profile that the source did not have', async () => {
    await inTemporaryFolder(async (folder) => {
      for (const format of writableImageFormats) {
        const path = join(folder, `image.${format}`);
        await writeImage(path, randomImage(8, 8, 3, 8), { format });
        const { exif, xmp: packet, icc, iptc: records } = await sharp(path).metadata();
        expect([format, exif, packet, icc, records]).toEqual([format, undefined, undefined, undefined, undefined]);
      }
    });
  });

  it('has the size of its own pixels in EXIF', async () => {
    await inTemporaryFolder(async (folder) => {
      const metadata = { exif: encodeExif(sampleExif(false, 1)) };
      await writeImage(join(folder, 'a.tif'), randomImage(8, 4, 3, 8), { format: 'tiff', metadata });
      const { exif } = readTiffDeclarations(await readFile(join(folder, 'a.tif')));
      const size = exif?.exif.filter(({ tag }) => tag === 0xa002 || tag === 0xa003);
      expect(size?.map((entry) => tiffEntryNumber(entry, exif?.littleEndian ?? true))).toEqual([8, 4]);
    });
  });

  it('keeps the texts of a PNG', async () => {
    await inTemporaryFolder(async (folder) => {
      const comments = [{ keyword: 'Title', text: 'a < b & "c" é' }];
      await writeImage(join(folder, 'a.png'), randomImage(4, 4, 3, 8), { format: 'png', metadata: { comments } });
      expect((await readImage(join(folder, 'a.png'))).metadata.comments).toEqual(comments);
    });
  });

  it('drops what does not fit into JPEG segments, with a warning', async () => {
    await inTemporaryFolder(async (folder) => {
      const big = encodeExif({ ...sampleExif(true, 1), main: [ascii(0x010e, 'x'.repeat(70_000))] });
      const metadata = { exif: big, xmp: Buffer.alloc(70_000, 0x20) };
      const warnings = await writeImage(join(folder, 'a.jpg'), randomImage(4, 4, 3, 8), { format: 'jpeg', metadata });
      expect(warnings.map(({ code }) => code)).toEqual(['exif-dropped', 'xmp-dropped']);
    });
  });
});

describe('colour profiles', () => {
  const displayP3 = async (): Promise<Uint8Array> => {
    const file = await sharp(new Uint8Array(3), { raw: { width: 1, height: 1, channels: 3 } })
      .withIccProfile('p3')
      .png()
      .toBuffer();
    return (await sharp(file).metadata()).icc ?? new Uint8Array();
  };

  it('leave the pixel numbers alone and come out byte for byte', async () => {
    await inTemporaryFolder(async (folder) => {
      for (const { name, icc } of [...wideGamutProfiles, { name: 'Display P3', icc: await displayP3() }]) {
        for (const [format, depth] of [
          ['png', 8],
          ['png', 16],
          ['tiff', 16],
          ['webp', 8],
          ['avif', 8],
        ] as const) {
          const image = randomImage(16, 16, 4, depth);
          const path = join(folder, 'image');
          await writeImage(path, image, { format, lossless: true, metadata: { icc }, overwrite: true });
          const back = await readImage(path);
          expect([name, format, Buffer.from(back.metadata.icc ?? []).equals(Buffer.from(icc))]).toEqual([
            name,
            format,
            true,
          ]);
          expect(back.pixels).toEqual(image);
        }
      }
    });
  });

  it('of gray are kept for gray', async () => {
    await inTemporaryFolder(async (folder) => {
      const icc = makeIccProfile('GRAY', 1.8, 'gray');
      for (const format of ['png', 'jpeg', 'tiff'] as const) {
        await writeImage(join(folder, format), randomImage(8, 8, 1, 8), { format, metadata: { icc } });
        expect(Buffer.from((await readImage(join(folder, format))).metadata.icc ?? [])).toEqual(Buffer.from(icc));
      }
    });
  });

  it('of gray become RGB profiles of the same tone where gray is stored as RGB', async () => {
    await inTemporaryFolder(async (folder) => {
      const icc = makeIccProfile('GRAY', 1.2, 'gray');
      const data = Uint8Array.from({ length: 256 }, (_, i) => i);
      for (const format of ['webp', 'avif'] as const) {
        const path = join(folder, `a.${format}`);
        const image = { width: 256, height: 1, channels: 1, data } as const;
        expect(await writeImage(path, image, { format, lossless: true, metadata: { icc } })).toEqual([]);
        const shown = await sharp(path).toColourspace('srgb').raw().toBuffer();
        for (let i = 0; i < 256; i++) {
          const light = (i / 255) ** 1.2;
          const srgb = light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055;
          expect(Math.abs((shown[3 * i] ?? 0) - 255 * srgb)).toBeLessThan(1);
        }
      }
    });
  });

  it('that do not fit are left out with a warning', async () => {
    await inTemporaryFolder(async (folder) => {
      const path = join(folder, 'a.png');
      const icc = wideGamutProfiles[0]!.icc;
      const warnings = await writeImage(path, randomImage(8, 8, 1, 8), { format: 'png', metadata: { icc } });
      expect(warnings.map(({ code }) => code)).toEqual(['profile-dropped']);
    });
  });

  it('stand in for the colour codes of Display P3 in a PNG', async () => {
    const { deflateSync } = await import('node:zlib');
    const chunks = (codes: Uint8Array): Uint8Array =>
      makePng([
        ['IHDR', pngHeader(1, 1, 8, 2)],
        ['cICP', codes],
        ['IDAT', deflateSync(Uint8Array.of(0, 1, 2, 3))],
      ]);
    const p3 = await readImage(chunks(Uint8Array.of(12, 13, 0, 1)));
    expect(Buffer.from(p3.metadata.icc ?? [])).toEqual(Buffer.from(await displayP3()));
    expect((await readImage(chunks(Uint8Array.of(1, 13, 0, 1)))).warnings).toEqual([]);
    const hdr = await readImage(chunks(Uint8Array.of(9, 16, 0, 1)));
    expect(hdr.warnings.map(({ code }) => code)).toEqual(['colour-description-ignored']);
  });
});

describe('orientation', () => {
  const encoding = {
    jpeg: { quality: 100, chromaSubsampling: '4:4:4' },
    png: {},
    webp: { lossless: true },
    tiff: { compression: 'deflate' },
    avif: { lossless: true, effort: 0 },
  } as const;

  for (const format of ['jpeg', 'png', 'webp', 'tiff', 'avif'] as const) {
    it(`of ${format} is applied once and then said to be upright`, async () => {
      const source = randomImage(23, 16, 3, 8);
      const raw = { width: 23, height: 16, channels: 3 } as const;
      await inTemporaryFolder(async (folder) => {
        for (let orientation = 1; orientation <= 8; orientation++) {
          const stored = sharp(source.data, { raw })
            .withMetadata({ orientation })
            .withXmp(Buffer.from(xmp(orientation)).toString());
          const file = await stored.toFormat(format, encoding[format]).toBuffer();
          const unturned = format === 'jpeg' ? await decodeUnturned(file) : source;
          const image = await readImage(file);
          expect(image.format).toBe(format);
          expect(image.pixels).toEqual(orientPixels(unturned, orientation));
          expect(Buffer.from(image.metadata.xmp ?? []).toString()).toContain('tiff:Orientation="1"');
          const path = join(folder, `${orientation}.${format}`);
          await writeImage(path, image.pixels, { format, metadata: image.metadata });
          const { orientation: written = 1 } = await sharp(path).metadata();
          expect(written).toBe(1);
          const back = await readImage(path);
          expect([back.pixels.width, back.pixels.height]).toEqual([image.pixels.width, image.pixels.height]);
        }
      });
    });
  }

  it('of the thumbnail goes with the thumbnail', async () => {
    const block = Buffer.from(encodeExif(sampleExif(true, 6)));
    const layout = { littleEndian: true, isBigTiff: false };
    const thumbnail = encodeTiffDirectory([makeTiffEntry(0x0112, 3, [6], true)], layout, block.length);
    block.writeUInt32LE(block.length, 8 + 2 + 12 * block.readUInt16LE(8));
    const nextOf = (bytes: Uint8Array): number => nextTiffDirectory(bytes, { ...layout, firstDirectory: 8 }, 8);
    expect(nextOf(block)).toBe(block.length);
    await inTemporaryFolder(async (folder) => {
      const path = join(folder, 'a.png');
      const metadata = { exif: Buffer.concat([block, thumbnail]) };
      await writeImage(path, randomImage(8, 8, 3, 8), { format: 'png', metadata });
      const { exif } = await sharp(path).metadata();
      expect(nextOf(exif ?? new Uint8Array())).toBe(0);
      expect(Object.keys(exifValues(exif))).toContain('main.10f');
    });
  });

  async function decodeUnturned(file: Uint8Array): Promise<ReturnType<typeof randomImage>> {
    const { data, info } = await sharp(file, { ignoreIcc: true }).raw().toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, channels: 3, data: new Uint8Array(data) };
  }
});

describe('an Ultra HDR photo', () => {
  it('is read as its SDR picture, and no longer announces a gain map', async () => {
    const { data } = randomImage(64, 48, 3, 8);
    const still = await sharp(data, { raw: { width: 64, height: 48, channels: 3 } })
      .withIccProfile('p3')
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    const map = await sharp(data.subarray(0, 64 * 48), { raw: { width: 64, height: 48, channels: 1 } })
      .jpeg()
      .toBuffer();
    const plain = await readImage(still);
    const image = await readImage(makeUltraHdr(still, map));
    expect(image.warnings.map(({ code }) => code)).toEqual(['gain-map-dropped']);
    expect(image.pixels).toEqual(plain.pixels);
    expect(image.metadata.icc).toEqual(plain.metadata.icc);
    const packet = Buffer.from(image.metadata.xmp ?? []).toString();
    expect(packet).toContain('xmp:Rating="4"');
    expect(packet).not.toContain('hdrgm:Version');
    expect(packet).not.toContain('Container:Directory');
  });
});

describe('broken metadata', () => {
  it('is left out with a warning and does not spoil the picture', async () => {
    const image = randomImage(16, 16, 3, 8);
    const jpeg = await sharp(image.data, { raw: { width: 16, height: 16, channels: 3 } })
      .jpeg()
      .toBuffer();
    const withSegment = (payload: Uint8Array): Uint8Array => {
      const head = Buffer.from([0xff, 0xe1, (payload.length + 2) >> 8, (payload.length + 2) & 255]);
      return Buffer.concat([jpeg.subarray(0, 2), head, payload, jpeg.subarray(2)]);
    };
    const good = Buffer.concat([Buffer.from('Exif\0\0'), encodeExif(sampleExif(true, 1))]);
    await inTemporaryFolder(async (folder) => {
      for (let cut = 0; cut < good.length; cut += 9) {
        const damaged = Buffer.from(good);
        damaged.fill(0xee, 6 + cut, Math.min(good.length, 6 + cut + 9));
        const read = await readImage(withSegment(damaged));
        expect(read.pixels).toMatchObject({ width: 16, height: 16 });
        await writeImage(join(folder, 'a.jpg'), read.pixels, {
          format: 'jpeg',
          metadata: read.metadata,
          overwrite: true,
        });
        await writeImage(join(folder, 'a.tif'), read.pixels, {
          format: 'tiff',
          metadata: read.metadata,
          overwrite: true,
        });
        expect((await readImage(join(folder, 'a.tif'))).pixels).toEqual(read.pixels);
      }
    });
  });
});

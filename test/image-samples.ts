import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from './crc32.js';
import type { PixelImage } from '../core/image/pixels.js';
import { encodeTiffDirectory, makeTiffEntry, tiffDirectorySize, type TiffEntry } from '../core/image/tiff-directory.js';

/** A small repeatable generator (Numerical Recipes' linear congruence), numbers in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Independent random samples. */
export function randomImage(
  width: number,
  height: number,
  channels: 1 | 2 | 3 | 4,
  depth: 8 | 16,
  seed = 1,
): PixelImage {
  const random = seededRandom(seed);
  const length = width * height * channels;
  const data = depth === 8 ? new Uint8Array(length) : new Uint16Array(length);
  for (let i = 0; i < length; i++) {
    data[i] = Math.floor(random() * 2 ** depth);
  }
  return { width, height, channels, data };
}

/** Runs `body` with a fresh empty folder, and removes it. */
export async function inTemporaryFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'mambair-image-'));
  try {
    return await body(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A minimal matrix profile (ISO 15076-1): primaries given as XYZ under D50, one gamma; or gray with a gamma. */
export function makeIccProfile(
  kind: 'RGB ' | 'GRAY',
  gamma: number,
  name: string,
  columns: readonly number[] = [],
): Uint8Array {
  const fixed = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(Math.round(value * 65536));
    return bytes;
  };
  const xyz = (values: readonly number[]): Buffer => Buffer.concat([Buffer.from('XYZ \0\0\0\0'), ...values.map(fixed)]);
  const curve = Buffer.concat([Buffer.from('curv\0\0\0\0\0\0\0\x01', 'latin1'), Buffer.alloc(4)]);
  curve.writeUInt16BE(Math.round(gamma * 256), 12);
  const description = Buffer.concat([
    Buffer.from('desc\0\0\0\0'),
    Buffer.alloc(4),
    Buffer.from(`${name}\0`),
    Buffer.alloc(78),
  ]);
  description.writeUInt32BE(name.length + 1, 8);
  const tags: [string, Buffer][] = [
    ['desc', description],
    ['cprt', Buffer.from('text\0\0\0\0none\0')],
    ['wtpt', xyz([0.9642, 1, 0.8249])],
  ];
  if (kind === 'GRAY') {
    tags.push(['kTRC', curve]);
  } else {
    tags.push(
      ['rXYZ', xyz(columns.slice(0, 3))],
      ['gXYZ', xyz(columns.slice(3, 6))],
      ['bXYZ', xyz(columns.slice(6, 9))],
    );
    tags.push(['rTRC', curve], ['gTRC', curve], ['bTRC', curve]);
  }
  const table = Buffer.alloc(4 + 12 * tags.length);
  table.writeUInt32BE(tags.length, 0);
  const bodies: Buffer[] = [];
  let offset = 128 + table.length;
  for (const [i, [signature, body]] of tags.entries()) {
    const padded = Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)]);
    table.write(signature, 4 + 12 * i, 'latin1');
    table.writeUInt32BE(offset, 8 + 12 * i);
    table.writeUInt32BE(body.length, 12 + 12 * i);
    bodies.push(padded);
    offset += padded.length;
  }
  const header = Buffer.alloc(128);
  header.writeUInt32BE(offset, 0);
  header.writeUInt32BE(0x02400000, 8);
  header.write('mntr', 12);
  header.write(kind, 16);
  header.write('XYZ ', 20);
  header.writeUInt16BE(2020, 24);
  header.writeUInt16BE(1, 26);
  header.writeUInt16BE(1, 28);
  header.write('acsp', 36);
  fixed(0.9642).copy(header, 68);
  fixed(1).copy(header, 72);
  fixed(0.8249).copy(header, 76);
  return new Uint8Array(Buffer.concat([header, table, ...bodies]));
}

/** Adobe RGB (1998) and ProPhoto RGB primaries under D50. */
export const wideGamutProfiles: readonly { readonly name: string; readonly icc: Uint8Array }[] = [
  {
    name: 'Adobe RGB',
    icc: makeIccProfile(
      'RGB ',
      2.2,
      'Adobe RGB',
      [0.60974, 0.31111, 0.01947, 0.20528, 0.62567, 0.06087, 0.14919, 0.06322, 0.74457],
    ),
  },
  {
    name: 'ProPhoto RGB',
    icc: makeIccProfile(
      'RGB ',
      1.8,
      'ProPhoto RGB',
      [0.7976749, 0.2880402, 0, 0.1351917, 0.7118741, 0, 0.0313534, 0.0000857, 0.82521],
    ),
  },
];

/** One PNG chunk with its checksum. */
export function pngChunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(12 + data.length);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write(type, 4, 'latin1');
  bytes.set(data, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length);
  return bytes;
}

/** A PNG made of given chunks, `IEND` added. */
export function makePng(chunks: readonly (readonly [type: string, data: Uint8Array])[]): Uint8Array {
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    ...chunks.map(([type, data]) => pngChunk(type, data)),
    pngChunk('IEND', new Uint8Array()),
  ]);
}

/** The `IHDR` chunk's data. Colour type 0 gray, 2 RGB, 3 palette, 4 gray + alpha, 6 RGBA. */
export function pngHeader(width: number, height: number, bits: number, colourType: number): Uint8Array {
  const bytes = Buffer.alloc(13);
  bytes.writeUInt32BE(width, 0);
  bytes.writeUInt32BE(height, 4);
  bytes.set([bits, colourType], 8);
  return bytes;
}

/** The same pixels turned as EXIF orientation 1…8 says a viewer must turn them (EXIF 3.0, table of Orientation). */
export function orientPixels(image: PixelImage, orientation: number): PixelImage {
  const { width: w, height: h, channels, data } = image;
  const isTransposed = orientation >= 5;
  const [width, height] = isTransposed ? [h, w] : [w, h];
  const result = data.slice();
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      // where the pixel shown at x, y is stored
      const [u, v] = isTransposed ? [y, x] : [x, y];
      const sx = [2, 3, 7, 8].includes(orientation) ? w - 1 - u : u;
      const sy = [3, 4, 6, 7].includes(orientation) ? h - 1 - v : v;
      for (let c = 0; c < channels; c++) {
        result[(y * width + x) * channels + c] = data[(sy * w + sx) * channels + c] ?? 0;
      }
    }
  }
  return { width, height, channels, data: result };
}

/** An Ultra HDR JPEG: a still with XMP and an MPF index (CIPA DC-007) that point to a gain map behind it. */
export function makeUltraHdr(still: Uint8Array, gainMap: Uint8Array): Uint8Array {
  const segment = (marker: number, payload: Uint8Array): Uint8Array =>
    Buffer.concat([Uint8Array.of(0xff, marker, (payload.length + 2) >> 8, (payload.length + 2) & 255), payload]);
  const insert = (file: Uint8Array, part: Uint8Array): Uint8Array =>
    Buffer.concat([file.subarray(0, 2), part, file.subarray(2)]);
  const xmpSegment = (description: string): Uint8Array =>
    segment(
      0xe1,
      Buffer.from(
        `http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">${description}</rdf:RDF></x:xmpmeta>`,
      ),
    );
  const hdrgm = 'xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"';
  const map = insert(
    gainMap,
    xmpSegment(
      `<rdf:Description ${hdrgm} hdrgm:GainMapMin="0" hdrgm:GainMapMax="2" hdrgm:Gamma="1" hdrgm:OffsetSDR="0.015625" hdrgm:OffsetHDR="0.015625" hdrgm:HDRCapacityMin="0" hdrgm:HDRCapacityMax="2" hdrgm:BaseRenditionIsHDR="False"/>`,
    ),
  );
  const item = (semantic: string, length: string): string =>
    `<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="${semantic}" Item:Mime="image/jpeg"${length}/></rdf:li>`;
  const primary = insert(
    still,
    xmpSegment(
      `<rdf:Description xmlns:Container="http://ns.google.com/photos/1.0/container/" xmlns:Item="http://ns.google.com/photos/1.0/container/item/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4" ${hdrgm}><Container:Directory><rdf:Seq>${item('Primary', '')}${item('GainMap', ` Item:Length="${map.length}"`)}</rdf:Seq></Container:Directory></rdf:Description>`,
    ),
  );
  const index = (primaryLength: number): Uint8Array => {
    const bytes = Buffer.alloc(86);
    bytes.write('MPF\0MM\0*', 0, 'latin1');
    bytes.writeUInt32BE(8, 8);
    bytes.writeUInt16BE(3, 12);
    bytes.set([0xb0, 0, 0, 7, 0, 0, 0, 4, 0x30, 0x31, 0x30, 0x30], 14); // MPFVersion 0100
    bytes.set([0xb0, 1, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2], 26); // NumberOfImages 2
    bytes.set([0xb0, 2, 0, 7, 0, 0, 0, 32, 0, 0, 0, 50], 38); // MPEntry
    bytes.writeUInt32BE(0x00030000, 54);
    bytes.writeUInt32BE(primaryLength, 58);
    bytes.writeUInt32BE(map.length, 74);
    bytes.writeUInt32BE(primaryLength - 10, 78); // from the index's own byte order mark
    return segment(0xe2, bytes);
  };
  return Buffer.concat([insert(primary, index(primary.length + index(primary.length).length)), map]);
}

/**
 * A little-endian TIFF with one directory and one uncompressed strip. Entries are `[tag, type, ...values]` with type 3
 * (SHORT) or 4 (LONG) and add to, or replace, the usual ones.
 */
export function makeTiff(
  layout: { width: number; height: number; samples: number; bits: number; photometric: number },
  pixels: Uint8Array,
  extra: readonly (readonly [tag: number, type: 3 | 4, ...values: number[]])[] = [],
): Uint8Array {
  const { width, height, samples, bits, photometric } = layout;
  const entries = (strip: number): TiffEntry[] => {
    const usual: (readonly [number, 3 | 4, ...number[]])[] = [
      [256, 4, width],
      [257, 4, height],
      [258, 3, ...Array.from({ length: samples }, () => bits)],
      [259, 3, 1],
      [262, 3, photometric],
      [273, 4, strip],
      [277, 3, samples],
      [278, 4, height],
      [279, 4, pixels.length],
    ];
    const tags = new Set(extra.map(([tag]) => tag));
    return [...usual.filter(([tag]) => !tags.has(tag)), ...extra].map(([tag, type, ...values]) =>
      makeTiffEntry(tag, type, values, true),
    );
  };
  const layoutOfFile = { littleEndian: true, isBigTiff: false };
  const strip = 8 + tiffDirectorySize(entries(0), layoutOfFile);
  const header = Buffer.from('II*\0\x08\0\0\0', 'latin1');
  return Buffer.concat([header, encodeTiffDirectory(entries(strip), layoutOfFile, 8), pixels]);
}

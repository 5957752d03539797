import { pixelFormats } from '../../core/index.js';
import type { PixelFormat } from '../../core/index.js';

/**
 * What reader and writer of NUT share: constants, the checksum, the variable-length numbers, and the names that ffmpeg
 * gives to pixel formats. Source: the NUT open container format specification, versions 3 and 4.
 */

/** The first bytes of every file. */
export const fileId: Uint8Array = new TextEncoder().encode('nut/multimedia container\0');

/** The first eight bytes of a packet say what it is; all begin with `N`. */
export const startCodes = {
  main: 0x4e4d7a561f5f04adn,
  stream: 0x4e5311405bf2f9dbn,
  syncpoint: 0x4e4be4adeeca4569n,
  index: 0x4e58dd672f23e64en,
  info: 0x4e49ab68b596ba78n,
} as const;

/** `N`: the byte that begins a start code, and so never is a frame code. */
export const startCodeByte = 0x4e;

/** Bits of a frame's flags. */
export const flags = {
  key: 1,
  codedPts: 8,
  streamId: 16,
  sizeMsb: 32,
  checksum: 64,
  reserved: 128,
  sideData: 256,
  headerIndex: 1024,
  matchTime: 2048,
  coded: 4096,
  invalid: 8192,
} as const;

/** Packets with more bytes than this after their length carry a checksum of start code and length too. */
export const longPacket = 4096;

const crcTable = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index << 24;
  for (let bit = 0; bit < 8; bit++) {
    crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  }
  return crc >>> 0;
});

/** CRC-32 of polynomial 0x04C11DB7, most significant bit first, from 0, without a final inversion. */
export function nutChecksum(bytes: Iterable<number>): number {
  let crc = 0;
  for (const byte of bytes) {
    crc = (crc << 8) ^ (crcTable[(crc >>> 24) ^ byte] ?? 0);
  }
  return crc >>> 0;
}

/** An unsigned number: seven bits a byte, most significant first, the top bit set on all but the last. */
export function encodeUnsigned(value: number): number[] {
  const bytes = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.unshift(128 | (rest % 128));
  }
  return bytes;
}

/** A signed number: 0, 1, −1, 2, −2, … as 0, 1, 2, 3, 4, … */
export function encodeSigned(value: number): number[] {
  return encodeUnsigned(value > 0 ? 2 * value - 1 : -2 * value);
}

/** Inverse of {@link encodeSigned} on the unsigned number. */
export function signedOf(unsigned: number): number {
  const shifted = unsigned + 1;
  return shifted % 2 === 0 ? shifted / 2 : -Math.floor(shifted / 2);
}

/** Length, then the bytes. */
export function encodeBytes(bytes: ArrayLike<number>): number[] {
  return [...encodeUnsigned(bytes.length), ...Array.from(bytes)];
}

const letters = (text: string, ...rest: number[]): number[] => [...new TextEncoder().encode(text), ...rest];

/** Tags of formats that follow no scheme. */
const oldTags: Readonly<Record<string, number[]>> = {
  yuv410p: letters('YUV9'),
  yuv411p: letters('Y41B'),
  yuv420p: letters('I420'),
  yuv422p: letters('Y42B'),
  yuv440p: letters('440P'),
  yuv444p: letters('444P'),
  gray: letters('Y800'),
  ya8: letters('Y2', 0, 8),
  rgb24: letters('RGB', 24),
  bgr24: letters('BGR', 24),
  rgba: letters('RGBA'),
  bgra: letters('BGRA'),
  argb: letters('ARGB'),
  abgr: letters('ABGR'),
  rgb0: letters('RGB', 0),
  bgr0: letters('BGR', 0),
  '0rgb': [0, ...letters('RGB')],
  '0bgr': [0, ...letters('BGR')],
  rgb48le: letters('RGB', 48),
  bgr48le: letters('BGR', 48),
  rgba64le: letters('RBA', 64),
  bgra64le: letters('BRA', 64),
};

/** The third byte of scheme tags: 10 and 11 for half chroma width, and for half width and height. */
const subsamplingByte = (format: PixelFormat): number =>
  format.chromaShift.horizontal === 0 ? 0 : 10 + format.chromaShift.vertical;

/** The four bytes by which ffmpeg tags raw video of this format in NUT, as ffmpeg 5.1 writes them. */
export function nutTag(format: PixelFormat): readonly number[] {
  const old = oldTags[format.name];
  if (old !== undefined) {
    return old;
  }
  const scheme = { yuv: 'Y', gray: 'Y', rgb: 'G' }[format.model];
  return letters(`${scheme}${format.planes.length}`, subsamplingByte(format), format.depth);
}

const keyOf = (tag: ArrayLike<number>): string => Array.from(tag).join(' ');
const byTag: ReadonlyMap<string, PixelFormat> = new Map(pixelFormats.map((format) => [keyOf(nutTag(format)), format]));

/** The pixel format of a tag, or undefined for one that is not listed: ffmpeg brings some of those back as something else. */
export function formatOfNutTag(tag: ArrayLike<number>): PixelFormat | undefined {
  return byTag.get(keyOf(tag));
}

import { deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { makePng, pngHeader, seededRandom } from './image-samples.js';

/** A kind of image file that must not be trusted, with its instances. */
export interface HostileImageClass {
  readonly name: string;
  /** What must come of each file: a typed refusal, or either that or an image. */
  readonly outcome: 'refuse' | 'load-or-refuse';
  readonly files: readonly Uint8Array[];
}

/**
 * Broken, lying and foreign files, the same in every run. Nothing in them is harmful in itself. `includeLarge` adds those
 * that take much memory by right: true pictures inside the pixel limit.
 */
export async function hostileImages(options: { includeLarge?: boolean } = {}): Promise<readonly HostileImageClass[]> {
  const valid = await validFiles();
  const bomb = deflateSync(Buffer.alloc(2 ** 26));
  const refuse = (name: string, ...files: Uint8Array[]): HostileImageClass => ({ name, outcome: 'refuse', files });
  const either = (name: string, ...files: Uint8Array[]): HostileImageClass => ({
    name,
    outcome: 'load-or-refuse',
    files,
  });
  const text = (content: string): Uint8Array => Buffer.from(content, 'latin1');
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="file:///etc/passwd"/></svg>';
  return [
    refuse('empty file', new Uint8Array()),
    refuse('text under an image name', text('hello, world\n'), text('\0\0\0\0'), text('%!PS')),
    refuse('SVG and other XML', text(svg), text(`<?xml version="1.0"?>${svg}`), text(`\xef\xbb\xbf \n<!-- -->${svg}`)),
    refuse(
      'web page, PDF, archive',
      text('<!DOCTYPE html><html>'),
      text('%PDF-1.7\n'),
      text('PK\x03\x04'),
      text('\x1f\x8b\x08'),
    ),
    refuse(
      'image formats that we do not read',
      text('BM6\0\0\0'),
      text('8BPS\0\x01'),
      text('P6\n1 1\n255\nabc'),
      heic(),
    ),
    refuse('only the signature', ...Object.values(valid).map((file) => file.subarray(0, 12))),
    ...Object.entries(valid).map(([format, file]) =>
      refuse(
        `${format} cut at every tenth`,
        ...tenths.map((n) => file.subarray(0, Math.floor((file.length * n) / 10))),
      ),
    ),
    ...Object.entries(valid).map(([format, file], i) =>
      either(`${format} with flipped bits`, ...flipBits(file, 40, i + 1)),
    ),
    ...Object.entries(valid).map(([format, file], i) =>
      either(`${format} with a hole of noise`, ...noiseHoles(file, 10, i + 1)),
    ),
    refuse(
      'PNG of 60000 × 60000 in its header',
      makePng([
        ['IHDR', pngHeader(60000, 60000, 8, 2)],
        ['IDAT', deflateSync(Buffer.alloc(1000))],
      ]),
    ),
    refuse(
      'PNG of 2³¹ − 1 a side',
      makePng([
        ['IHDR', pngHeader(2 ** 31 - 1, 2 ** 31 - 1, 16, 6)],
        ['IDAT', deflateSync(Buffer.alloc(10))],
      ]),
    ),
    refuse(
      'PNG of 16000 × 16000 with ten rows',
      makePng([
        ['IHDR', pngHeader(16000, 16000, 8, 2)],
        ['IDAT', deflateSync(Buffer.alloc(480_010))],
      ]),
    ),
    either(
      'PNG of one pixel with 64 MB behind it',
      makePng([
        ['IHDR', pngHeader(1, 1, 8, 0)],
        ['IDAT', bomb],
      ]),
    ),
    either(
      'PNG whose profile unpacks to 64 MB',
      makePng([
        ['IHDR', pngHeader(1, 1, 8, 2)],
        ['iCCP', Buffer.concat([text('p\0\0'), bomb])],
        ['IDAT', deflateSync(Buffer.alloc(4))],
      ]),
    ),
    either(
      'PNG whose text unpacks to 64 MB',
      makePng([
        ['IHDR', pngHeader(1, 1, 8, 2)],
        ['zTXt', Buffer.concat([text('k\0\0'), bomb])],
        ['IDAT', deflateSync(Buffer.alloc(4))],
      ]),
    ),
    either(
      'PNG with 100000 text chunks',
      makePng([
        ['IHDR', pngHeader(1, 1, 8, 2)],
        ...Array.from({ length: 100_000 }, (): [string, Uint8Array] => ['tEXt', text('k\0v')]),
        ['IDAT', deflateSync(Buffer.alloc(4))],
      ]),
    ),
    refuse(
      'PNG with a chunk longer than the file',
      Buffer.concat([makePng([['IHDR', pngHeader(9, 9, 8, 2)]]).subarray(0, 33), text('\x7f\xff\xff\xffIDAT')]),
    ),
    refuse(
      'PNG without pixels, without header, of no size',
      makePng([['IHDR', pngHeader(9, 9, 8, 2)]]),
      makePng([]),
      makePng([
        ['IHDR', pngHeader(0, 9, 8, 2)],
        ['IDAT', deflateSync(Buffer.alloc(9))],
      ]),
    ),
    refuse('JPEG of 65500 × 65500 in its header', patch(valid.jpeg, jpegFrameAt(valid.jpeg), 0xff, 0xdc, 0xff, 0xdc)),
    refuse('JPEG of no height', patch(valid.jpeg, jpegFrameAt(valid.jpeg), 0, 0, 0, 40)),
    either('JPEG with 2000 more scans', repeatScan(valid['progressive jpeg'], 2000)),
    either('JPEG with a profile of 16 MB', jpegWithProfile(valid.jpeg, 16_000_000)),
    either('JPEG with 60 KB of EXIF noise', jpegWithExif(valid.jpeg, 60_000)),
    refuse('WebP of 16384 × 16384 around a small frame', webpCanvas(valid['lossless webp'])),
    // the frame's own size counts for a GIF, so this one is whole
    either('GIF of 65535 × 65535 around a small frame', patch(valid.gif, 6, 0xff, 0xff, 0xff, 0xff)),
    ...hostileTiffs(valid.tiff),
    ...(options.includeLarge === true ? [either('PNG of 16000 × 16000 black pixels in 0.8 MB', blackPng(16000))] : []),
    refuse(
      'AVIF that says 65535 × 65535',
      patch(valid.avif, indexOf(valid.avif, 'ispe') + 8, 0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff),
    ),
  ];
}

function blackPng(side: number): Uint8Array {
  const rows = Buffer.alloc((3 * side + 1) * side);
  return makePng([
    ['IHDR', pngHeader(side, side, 8, 2)],
    ['IDAT', deflateSync(rows, { level: 9 })],
  ]);
}

const tenths = [1, 2, 3, 4, 5, 6, 7, 8, 9];

async function validFiles(): Promise<
  Record<'png' | 'jpeg' | 'progressive jpeg' | 'webp' | 'lossless webp' | 'tiff' | 'avif' | 'gif', Uint8Array>
> {
  const [width, height] = [60, 40];
  const random = seededRandom(7);
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => 128 + 90 * Math.sin(i / 50) + 30 * random());
  const image = (): Sharp => sharp(data, { raw: { width, height, channels: 3 } });
  return {
    png: await image().png().toBuffer(),
    jpeg: await image().jpeg().toBuffer(),
    'progressive jpeg': await image().jpeg({ progressive: true }).toBuffer(),
    webp: await image().webp().toBuffer(),
    'lossless webp': await image().webp({ lossless: true }).toBuffer(),
    tiff: await image().tiff({ compression: 'deflate', predictor: 'horizontal' }).toBuffer(),
    avif: await image().avif({ effort: 0 }).toBuffer(),
    gif: await image().gif().toBuffer(),
  };
}

function flipBits(file: Uint8Array, count: number, seed: number): Uint8Array[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, i) => {
    const bytes = Uint8Array.from(file);
    for (let flips = 1 + (i % 5); flips > 0; flips--) {
      const at = Math.floor(random() * bytes.length);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
    }
    return bytes;
  });
}

function noiseHoles(file: Uint8Array, count: number, seed: number): Uint8Array[] {
  const random = seededRandom(seed + 100);
  return Array.from({ length: count }, () => {
    const bytes = Uint8Array.from(file);
    const start = Math.floor(random() * bytes.length);
    return bytes.fill(Math.floor(random() * 256), start, start + Math.floor(random() * 64));
  });
}

function patch(file: Uint8Array, at: number, ...values: number[]): Uint8Array {
  const bytes = Uint8Array.from(file);
  bytes.set(values, at);
  return bytes;
}

function indexOf(file: Uint8Array, name: string): number {
  return Buffer.from(file).indexOf(name, 0, 'latin1');
}

/** Where a JPEG's frame header keeps its height. */
function jpegFrameAt(file: Uint8Array): number {
  return Buffer.from(file).indexOf(Buffer.from([0xff, 0xc0])) + 5;
}

/** The last scan of a progressive file many times over. */
function repeatScan(file: Uint8Array, count: number): Uint8Array {
  const last = Buffer.from(file).lastIndexOf(Buffer.from([0xff, 0xda]));
  const scan = file.subarray(last, file.length - 2);
  return Buffer.concat([file.subarray(0, last), ...Array.from({ length: count }, () => scan), file.subarray(-2)]);
}

function jpegSegment(marker: number, payload: Uint8Array): Uint8Array {
  const length = payload.length + 2;
  return Buffer.concat([Uint8Array.of(0xff, marker, length >> 8, length & 255), payload]);
}

function jpegWithProfile(file: Uint8Array, size: number): Uint8Array {
  const chunk = 65_000;
  const count = Math.ceil(size / chunk);
  const parts = Array.from({ length: count }, (_, i) => {
    const head = Buffer.concat([Buffer.from('ICC_PROFILE\0'), Uint8Array.of(i + 1, count)]);
    return jpegSegment(0xe2, Buffer.concat([head, Buffer.alloc(chunk, 7)]));
  });
  return Buffer.concat([file.subarray(0, 2), ...parts, file.subarray(2)]);
}

function jpegWithExif(file: Uint8Array, size: number): Uint8Array {
  const random = seededRandom(3);
  const noise = Uint8Array.from({ length: size }, () => Math.floor(random() * 256));
  const payload = Buffer.concat([Buffer.from('Exif\0\0II*\0\x08\0\0\0\xff\x03', 'latin1'), noise]);
  return Buffer.concat([file.subarray(0, 2), jpegSegment(0xe1, payload), file.subarray(2)]);
}

function webpCanvas(file: Uint8Array): Uint8Array {
  const extended = Buffer.from('VP8X\x0a\0\0\0\0\0\0\0\xff\x3f\0\xff\x3f\0', 'latin1');
  const body = Buffer.concat([Buffer.from('WEBP'), extended, file.subarray(12)]);
  const head = Buffer.from('RIFF\0\0\0\0');
  head.writeUInt32LE(body.length, 4);
  return Buffer.concat([head, body]);
}

function heic(): Uint8Array {
  return Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1');
}

/** Changes of single directory entries of a valid little-endian TIFF, and directories made by hand. */
function hostileTiffs(file: Uint8Array): HostileImageClass[] {
  const directory = new DataView(file.buffer, file.byteOffset).getUint32(4, true);
  const set = (tag: number, value: number): Uint8Array => {
    const bytes = Uint8Array.from(file);
    const view = new DataView(bytes.buffer);
    for (let i = 0, count = view.getUint16(directory, true); i < count; i++) {
      const at = directory + 2 + 12 * i;
      if (view.getUint16(at, true) === tag) {
        view.setUint16(at + 2, 4, true);
        view.setUint32(at + 8, value, true);
      }
    }
    return bytes;
  };
  const count = new DataView(file.buffer, file.byteOffset).getUint16(directory, true);
  const loop = Uint8Array.from(file);
  new DataView(loop.buffer).setUint32(directory + 2 + 12 * count, directory, true);
  const refuse = (name: string, ...files: Uint8Array[]): HostileImageClass => ({ name, outcome: 'refuse', files });
  const either = (name: string, ...files: Uint8Array[]): HostileImageClass => ({
    name,
    outcome: 'load-or-refuse',
    files,
  });
  return [
    refuse('TIFF of 2³¹ − 1 a side', set(256, 2 ** 31 - 1), set(257, 2 ** 31 - 1)),
    refuse('TIFF whose strips lie outside the file', set(273, 0xffff_fff0)),
    either(
      'TIFF with wrong strip sizes, rows, channels, bits',
      set(279, 0x7fff_ffff),
      set(278, 0),
      set(277, 200),
      set(258, 31),
      set(259, 9999),
      set(262, 77),
      set(317, 3),
    ),
    refuse('TIFF whose directories form a circle', loop),
    refuse('TIFF with 100000 directories', manyDirectories(file, directory, 100_000)),
    refuse(
      'TIFF whose directory lies outside the file',
      patch(file, 4, 0xf0, 0xff, 0xff, 0xff),
      patch(file, 4, 0, 0, 0, 0),
    ),
    refuse(
      'BigTIFF whose directory lies beyond 2⁶³',
      Buffer.from('II+\0\x08\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff', 'latin1'),
    ),
  ];
}

function manyDirectories(file: Uint8Array, directory: number, repeat: number): Uint8Array {
  const count = new DataView(file.buffer, file.byteOffset).getUint16(directory, true);
  const size = 2 + 12 * count + 4;
  const one = file.subarray(directory, directory + size);
  const start = file.length + (file.length & 1);
  const result = Buffer.concat([file, Buffer.alloc(file.length & 1), ...Array.from({ length: repeat }, () => one)]);
  const view = new DataView(result.buffer, result.byteOffset);
  view.setUint32(4, start, true);
  for (let i = 0; i < repeat; i++) {
    view.setUint32(start + (i + 1) * size - 4, i + 1 < repeat ? start + (i + 1) * size : 0, true);
  }
  return result;
}

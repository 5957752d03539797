import { type FileHandle, open } from 'node:fs/promises';
import { endianness } from 'node:os';
import { encodeTiffDirectory, makeTiffEntry, tiffDirectorySize, type TiffEntry } from './tiff-directory.js';

/** Size and sample type of the rows that a {@link RowFile} takes. */
export interface RowLayout {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 2 | 3 | 4;
  readonly depth: 8 | 16;
}

/** Bytes that a row file of this layout takes on disk, without its small header. */
export function rowFileBytes({ width, height, channels, depth }: RowLayout): number {
  return width * height * channels * (depth / 8);
}

/**
 * Rows on disk as an uncompressed BigTIFF, from which the encoder library reads strip by strip. That is what keeps the
 * memory bounded for any size: the library takes no rows one by one, it would hold a raw buffer whole, and it maps its
 * own file format whole into memory.
 */
export class RowFile {
  readonly path: string;
  readonly #file: FileHandle;
  #position: number;

  private constructor(path: string, file: FileHandle, position: number) {
    this.path = path;
    this.#file = file;
    this.#position = position;
  }

  /** Creates the file, which must not exist, and writes its header. System errors pass through. */
  static async create(path: string, layout: RowLayout): Promise<RowFile> {
    const file = await open(path, 'wx+', 0o600);
    const header = encodeHeader(layout);
    await file.write(header, 0, header.length, 0);
    return new RowFile(path, file, header.length);
  }

  /** Appends samples in the machine's byte order. */
  async append(samples: Uint8Array | Uint16Array): Promise<void> {
    const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, this.#position);
      done += bytesWritten;
      this.#position += bytesWritten;
    }
  }

  /** Takes the rows away under a running encoder, which then stops with an error instead of working to its end. */
  async truncate(): Promise<void> {
    await this.#file.truncate(0);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

const STRIP_BYTES = 2 ** 20;
const HEADER_BYTES = 16;

function encodeHeader({ width, height, channels, depth }: RowLayout): Uint8Array {
  const littleEndian = endianness() === 'LE';
  const layout = { littleEndian, isBigTiff: true };
  const rowBytes = width * channels * (depth / 8);
  const rowsPerStrip = Math.min(height, Math.max(1, Math.floor(STRIP_BYTES / rowBytes)));
  const stripCount = Math.ceil(height / rowsPerStrip);
  const perStrip = (value: (strip: number) => number): number[] =>
    Array.from({ length: stripCount }, (_, i) => value(i));
  const hasAlpha = channels % 2 === 0;
  const entry = (tag: number, type: 3 | 4 | 16, ...values: number[]): TiffEntry =>
    makeTiffEntry(tag, type, values, littleEndian);
  // TIFF 6.0 tag numbers, in the order of their names there
  const directory = (pixelsAt: number): TiffEntry[] => [
    entry(256, 4, width),
    entry(257, 4, height),
    entry(258, 3, ...Array.from({ length: channels }, () => depth)),
    entry(259, 3, 1), // no compression
    entry(262, 3, channels >= 3 ? 2 : 1), // RGB or black-is-zero
    makeTiffEntry(
      273,
      16,
      perStrip((i) => pixelsAt + i * rowsPerStrip * rowBytes),
      littleEndian,
    ),
    entry(277, 3, channels),
    entry(278, 4, rowsPerStrip),
    makeTiffEntry(
      279,
      16,
      perStrip((i) => Math.min(rowsPerStrip, height - i * rowsPerStrip) * rowBytes),
      littleEndian,
    ),
    ...(hasAlpha ? [entry(338, 3, 2)] : []), // straight alpha
  ];
  const pixelsAt = HEADER_BYTES + tiffDirectorySize(directory(0), layout);
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  view.setUint16(0, littleEndian ? 0x4949 : 0x4d4d);
  view.setUint16(2, 43, littleEndian);
  view.setUint16(4, 8, littleEndian);
  view.setBigUint64(8, BigInt(HEADER_BYTES), littleEndian);
  return Buffer.concat([header, encodeTiffDirectory(directory(pixelsAt), layout, HEADER_BYTES)]);
}

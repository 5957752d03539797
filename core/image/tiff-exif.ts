import { type FileHandle, open } from 'node:fs/promises';
import { type ExifDirectories, layOutExif, parseExif, readExifDirectories } from './exif.js';
import {
  encodeTiffDirectory,
  nextTiffDirectory,
  readTiffHeader,
  type TiffEntry,
  type TiffHeader,
  tiffEntryNumber,
} from './tiff-directory.js';

/** What a TIFF file's own directories tell, which the decoder does not hand out. */
export interface TiffDeclarations {
  /** Descriptive tags, EXIF and GPS; undefined when the first directory cannot be read. */
  readonly exif: ExifDirectories | undefined;
  /** IPTC-IIM records. */
  readonly iptc: Uint8Array | undefined;
  /** True when the compression loses nothing (everything but JPEG, JPEG 2000 and the like). */
  readonly isLossless: boolean;
  /** True when its directories form a circle, or are more than any scan has pages. */
  readonly isEndless: boolean;
  /** True for a camera's raw file or the like, whose first picture is only a preview. */
  readonly isRaw: boolean;
}

/** Tags of the main directory that describe the picture rather than how its pixels are stored. */
const descriptiveTags: ReadonlySet<number> = new Set([
  0x010e, // ImageDescription
  0x010f, // Make
  0x0110, // Model
  0x0131, // Software
  0x0132, // DateTime
  0x013b, // Artist
  0x013c, // HostComputer
  0x4746, // Rating
  0x4749, // RatingPercent
  0x8298, // Copyright
  0x9c9b, // XPTitle, XPComment, XPAuthor, XPKeywords, XPSubject
  0x9c9c,
  0x9c9d,
  0x9c9e,
  0x9c9f,
]);
/** None, CCITT (3), LZW, Deflate (2), PackBits, LZMA, Zstandard. */
const losslessCompressions: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 8, 32946, 32773, 34925, 50000]);
const COMPRESSION = 0x0103;
const NEW_SUBFILE_TYPE = 0x00fe;
const IPTC_RECORDS = 0x83bb;
const DNG_VERSION = 0xc612;
const UNDEFINED_BYTES = 7;

/** The decoder library's time grows with the square of the number of directories. */
const MAX_DIRECTORIES = 4096;

function isEndlessChain(bytes: Uint8Array, header: TiffHeader): boolean {
  let count = 0;
  for (let offset = header.firstDirectory; offset !== 0 && count <= MAX_DIRECTORIES; count++) {
    offset = nextTiffDirectory(bytes, header, offset);
  }
  return count > MAX_DIRECTORIES;
}

/** Reads the declarations of a TIFF file in memory. Bounded by its size; never throws. */
export function readTiffDeclarations(bytes: Uint8Array): TiffDeclarations {
  const header = readTiffHeader(bytes);
  const all = header === undefined ? undefined : readExifDirectories(bytes, header);
  if (header === undefined || all === undefined) {
    return { exif: undefined, iptc: undefined, isLossless: false, isEndless: false, isRaw: false };
  }
  const find = (tag: number): TiffEntry | undefined => all.main.find((entry) => entry.tag === tag);
  const isReducedPreview = ((tiffEntryNumber(find(NEW_SUBFILE_TYPE), header.littleEndian) ?? 0) & 1) !== 0;
  const isCanonRaw = bytes[8] === 0x43 && bytes[9] === 0x52; // "CR" after the header
  return {
    exif: { ...all, main: all.main.filter(isDescriptive) },
    iptc: find(IPTC_RECORDS)?.value,
    isLossless: losslessCompressions.has(tiffEntryNumber(find(COMPRESSION), header.littleEndian) ?? 1),
    isEndless: isEndlessChain(bytes, header),
    isRaw: isReducedPreview || isCanonRaw || find(DNG_VERSION) !== undefined,
  };
}

/**
 * Adds EXIF and IPTC to a finished TIFF file: appends a new first directory, made of the old entries and the new ones,
 * and points the header to it. Nothing else moves. How pixels are stored stays as the file says.
 */
export async function addExifToTiff(
  path: string,
  metadata: { readonly exif?: Uint8Array; readonly iptc?: Uint8Array },
): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const header = readTiffHeader(await readAt(file, 0, 16));
    const offset = Math.ceil((await file.stat()).size / 16) * 16;
    if (header === undefined) {
      return;
    }
    const added: TiffEntry[] = [];
    if (metadata.iptc !== undefined) {
      added.push({ tag: IPTC_RECORDS, type: UNDEFINED_BYTES, count: metadata.iptc.length, value: metadata.iptc });
    }
    const kept = await readEntriesInPlace(file, header);
    const exif = (metadata.exif === undefined ? undefined : parseExif(metadata.exif)) ?? emptyExif;
    const keptTags = new Set(kept.map((entry) => entry.tag));
    const described = exif.main.filter((entry) => isDescriptive(entry) && !keptTags.has(entry.tag));
    // the pointers to the EXIF directories need the size of all entries, so the kept ones go through the layout too
    const { main, chunks } = layOutExif({ ...exif, main: described }, header, offset, [...kept, ...added]);
    const bytes = Buffer.concat([encodeTiffDirectory(main, header, offset), ...chunks]);
    await writeAt(file, bytes, offset);
    await writeAt(file, offsetField(offset, header), header.isBigTiff ? 8 : 4);
  } finally {
    await file.close();
  }
}

const emptyExif: ExifDirectories = { littleEndian: true, main: [], exif: [], gps: [], interoperability: [] };

function isDescriptive(entry: TiffEntry): boolean {
  return descriptiveTags.has(entry.tag);
}

/**
 * Entries whose value is the directory's own value field, number or offset as it stands: written back unchanged, they
 * still point to where the file keeps their data.
 */
async function readEntriesInPlace(file: FileHandle, header: TiffHeader): Promise<readonly TiffEntry[]> {
  const { littleEndian, isBigTiff, firstDirectory } = header;
  const [countSize, entrySize, inlineSize] = isBigTiff ? [8, 20, 8] : [2, 12, 4];
  const head = viewOf(await readAt(file, firstDirectory, countSize));
  const count = isBigTiff ? Number(head.getBigUint64(0, littleEndian)) : head.getUint16(0, littleEndian);
  const bytes = await readAt(file, firstDirectory + countSize, count * entrySize);
  const view = viewOf(bytes);
  return Array.from({ length: count }, (_, i) => {
    const at = i * entrySize;
    return {
      tag: view.getUint16(at, littleEndian),
      type: view.getUint16(at + 2, littleEndian),
      count: isBigTiff ? Number(view.getBigUint64(at + 4, littleEndian)) : view.getUint32(at + 4, littleEndian),
      value: bytes.subarray(at + entrySize - inlineSize, at + entrySize),
    };
  });
}

function offsetField(offset: number, header: TiffHeader): Uint8Array {
  const bytes = new Uint8Array(header.isBigTiff ? 8 : 4);
  if (header.isBigTiff) {
    viewOf(bytes).setBigUint64(0, BigInt(offset), header.littleEndian);
  } else {
    viewOf(bytes).setUint32(0, offset, header.littleEndian);
  }
  return bytes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  await file.read(bytes, 0, length, position);
  return bytes;
}

async function writeAt(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

import {
  encodeTiffDirectory,
  makeTiffEntry,
  readTiffDirectory,
  readTiffHeader,
  swapTiffEntry,
  type TiffEntry,
  type TiffHeader,
  type TiffLayout,
  tiffDirectorySize,
  tiffEntryNumber,
} from './tiff-directory.js';

/** The directories of EXIF 3.0 (CIPA DC-008) that describe the main picture; the thumbnail's is left out. */
export interface ExifDirectories {
  readonly littleEndian: boolean;
  readonly main: readonly TiffEntry[];
  readonly exif: readonly TiffEntry[];
  readonly gps: readonly TiffEntry[];
  readonly interoperability: readonly TiffEntry[];
}

const EXIF_POINTER = 0x8769;
const GPS_POINTER = 0x8825;
const INTEROPERABILITY_POINTER = 0xa005;
const ORIENTATION = 0x0112;
const X_RESOLUTION = 0x011a;
const RESOLUTION_UNIT = 0x0128;
const PIXEL_X_DIMENSION = 0xa002;
const PIXEL_Y_DIMENSION = 0xa003;

/** Tags of the main directory that say where the thumbnail's or another picture's data lie, and so lose their sense. */
const imageDataTags = new Set([0x0111, 0x0117, 0x0144, 0x0145, 0x014a, 0x0201, 0x0202]);

/**
 * Reads an EXIF block, with or without its `Exif\0\0` prefix. Undefined when it is not one; broken entries are left
 * out. Bounded by the block's size; never throws.
 */
export function parseExif(block: Uint8Array): ExifDirectories | undefined {
  const bytes = stripExifPrefix(block);
  const header = readTiffHeader(bytes);
  if (header === undefined || header.isBigTiff) {
    return undefined;
  }
  return readExifDirectories(bytes, header);
}

/** Reads the EXIF directories of a TIFF structure of any layout, starting at its first directory. */
export function readExifDirectories(bytes: Uint8Array, header: TiffHeader): ExifDirectories | undefined {
  const main = readTiffDirectory(bytes, header, header.firstDirectory);
  if (main === undefined) {
    return undefined;
  }
  const child = (parent: readonly TiffEntry[], pointer: number): readonly TiffEntry[] => {
    const offset = tiffEntryNumber(findTag(parent, pointer), header.littleEndian);
    return offset === undefined ? [] : (readTiffDirectory(bytes, header, offset) ?? []);
  };
  const exif = child(main, EXIF_POINTER);
  return {
    littleEndian: header.littleEndian,
    main: withoutTags(main, EXIF_POINTER, GPS_POINTER),
    exif: withoutTags(exif, INTEROPERABILITY_POINTER),
    gps: child(main, GPS_POINTER),
    interoperability: child(exif, INTEROPERABILITY_POINTER),
  };
}

/**
 * The directories as they are right for upright pixels of a given size: orientation 1, pixel dimensions replaced. The
 * thumbnail is already gone: it shows the picture before restoration, in its old orientation.
 */
export function exifForPixels(source: ExifDirectories, width: number, height: number): ExifDirectories {
  const { littleEndian } = source;
  const dimensions = [
    makeTiffEntry(PIXEL_X_DIMENSION, 4, [width], littleEndian),
    makeTiffEntry(PIXEL_Y_DIMENSION, 4, [height], littleEndian),
  ];
  const hasOrientation = findTag(source.main, ORIENTATION) !== undefined;
  return {
    ...source,
    main: [
      ...withoutTags(source.main, ORIENTATION, ...imageDataTags),
      ...(hasOrientation ? [makeTiffEntry(ORIENTATION, 3, [1], littleEndian)] : []),
    ],
    exif:
      source.exif.length === 0
        ? []
        : [...withoutTags(source.exif, PIXEL_X_DIMENSION, PIXEL_Y_DIMENSION), ...dimensions],
  };
}

/** Pixels per inch as the main directory tells, or undefined. */
export function exifDensity(source: ExifDirectories): number | undefined {
  const resolution = findTag(source.main, X_RESOLUTION);
  if (resolution === undefined || resolution.type !== 5 || resolution.count !== 1) {
    return undefined;
  }
  const view = new DataView(resolution.value.buffer, resolution.value.byteOffset, 8);
  const value = view.getUint32(0, source.littleEndian) / view.getUint32(4, source.littleEndian);
  const isPerCentimetre = tiffEntryNumber(findTag(source.main, RESOLUTION_UNIT), source.littleEndian) === 3;
  const density = Math.round(isPerCentimetre ? value * 2.54 : value);
  return density >= 1 && density <= 100_000 ? density : undefined;
}

/** True when nothing is left that would be worth a block. */
export function isExifEmpty(source: ExifDirectories): boolean {
  return source.main.length + source.exif.length + source.gps.length + source.interoperability.length === 0;
}

/** The block as bytes, a classic TIFF structure without the `Exif\0\0` prefix. */
export function encodeExif(source: ExifDirectories): Uint8Array {
  const { littleEndian } = source;
  const header = new Uint8Array(8);
  const view = new DataView(header.buffer);
  view.setUint16(0, littleEndian ? 0x4949 : 0x4d4d);
  view.setUint16(2, 42, littleEndian);
  view.setUint32(4, header.length, littleEndian);
  const layout = { littleEndian, isBigTiff: false };
  const { main, chunks } = layOutExif(source, layout, header.length);
  return Buffer.concat([header, encodeTiffDirectory(main, layout, header.length), ...chunks]);
}

/**
 * Prepares EXIF for a TIFF structure: the main directory with pointers to its children, and the children's bytes, which
 * must follow it directly. `offset` is where the main directory will lie; `others` are entries of it that are in the
 * layout's byte order already.
 */
export function layOutExif(
  source: ExifDirectories,
  layout: TiffLayout,
  offset: number,
  others: readonly TiffEntry[] = [],
): { main: readonly TiffEntry[]; chunks: readonly Uint8Array[] } {
  const { littleEndian, main, exif, gps, interoperability } =
    source.littleEndian === layout.littleEndian ? source : swapExif(source);
  // a pointer's place counts for the sizes, its value only at the end
  const pointer = (tag: number, to: number): TiffEntry =>
    makeTiffEntry(tag, layout.isBigTiff ? 16 : 4, [to], littleEndian);
  const exifWith = (to: number): readonly TiffEntry[] =>
    interoperability.length > 0 ? [...exif, pointer(INTEROPERABILITY_POINTER, to)] : exif;
  const mainWith = (exifAt: number, gpsAt: number): readonly TiffEntry[] => [
    ...others,
    ...main,
    ...(exifWith(0).length > 0 ? [pointer(EXIF_POINTER, exifAt)] : []),
    ...(gps.length > 0 ? [pointer(GPS_POINTER, gpsAt)] : []),
  ];
  const sizeOf = (entries: readonly TiffEntry[]): number =>
    entries.length > 0 ? tiffDirectorySize(entries, layout) : 0;
  const exifAt = offset + sizeOf(mainWith(0, 0));
  const gpsAt = exifAt + sizeOf(exifWith(0));
  const interoperabilityAt = gpsAt + sizeOf(gps);
  const children: readonly (readonly [number, readonly TiffEntry[]])[] = [
    [exifAt, exifWith(interoperabilityAt)],
    [gpsAt, gps],
    [interoperabilityAt, interoperability],
  ];
  return {
    main: mainWith(exifAt, gpsAt),
    chunks: children
      .filter(([, entries]) => entries.length > 0)
      .map(([at, entries]) => encodeTiffDirectory(entries, layout, at)),
  };
}

function swapExif(source: ExifDirectories): ExifDirectories {
  return {
    littleEndian: !source.littleEndian,
    main: source.main.map(swapTiffEntry),
    exif: source.exif.map(swapTiffEntry),
    gps: source.gps.map(swapTiffEntry),
    interoperability: source.interoperability.map(swapTiffEntry),
  };
}

function stripExifPrefix(block: Uint8Array): Uint8Array {
  return Buffer.from(block.buffer, block.byteOffset, Math.min(6, block.length)).toString('latin1') === 'Exif\0\0'
    ? block.subarray(6)
    : block;
}

function findTag(entries: readonly TiffEntry[], tag: number): TiffEntry | undefined {
  return entries.find((entry) => entry.tag === tag);
}

function withoutTags(entries: readonly TiffEntry[], ...tags: number[]): readonly TiffEntry[] {
  return entries.filter((entry) => !tags.includes(entry.tag));
}

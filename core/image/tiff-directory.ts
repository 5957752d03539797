/**
 * Directories of tagged values as TIFF 6.0 section 2 and BigTIFF lay them out; EXIF uses the same. Reading is bounded
 * and never throws: an entry that points outside the bytes is left out.
 */

/** One tagged value with its bytes in the byte order of its file. */
export interface TiffEntry {
  readonly tag: number;
  /** Field type 1…13 of TIFF 6.0 and its supplements; 16…18 in BigTIFF only. */
  readonly type: number;
  readonly count: number;
  readonly value: Uint8Array;
}

/** A TIFF structure ready to be read: where the first directory is, and how numbers are stored. */
export interface TiffHeader {
  readonly littleEndian: boolean;
  readonly isBigTiff: boolean;
  readonly firstDirectory: number;
}

/** Bytes per value of each field type; 0 for a type that nobody defined. */
export function tiffTypeSize(type: number): number {
  return typeSizes[type] ?? 0;
}

const typeSizes = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];

/** Bytes whose numbers a value is made of, which must be swapped together: 8-byte rationals are two 4-byte numbers. */
function swapUnit(type: number): number {
  return type === 5 || type === 10 ? 4 : tiffTypeSize(type);
}

/** Reads the header of a TIFF structure, or undefined when it is none. */
export function readTiffHeader(bytes: Uint8Array): TiffHeader | undefined {
  if (bytes.length < 8) {
    return undefined;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const order = view.getUint16(0);
  if (order !== 0x4949 && order !== 0x4d4d) {
    return undefined;
  }
  const littleEndian = order === 0x4949;
  const version = view.getUint16(2, littleEndian);
  if (version === 42) {
    return { littleEndian, isBigTiff: false, firstDirectory: view.getUint32(4, littleEndian) };
  }
  if (version === 43 && bytes.length >= 16) {
    return { littleEndian, isBigTiff: true, firstDirectory: Number(view.getBigUint64(8, littleEndian)) };
  }
  return undefined;
}

/** Where the entries of the directory at `offset` begin and end; undefined when it lies outside the file. */
function locateEntries(
  bytes: Uint8Array,
  { littleEndian, isBigTiff }: TiffHeader,
  offset: number,
): { readonly start: number; readonly count: number; readonly end: number } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [countSize, entrySize] = isBigTiff ? [8, 20] : [2, 12];
  if (offset < 8 || offset + countSize > bytes.length) {
    return undefined;
  }
  const count = isBigTiff ? Number(view.getBigUint64(offset, littleEndian)) : view.getUint16(offset, littleEndian);
  const start = offset + countSize;
  const end = start + count * entrySize;
  return count <= MAX_ENTRIES && end <= bytes.length ? { start, count, end } : undefined;
}

/** No real directory comes near it. */
const MAX_ENTRIES = 4096;

/** Where the directory after the one at `offset` lies; 0 when there is none. */
export function nextTiffDirectory(bytes: Uint8Array, header: TiffHeader, offset: number): number {
  const end = locateEntries(bytes, header, offset)?.end;
  const { littleEndian, isBigTiff } = header;
  if (end === undefined || end + (isBigTiff ? 8 : 4) > bytes.length) {
    return 0;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return isBigTiff ? Number(view.getBigUint64(end, littleEndian)) : view.getUint32(end, littleEndian);
}

/** The entries of the directory at `offset`, or undefined when there is none. */
export function readTiffDirectory(
  bytes: Uint8Array,
  header: TiffHeader,
  offset: number,
): readonly TiffEntry[] | undefined {
  const located = locateEntries(bytes, header, offset);
  if (located === undefined) {
    return undefined;
  }
  const { littleEndian, isBigTiff } = header;
  const [entrySize, inlineSize] = isBigTiff ? [20, 8] : [12, 4];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const number = (at: number): number =>
    isBigTiff ? Number(view.getBigUint64(at, littleEndian)) : view.getUint32(at, littleEndian);
  const entries: TiffEntry[] = [];
  let budget = bytes.length; // overlapping values could otherwise multiply the file
  for (let at = located.start; at < located.end; at += entrySize) {
    const type = view.getUint16(at + 2, littleEndian);
    const count = number(at + 4);
    const length = count * tiffTypeSize(type);
    const valueField = at + entrySize - inlineSize;
    const valueAt = length <= inlineSize ? valueField : number(valueField);
    if (length > 0 && length <= budget && valueAt + length <= bytes.length) {
      budget -= length;
      const tag = view.getUint16(at, littleEndian);
      entries.push({ tag, type, count, value: bytes.subarray(valueAt, valueAt + length) });
    }
  }
  return entries;
}

/** The unsigned integer that an entry holds (BYTE, SHORT, LONG, IFD or LONG8, count 1), or undefined. */
export function tiffEntryNumber(entry: TiffEntry | undefined, littleEndian: boolean): number | undefined {
  if (entry === undefined || entry.count !== 1) {
    return undefined;
  }
  const view = new DataView(entry.value.buffer, entry.value.byteOffset, entry.value.byteLength);
  switch (entry.type) {
    case 1:
      return view.getUint8(0);
    case 3:
      return view.getUint16(0, littleEndian);
    case 4:
    case 13:
      return view.getUint32(0, littleEndian);
    case 16:
    case 18:
      return Number(view.getBigUint64(0, littleEndian));
    default:
      return undefined;
  }
}

/** An entry with one or more unsigned integers of type SHORT (3), LONG (4) or LONG8 (16). */
export function makeTiffEntry(
  tag: number,
  type: 3 | 4 | 16,
  values: readonly number[],
  littleEndian: boolean,
): TiffEntry {
  const size = tiffTypeSize(type);
  const value = new Uint8Array(size * values.length);
  const view = new DataView(value.buffer);
  for (const [i, number] of values.entries()) {
    if (type === 3) {
      view.setUint16(size * i, number, littleEndian);
    } else if (type === 4) {
      view.setUint32(size * i, number, littleEndian);
    } else {
      view.setBigUint64(size * i, BigInt(number), littleEndian);
    }
  }
  return { tag, type, count: values.length, value };
}

/** The same entry with its numbers in the opposite byte order. Text and undefined bytes stay as they are. */
export function swapTiffEntry(entry: TiffEntry): TiffEntry {
  const unit = swapUnit(entry.type);
  const value = Buffer.from(entry.value); // a copy
  if (unit === 2) {
    value.swap16();
  } else if (unit === 4) {
    value.swap32();
  } else if (unit === 8) {
    value.swap64();
  }
  return { ...entry, value };
}

/** How directories are to be written. */
export interface TiffLayout {
  readonly littleEndian: boolean;
  readonly isBigTiff: boolean;
}

/** Size in bytes of a directory with its outlying values, padded to an even number. */
export function tiffDirectorySize(entries: readonly TiffEntry[], layout: TiffLayout): number {
  const [countSize, entrySize, inlineSize] = layout.isBigTiff ? [8, 20, 8] : [2, 12, 4];
  let size = countSize + entries.length * entrySize + inlineSize;
  for (const { value } of entries) {
    size += value.length > inlineSize ? value.length + (value.length & 1) : 0;
  }
  return size + (size & 1);
}

/**
 * Bytes of a directory that will lie at file offset `offset` (even), entries sorted by tag as the standard wants, with
 * no directory after it.
 */
export function encodeTiffDirectory(entries: readonly TiffEntry[], layout: TiffLayout, offset: number): Uint8Array {
  const { littleEndian, isBigTiff } = layout;
  const [countSize, entrySize, inlineSize] = isBigTiff ? [8, 20, 8] : [2, 12, 4];
  const bytes = new Uint8Array(tiffDirectorySize(entries, layout));
  const view = new DataView(bytes.buffer);
  const setNumber = (at: number, value: number): void =>
    isBigTiff ? view.setBigUint64(at, BigInt(value), littleEndian) : view.setUint32(at, value, littleEndian);
  if (isBigTiff) {
    setNumber(0, entries.length);
  } else {
    view.setUint16(0, entries.length, littleEndian);
  }
  let valuesAt = countSize + entries.length * entrySize + inlineSize;
  for (const [i, entry] of [...entries].sort((a, b) => a.tag - b.tag).entries()) {
    const at = countSize + i * entrySize;
    view.setUint16(at, entry.tag, littleEndian);
    view.setUint16(at + 2, entry.type, littleEndian);
    setNumber(at + 4, entry.count);
    const valueField = at + entrySize - inlineSize;
    if (entry.value.length <= inlineSize) {
      bytes.set(entry.value, valueField);
    } else {
      setNumber(valueField, offset + valuesAt);
      bytes.set(entry.value, valuesAt);
      valuesAt += entry.value.length + (entry.value.length & 1);
    }
  }
  return bytes;
}

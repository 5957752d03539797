import type { ErrorCode, ErrorDetail, MambairError } from '../errors.js';
import { excerpt, fileError } from '../tensor/file-error.js';
import { decodeUtf8 } from '../tensor/utf8.js';

/** One member of a zip archive, checked against the size of the file. All numbers are bytes. */
export interface ZipMember {
  readonly name: string;
  readonly isDeflated: boolean;
  readonly crc: number;
  readonly size: number;
  readonly compressedSize: number;
  readonly headerStart: number;
  readonly dataStart: number;
}

const maxMembers = 100_000;
const endRecordSize = 22;
const zip64LocatorSize = 20;
const zip64RecordSize = 56;
const directoryEntrySize = 46;
const localHeaderSize = 30;

/** PyTorch stores without compression, and weights hardly compress: an archive beyond this ratio is a bomb. */
const maxInflation = 16;
const minInflationLimit = 2 ** 20;

/** Where the directory lies, as the end records say it. */
interface DirectoryLocation {
  readonly count: number;
  readonly offset: number;
  readonly size: number;
  /** Where the end records begin; the directory must end before. */
  readonly limit: number;
}

interface DirectoryEntry extends Omit<ZipMember, 'dataStart'> {
  readonly rawName: Uint8Array;
}

/**
 * Reads the central directory of an archive and checks every member's name, method and place, without inflating
 * anything. The local headers of PyTorch's archives hold neither sizes nor checksums, so only the directory counts.
 * Rules: APPNOTE 6.3.9; limits are ours.
 * @throws MAMBAIR_ZIP_MALFORMED, MAMBAIR_ZIP_LIMIT, MAMBAIR_ZIP_UNSUPPORTED
 */
export function readDirectory(bytes: Uint8Array, fileName: string): ReadonlyMap<string, ZipMember> {
  return new ZipDirectory(bytes, fileName).read();
}

class ZipDirectory {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #fileName: string;

  constructor(bytes: Uint8Array, fileName: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#fileName = fileName;
  }

  read(): ReadonlyMap<string, ZipMember> {
    const { count, offset, size, limit } = this.#locate();
    if (offset + size > limit || count * directoryEntrySize > size) {
      throw this.#malformed(
        `the directory (${count} members, ${size} bytes at byte ${offset}) does not fit before the end record`,
        { offset },
      );
    }
    if (count > maxMembers) {
      throw this.#error('MAMBAIR_ZIP_LIMIT', `at most ${maxMembers} members can be read, the archive has ${count}`);
    }
    const members = new Map<string, ZipMember>();
    let at = offset;
    for (let index = 0; index < count; index++) {
      const { entry, end } = this.#entry(at, offset + size);
      if (members.has(entry.name)) {
        throw this.#malformed(`member ${excerpt(entry.name)} stands twice in the directory`, { offset: at });
      }
      members.set(entry.name, this.#member(entry, offset));
      at = end;
    }
    if (at !== offset + size) {
      throw this.#malformed(`the directory has ${offset + size - at} bytes after its last member`, { offset: at });
    }
    this.#checkExtents([...members.values()]);
    return members;
  }

  /** Searches the end record from the end of the file; its comment must reach exactly to the end. */
  #locate(): DirectoryLocation {
    const length = this.#bytes.length;
    const earliest = Math.max(0, length - endRecordSize - 0xffff);
    for (let at = length - endRecordSize; at >= earliest; at--) {
      if (this.#u32(at) === 0x06054b50 && at + endRecordSize + this.#u16(at + 20) === length) {
        return this.#endRecord(at);
      }
    }
    throw this.#malformed('a zip archive without its end; the file is incomplete, fetch it again', { offset: length });
  }

  #endRecord(at: number): DirectoryLocation {
    const locator = at - zip64LocatorSize;
    if (locator >= 0 && this.#u32(locator) === 0x07064b50) {
      return this.#zip64Record(locator);
    }
    this.#checkDisk([this.#u16(at + 4), this.#u16(at + 6)], at);
    return { count: this.#u16(at + 10), size: this.#u32(at + 12), offset: this.#u32(at + 16), limit: at };
  }

  #zip64Record(locator: number): DirectoryLocation {
    const at = this.#u64(locator + 8);
    if (at + zip64RecordSize > locator || this.#u32(at) !== 0x06064b50) {
      throw this.#malformed('the zip64 locator points to no zip64 end record', { offset: locator });
    }
    this.#checkDisk([this.#u32(at + 16), this.#u32(at + 20)], at);
    return { count: this.#u64(at + 32), size: this.#u64(at + 40), offset: this.#u64(at + 48), limit: at };
  }

  #checkDisk(disks: readonly number[], offset: number): void {
    if (disks.some((disk) => disk !== 0)) {
      throw this.#error('MAMBAIR_ZIP_UNSUPPORTED', 'an archive split over several files cannot be read', { offset });
    }
  }

  #entry(at: number, directoryEnd: number): { entry: DirectoryEntry; end: number } {
    if (at + directoryEntrySize > directoryEnd || this.#u32(at) !== 0x02014b50) {
      throw this.#malformed('a directory entry is missing or cut short', { offset: at });
    }
    const extraStart = at + directoryEntrySize + this.#u16(at + 28);
    const extraEnd = extraStart + this.#u16(at + 30);
    const end = extraEnd + this.#u16(at + 32);
    if (end > directoryEnd) {
      throw this.#malformed('a directory entry is cut short', { offset: at });
    }
    const rawName = this.#bytes.subarray(at + directoryEntrySize, extraStart);
    const name = this.#checkedName(rawName, at);
    const method = this.#u16(at + 10);
    // bit 0: encrypted; 6: strong encryption; 13: encrypted directory
    if ((this.#u16(at + 8) & 0x2041) !== 0 || (method !== 0 && method !== 8)) {
      const reason = method === 0 || method === 8 ? 'is encrypted' : `has compression method ${method}`;
      throw this.#error(
        'MAMBAIR_ZIP_UNSUPPORTED',
        `member ${excerpt(name)} ${reason}; only plain stored or deflated members can be read`,
        { member: name, offset: at },
      );
    }
    const [size, compressedSize, headerStart] = this.#sizes(at, extraStart, extraEnd, name);
    return {
      entry: {
        name,
        rawName,
        isDeflated: method === 8,
        crc: this.#u32(at + 16),
        size,
        compressedSize,
        headerStart,
      },
      end,
    };
  }

  /** Size, compressed size and header offset; each that reads 0xffffffff stands in the zip64 extra field instead. */
  #sizes(at: number, extraStart: number, extraEnd: number, name: string): readonly [number, number, number] {
    const sizes: [number, number, number] = [this.#u32(at + 24), this.#u32(at + 20), this.#u32(at + 42)];
    if (!sizes.includes(0xffffffff)) {
      return sizes;
    }
    for (let field = extraStart; field + 4 <= extraEnd; field += 4 + this.#u16(field + 2)) {
      let value = field + 4;
      const valueEnd = value + this.#u16(field + 2);
      if (this.#u16(field) !== 1 || valueEnd > extraEnd) {
        continue;
      }
      for (let index = 0; index < sizes.length; index++) {
        if (sizes[index] === 0xffffffff && value + 8 <= valueEnd) {
          sizes[index] = this.#u64(value);
          value += 8;
        }
      }
      return sizes;
    }
    throw this.#malformed(`member ${excerpt(name)} lacks its zip64 sizes`, { member: name, offset: at });
  }

  #checkedName(rawName: Uint8Array, offset: number): string {
    const name = decodeUtf8(rawName);
    if (name === undefined) {
      throw this.#malformed('a member has a name that is not UTF-8', { offset });
    }
    // Nothing is ever written under these names; a file that uses such tricks is refused all the same.
    const isSuspect = name === '' || /[\0\\]/.test(name) || /^(?:\/|[A-Za-z]:)/.test(name);
    if (isSuspect || name.split('/').includes('..')) {
      throw this.#malformed(`a member has the unsafe name ${excerpt(name)}`, { offset });
    }
    return name;
  }

  /** Finds a member's data behind its local header, which must agree on the name. */
  #member(entry: DirectoryEntry, directoryStart: number): ZipMember {
    const { rawName, ...rest } = entry;
    const where = { member: entry.name, offset: entry.headerStart };
    const nameStart = entry.headerStart + localHeaderSize;
    if (nameStart > directoryStart || this.#u32(entry.headerStart) !== 0x04034b50) {
      throw this.#malformed(`member ${excerpt(entry.name)} has no local header at byte ${entry.headerStart}`, where);
    }
    const nameEnd = nameStart + this.#u16(entry.headerStart + 26);
    const dataStart = nameEnd + this.#u16(entry.headerStart + 28);
    if (dataStart + entry.compressedSize > directoryStart) {
      throw this.#malformed(
        `member ${excerpt(entry.name)} needs ${entry.compressedSize} bytes at byte ${dataStart}, beyond its end`,
        where,
      );
    }
    const localName = this.#bytes.subarray(nameStart, nameEnd);
    if (localName.length !== rawName.length || localName.some((byte, index) => byte !== rawName[index])) {
      throw this.#malformed(`member ${excerpt(entry.name)} has another name in its local header`, where);
    }
    if (!entry.isDeflated && entry.size !== entry.compressedSize) {
      throw this.#malformed(`member ${excerpt(entry.name)} is stored, yet has two different sizes`, where);
    }
    return { ...rest, dataStart };
  }

  /** Members must not share bytes, and must not grow out of proportion: both are how archive bombs work. */
  #checkExtents(members: readonly ZipMember[]): void {
    let end = 0;
    let total = 0;
    for (const member of members.toSorted((a, b) => a.headerStart - b.headerStart)) {
      if (member.headerStart < end) {
        throw this.#malformed(`member ${excerpt(member.name)} overlaps the one before it`, {
          member: member.name,
          offset: member.headerStart,
        });
      }
      end = member.dataStart + member.compressedSize;
      total += member.size;
    }
    const limit = Math.max(maxInflation * this.#bytes.length, minInflationLimit);
    if (total > limit) {
      throw this.#error(
        'MAMBAIR_ZIP_LIMIT',
        `the members hold ${total} bytes; at most ${limit} are accepted from a file of ${this.#bytes.length}`,
      );
    }
  }

  #error(code: ErrorCode, message: string, detail?: ErrorDetail): MambairError {
    return fileError(code, this.#fileName, message, detail);
  }

  #malformed(message: string, detail: { readonly offset: number; readonly member?: string }): MambairError {
    return this.#error('MAMBAIR_ZIP_MALFORMED', `${message} (byte ${detail.offset})`, detail);
  }

  #u16(at: number): number {
    return this.#view.getUint16(at, true);
  }

  #u32(at: number): number {
    return this.#view.getUint32(at, true);
  }

  /** Beyond 2^53 the value is rounded, which no comparison with the file's size notices. */
  #u64(at: number): number {
    return Number(this.#view.getBigUint64(at, true));
  }
}

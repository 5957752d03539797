import { crc32, inflateRawSync } from 'node:zlib';
import { excerpt, fileError } from '../tensor/file-error.js';
import type { ZipMember } from './zip-directory.js';
import { readDirectory } from './zip-directory.js';

/** A zip archive held in memory. */
export interface ZipArchive {
  readonly fileName: string;
  readonly bytes: Uint8Array;
  readonly members: ReadonlyMap<string, ZipMember>;
}

/**
 * Opens an archive; see {@link readDirectory}.
 * @throws MAMBAIR_ZIP_MALFORMED, MAMBAIR_ZIP_LIMIT, MAMBAIR_ZIP_UNSUPPORTED
 */
export function openZip(bytes: Uint8Array, fileName: string): ZipArchive {
  return { fileName, bytes, members: readDirectory(bytes, fileName) };
}

/**
 * The content of a member: a view of the archive's bytes when it is stored, memory of its own when it is deflated.
 * Never inflates beyond the size the directory declares; the checksum is always compared.
 * @throws MAMBAIR_ZIP_MALFORMED, MAMBAIR_ZIP_CRC
 */
export function readMember(archive: ZipArchive, member: ZipMember): Uint8Array {
  const raw = archive.bytes.subarray(member.dataStart, member.dataStart + member.compressedSize);
  const content = member.isDeflated ? inflate(archive, member, raw) : raw;
  if (crc32(content) !== member.crc) {
    throw fileError(
      'MAMBAIR_ZIP_CRC',
      archive.fileName,
      `member ${excerpt(member.name)} does not match its checksum; the file is damaged, fetch it again`,
      { member: member.name, offset: member.dataStart },
    );
  }
  return content;
}

function inflate(archive: ZipArchive, member: ZipMember, raw: Uint8Array): Uint8Array {
  let content: Uint8Array | undefined;
  let reason = 'more bytes than declared';
  try {
    // One byte more than declared, so that a longer stream stops there and shows.
    const inflated = inflateRawSync(raw, { maxOutputLength: member.size + 1 });
    content = new Uint8Array(inflated.buffer, inflated.byteOffset, inflated.length);
    reason = `${content.length} bytes`;
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    reason = code === 'ERR_BUFFER_TOO_LARGE' ? reason : 'no valid deflate stream';
  }
  if (content?.length !== member.size) {
    throw fileError(
      'MAMBAIR_ZIP_MALFORMED',
      archive.fileName,
      `member ${excerpt(member.name)} should inflate to ${member.size} bytes, but holds ${reason}`,
      { member: member.name, offset: member.dataStart },
    );
  }
  return content;
}

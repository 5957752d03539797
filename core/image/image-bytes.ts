import { open, stat } from 'node:fs/promises';
import { MambairError } from '../errors.js';

/** Larger files are refused: 2 GiB less one is what one buffer of every supported Node takes. */
export const DEFAULT_MAX_FILE_BYTES: number = 2 ** 31 - 1;

/**
 * Reads a whole image file, after asking its kind and size, so that neither a device nor an endless pipe is followed.
 *
 * @throws MAMBAIR_FILE_NOT_FOUND, MAMBAIR_FILE_READ (a folder, a device, no permission), MAMBAIR_IMAGE_TOO_LARGE,
 * MAMBAIR_IMAGE_UNREADABLE (empty)
 */
export async function readImageBytes(path: string, maxFileBytes: number = DEFAULT_MAX_FILE_BYTES): Promise<Uint8Array> {
  const detail = { file: path };
  const entry = await stat(path).catch((error: unknown) => {
    throw fileReadError(path, error);
  });
  if (!entry.isFile()) {
    const what = entry.isDirectory() ? 'a folder' : 'a device or a pipe';
    throw new MambairError('MAMBAIR_FILE_READ', `expected an image file: ${path} is ${what}`, { detail });
  }
  if (entry.size === 0) {
    throw new MambairError('MAMBAIR_IMAGE_UNREADABLE', `expected an image: ${path} is empty`, { detail });
  }
  if (entry.size > maxFileBytes) {
    const message = `expected an image file of at most ${maxFileBytes} bytes: ${path} has ${entry.size}`;
    throw new MambairError('MAMBAIR_IMAGE_TOO_LARGE', message, { detail: { ...detail, bytes: entry.size } });
  }
  return readExactly(path, entry.size).catch((error: unknown) => {
    throw fileReadError(path, error);
  });
}

/** At most `size` bytes; fewer when the file shrinks meanwhile, which the decoder will notice. */
async function readExactly(path: string, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  const file = await open(path, 'r');
  try {
    let done = 0;
    while (done < size) {
      const { bytesRead } = await file.read(bytes, done, size - done, done);
      if (bytesRead === 0) {
        break;
      }
      done += bytesRead;
    }
    return bytes.subarray(0, done);
  } finally {
    await file.close();
  }
}

function fileReadError(path: string, cause: unknown): MambairError {
  const code = systemErrorCode(cause);
  const detail = { file: path, system: code };
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new MambairError('MAMBAIR_FILE_NOT_FOUND', `expected an image file: ${path} does not exist`, {
      detail,
      cause,
    });
  }
  return new MambairError('MAMBAIR_FILE_READ', `cannot read ${path}: ${code}`, { detail, cause });
}

/** The operating system's name of an error, such as ENOENT, or `unknown`. Not by `instanceof`, which fails across realms. */
export function systemErrorCode(error: unknown): string {
  const code = typeof error === 'object' && error !== null ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : 'unknown';
}

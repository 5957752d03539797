import { randomBytes } from 'node:crypto';
import { open, rename, rm, stat } from 'node:fs/promises';
import { MambairError } from './errors.js';

/**
 * Writes a file whole or not at all: under another name beside `path`, flushed to disk, then renamed.
 * Without `overwrite` an existing file stays as it is.
 * @throws MAMBAIR_FILE_EXISTS, MAMBAIR_FILE_WRITE
 */
export async function writeAside(
  path: string,
  bytes: Uint8Array,
  options: { readonly overwrite?: boolean | undefined } = {},
): Promise<void> {
  if (options.overwrite !== true) {
    await refuseExisting(path);
  }
  const aside = `${path}.${randomBytes(6).toString('hex')}.part`;
  try {
    const handle = await open(aside, 'wx');
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(aside, path);
  } catch (cause) {
    await rm(aside, { force: true });
    const system = String((cause as { code?: unknown }).code);
    throw new MambairError('MAMBAIR_FILE_WRITE', `${path}: cannot be written (${system})`, {
      cause,
      detail: { file: path, system },
    });
  }
}

/**
 * Asks before long work whether its result could be written.
 * @throws MAMBAIR_FILE_EXISTS when there is something at `path`
 */
export async function refuseExisting(path: string): Promise<void> {
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  if (exists) {
    throw new MambairError('MAMBAIR_FILE_EXISTS', `${path}: exists already; allow overwriting or choose another name`, {
      detail: { file: path },
    });
  }
}

import type { FileHandle } from 'node:fs/promises';
import { open, stat } from 'node:fs/promises';
import type { ErrorCode } from '../errors.js';
import { MambairError, throwIfCancelled } from '../errors.js';
import { countNonFinite } from '../tensor/convert.js';
import { excerpt, excerptList, fileError } from '../tensor/file-error.js';
import { parseSafetensors } from '../tensor/safetensors.js';
import type { TensorMap } from '../tensor/tensor.js';
import type { CheckpointFormat } from './detect-format.js';
import { detectFormat, detectionBytes } from './detect-format.js';
import { openLegacyCheckpoint } from './legacy.js';
import { selectGroup, stripModulePrefix } from './select.js';
import { readViews } from './view.js';
import { openZipCheckpoint } from './zip-checkpoint.js';

/** What a weight file holds. */
export interface Checkpoint {
  /** How the file is written, found by its content. */
  readonly format: CheckpointFormat;
  /** Dense tensors by name, without a leading `module.`; their bytes may be views of the file's own buffer. */
  readonly tensors: TensorMap;
  /** Keys under which the tensors stood, outermost first; empty for the top level and for safetensors. */
  readonly group: readonly string[];
  /** Names of other groups of tensors in the same file, e.g. `params_ema`. */
  readonly otherGroups: readonly string[];
  /** What the reader accepted and the user may want to know, one sentence each. */
  readonly warnings: readonly string[];
  /** The `__metadata__` of a safetensors file; empty for PyTorch files. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** How to read a checkpoint. */
export interface ReadOptions {
  /** Name of the group of tensors in a PyTorch file; `''` for its top level. Default: `params`, then its usual names. */
  readonly group?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Largest file that is read, 4 GiB: what one buffer holds on Node 20. */
const maxFileBytes = 2 ** 32;

/** Read in parts, so that a cancel is noticed. */
const readBytes = 2 ** 24;

/**
 * Reads the weights of a file held in memory, safetensors or PyTorch, told apart by content. Nothing in the file is
 * executed, whatever it holds. Time and memory are in proportion to its size; uncompressed dense tensors are not copied.
 * `fileName` is for messages only.
 * @throws MAMBAIR_NOT_A_CHECKPOINT, MAMBAIR_OPTION_INVALID, MAMBAIR_CANCELLED, MAMBAIR_NO_TENSORS, and the
 * MAMBAIR_ZIP_, MAMBAIR_PTH_, MAMBAIR_PICKLE_, MAMBAIR_STORAGE_, MAMBAIR_TENSOR_ and MAMBAIR_SAFETENSORS_ codes
 */
export function parseCheckpoint(bytes: Uint8Array, fileName: string, options: ReadOptions = {}): Checkpoint {
  const file = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const format = detectFormat(file, file.length, fileName);
  const checkpoint =
    format === 'safetensors' ? parseFlat(file, fileName, options) : parsePth(file, fileName, { format, ...options });
  return { ...checkpoint, warnings: [...checkpoint.warnings, ...warnOfNonFinite(checkpoint.tensors)] };
}

function parseFlat(file: Uint8Array, fileName: string, { group = '' }: ReadOptions): Checkpoint {
  if (group !== '') {
    throw new MambairError(
      'MAMBAIR_OPTION_INVALID',
      `${fileName}: a safetensors file has no groups; leave out group ${excerpt(group)}`,
      { detail: { file: fileName, group } },
    );
  }
  const { tensors, metadata } = parseSafetensors(file, fileName);
  const warnings = tensors.size === 0 ? ['the file holds no tensors'] : [];
  const format = 'safetensors';
  return { format, tensors: stripModulePrefix(tensors, fileName), group: [], otherGroups: [], warnings, metadata };
}

function parsePth(
  file: Uint8Array,
  fileName: string,
  { format, group, signal }: ReadOptions & { readonly format: 'pth-zip' | 'pth-legacy' },
): Checkpoint {
  const pth = format === 'pth-zip' ? openZipCheckpoint(file, fileName) : openLegacyCheckpoint(file, fileName);
  const selected = selectGroup(pth.root, fileName, group);
  const source = { fileName, fileSize: file.length, loadStorage: pth.loadStorage };
  return {
    format,
    tensors: readViews(stripModulePrefix(selected.tensors, fileName), source, signal),
    group: selected.path,
    otherGroups: selected.otherGroups,
    warnings: [...pth.warnings, ...selected.warnings],
    metadata: new Map<string, string>(),
  };
}

function warnOfNonFinite(tensors: TensorMap): readonly string[] {
  const names = [...tensors].filter(([, tensor]) => countNonFinite(tensor) > 0).map(([name]) => name);
  return names.length === 0 ? [] : [`NaN or infinite values in ${excerptList(names)}`];
}

/**
 * Reads the weights of a file, safetensors or PyTorch, told apart by content. Nothing in the file is executed, whatever
 * it holds; a file that is no checkpoint is refused by its first bytes. Time and memory are in proportion to its size.
 * @throws MAMBAIR_FILE_NOT_FOUND, MAMBAIR_FILE_READ, MAMBAIR_OUT_OF_MEMORY, MAMBAIR_NOT_A_CHECKPOINT,
 * MAMBAIR_OPTION_INVALID, MAMBAIR_CANCELLED, MAMBAIR_NO_TENSORS, and the MAMBAIR_ZIP_, MAMBAIR_PTH_, MAMBAIR_PICKLE_,
 * MAMBAIR_STORAGE_, MAMBAIR_TENSOR_ and MAMBAIR_SAFETENSORS_ codes
 */
export async function readCheckpoint(path: string, options: ReadOptions = {}): Promise<Checkpoint> {
  const handle = await openFile(path);
  try {
    const bytes = await readWhole(handle, path, options.signal);
    return parseCheckpoint(bytes, path, options);
  } finally {
    await handle.close();
  }
}

/** Opens what is an ordinary file; a pipe or device would block or never end. */
async function openFile(path: string): Promise<FileHandle> {
  try {
    const status = await stat(path);
    if (status.isFile()) {
      return await open(path, 'r');
    }
  } catch (error) {
    throw readFailure(path, error);
  }
  throw fileError('MAMBAIR_FILE_READ', path, 'expected a file, but this is a folder, a pipe or a device');
}

async function readWhole(handle: FileHandle, path: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const { size } = await handle.stat();
  const head = new Uint8Array(Math.min(size, detectionBytes));
  await readInto(handle, head, { path, position: 0 });
  detectFormat(head, size, path);
  if (size > maxFileBytes) {
    throw fileError(
      'MAMBAIR_FILE_READ',
      path,
      `a checkpoint of at most ${maxFileBytes} bytes can be read, not ${size}`,
    );
  }
  const bytes = allocate(size, path);
  for (let at = 0; at < size; at += readBytes) {
    throwIfCancelled(signal);
    await readInto(handle, bytes.subarray(at, at + readBytes), { path, position: at });
  }
  throwIfCancelled(signal);
  return bytes;
}

function allocate(size: number, path: string): Uint8Array {
  try {
    return new Uint8Array(size);
  } catch (error) {
    throw new MambairError('MAMBAIR_OUT_OF_MEMORY', `${path}: no memory for a file of ${size} bytes`, {
      cause: error,
      detail: { file: path, bytes: size },
    });
  }
}

async function readInto(
  handle: FileHandle,
  target: Uint8Array,
  { path, position }: { readonly path: string; readonly position: number },
): Promise<void> {
  let filled = 0;
  while (filled < target.length) {
    const bytesRead = await handle
      .read(target, filled, target.length - filled, position + filled)
      .then((result) => result.bytesRead)
      .catch((error: unknown) => {
        throw readFailure(path, error);
      });
    if (bytesRead === 0) {
      throw fileError('MAMBAIR_FILE_READ', path, 'the file became shorter while it was read');
    }
    filled += bytesRead;
  }
}

/** The failure of a system call, as one of our errors. */
function readFailure(path: string, cause: unknown): MambairError {
  const systemCode = String((cause as { code?: unknown }).code);
  const isMissing = systemCode === 'ENOENT' || systemCode === 'ENOTDIR';
  const code: ErrorCode = isMissing ? 'MAMBAIR_FILE_NOT_FOUND' : 'MAMBAIR_FILE_READ';
  const message = isMissing ? `${path}: there is no such file` : `${path}: cannot be read (${systemCode})`;
  return new MambairError(code, message, { cause, detail: { file: path, system: systemCode } });
}

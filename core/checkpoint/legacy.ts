import { invariant } from '../errors.js';
import { excerpt, fileError } from '../tensor/file-error.js';
import { dtypeBytes } from '../tensor/tensor.js';
import { ByteReader } from './byte-reader.js';
import { runPickle } from './pickle.js';
import type { PickleStorage, PickleValue } from './pickle-values.js';
import { describeValue, ofKind } from './pickle-values.js';
import type { PthFile } from './pth-file.js';
import type { StorageRegistry } from './storage.js';

/** `PROTOCOL_VERSION` of torch.serialization. */
const protocolVersion = 1001;

/**
 * Opens a PyTorch file of before 1.6: five pickles (magic number, version, system, object, storage keys), then the
 * storages in the order of the keys, each an int64 element count and its elements.
 * @throws MAMBAIR_PTH_MALFORMED, MAMBAIR_PTH_UNSUPPORTED, MAMBAIR_STORAGE_INVALID, the MAMBAIR_PICKLE_ codes
 */
export function openLegacyCheckpoint(bytes: Uint8Array, fileName: string): PthFile {
  const plain = (part: string, start: number) => runPickle(bytes, { fileName, part, start, tensors: 'none' });
  // The magic number; the format was told by it.
  const magic = plain('magic number', 0);
  const version = plain('version', magic.end);
  if (version.value !== protocolVersion) {
    throw fileError(
      'MAMBAIR_PTH_UNSUPPORTED',
      fileName,
      `the version should be ${protocolVersion}, but is ${typeof version.value === 'number' ? version.value : describeValue(version.value)}`,
      { offset: magic.end },
    );
  }
  // Byte order and type sizes of the machine that wrote the file; the data are little-endian whatever it says.
  const system = plain('system information', version.end);
  const object = runPickle(bytes, { fileName, part: 'object', start: system.end, tensors: 'legacy' });
  const keys = plain('storage keys', object.end);
  const names = checkKeys(keys.value, { storages: object.storages, fileName, offset: object.end });
  const { contents, end } = locateStorages(bytes, { names, storages: object.storages, fileName, start: keys.end });
  const rest = bytes.length - end;
  return {
    root: object.value,
    loadStorage: (storage: PickleStorage) => contentOf(contents, storage.key),
    warnings: rest === 0 ? [] : [`${rest} bytes after the last storage are ignored`],
  };
}

function contentOf(contents: ReadonlyMap<string, Uint8Array>, key: string): Uint8Array {
  const content = contents.get(key);
  invariant(content !== undefined, `storage ${key} passed the key check`);
  return content;
}

interface KeyContext {
  readonly storages: StorageRegistry;
  readonly fileName: string;
  readonly offset: number;
}

/** The key list names every storage of the object once, and no other. */
function checkKeys(value: PickleValue, { storages, fileName, offset }: KeyContext): readonly string[] {
  const names = new Set<string>();
  const invalid = (message: string) => fileError('MAMBAIR_STORAGE_INVALID', fileName, message, { offset });
  for (const key of ofKind(value, 'list')?.items ?? []) {
    if (typeof key !== 'string' || !storages.has(key) || names.has(key)) {
      const found = typeof key === 'string' ? excerpt(key) : describeValue(key);
      throw invalid(`the list of storages names ${found}, which no tensor uses or which stands there twice`);
    }
    names.add(key);
  }
  const missing = [...storages.keys()].find((key) => !names.has(key));
  if (missing !== undefined) {
    throw invalid(`the list of storages lacks storage ${missing}`);
  }
  return [...names];
}

interface StorageLayout {
  readonly names: readonly string[];
  readonly storages: StorageRegistry;
  readonly fileName: string;
  readonly start: number;
}

function locateStorages(
  bytes: Uint8Array,
  { names, storages, fileName, start }: StorageLayout,
): { readonly contents: ReadonlyMap<string, Uint8Array>; readonly end: number } {
  let current = '';
  const invalid = (message: string) =>
    fileError('MAMBAIR_STORAGE_INVALID', fileName, `storage ${current} ${message} (byte ${reader.at})`, {
      storage: current,
      offset: reader.at,
    });
  const reader: ByteReader = new ByteReader(bytes, start, (wanted, left) =>
    invalid(`needs ${wanted} more bytes, the file has ${left}; it is incomplete, fetch it again`),
  );
  const contents = new Map<string, Uint8Array>();
  for (const name of names) {
    const storage = storages.get(name);
    invariant(storage !== undefined, `storage ${name} passed the key check`);
    const { dtype, count } = storage;
    current = name;
    const written = reader.i64();
    if (written !== BigInt(count)) {
      throw invalid(`has ${count} elements by its tensors and ${written} by its own count`);
    }
    contents.set(name, reader.take(count * dtypeBytes[dtype]));
  }
  return { contents, end: reader.at };
}

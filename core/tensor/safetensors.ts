import { MambairError } from '../errors.js';
import { excerpt, fileError } from './file-error.js';
import type { HeaderEntry } from './safetensors-header.js';
import { readHeader } from './safetensors-header.js';
import { checkedElementCount } from './shape.js';
import type { DType, StoredTensor, TensorMap } from './tensor.js';
import { dtypeBytes } from './tensor.js';
import { decodeUtf8 } from './utf8.js';

/** What a safetensors file holds. */
export interface SafetensorsFile {
  /** In the order of the header. `bytes` are views of the file's own buffer, at any alignment. */
  readonly tensors: TensorMap;
  /** The file's `__metadata__`; empty without one. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** Largest header that the format's reference implementation reads. */
const maxHeaderBytes = 100_000_000;

/** Header start of the files we write, as the reference implementation aligns it. */
const headerAlignment = 8;

function malformed(fileName: string, message: string): MambairError {
  return fileError('MAMBAIR_SAFETENSORS_MALFORMED', fileName, message);
}

/**
 * Reads a whole safetensors file: a little-endian u64 length, that many bytes of JSON, then the tensors' bytes without
 * hole or overlap. Everything the header says is checked before a tensor is touched; nothing is copied.
 * `fileName` is for messages only.
 * @throws MAMBAIR_SAFETENSORS_MALFORMED, MAMBAIR_SAFETENSORS_LIMIT
 */
export function parseSafetensors(bytes: Uint8Array, fileName: string): SafetensorsFile {
  // A Node Buffer is a Uint8Array whose slice() means something else; hand out plain ones only.
  const file = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const dataStart = 8 + headerLength(file, fileName);
  const { entries, metadata } = readHeader(decodeHeader(file.subarray(8, dataStart), fileName), fileName);
  const data = file.subarray(dataStart);
  checkLayout(entries, data.length, fileName);
  const tensors = new Map<string, StoredTensor>();
  for (const entry of entries) {
    tensors.set(entry.name, {
      dtype: checkedDtype(entry, fileName),
      shape: entry.shape,
      bytes: data.subarray(entry.begin, entry.end),
    });
  }
  return { tensors, metadata };
}

function headerLength(file: Uint8Array, fileName: string): number {
  if (file.length < 8) {
    throw malformed(fileName, `a safetensors file has at least 8 bytes, this one has ${file.length}`);
  }
  const length = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);
  if (length > BigInt(maxHeaderBytes)) {
    throw fileError(
      'MAMBAIR_SAFETENSORS_LIMIT',
      fileName,
      `the header should have at most ${maxHeaderBytes} bytes, but says ${length}; is this a safetensors file?`,
    );
  }
  if (length < 2n || 8n + length > BigInt(file.length)) {
    throw malformed(
      fileName,
      `the header should end at byte ${8n + length}, the file has ${file.length}; it is incomplete or no safetensors file`,
    );
  }
  return Number(length);
}

function decodeHeader(bytes: Uint8Array, fileName: string): string {
  if (bytes[0] !== 0x7b) {
    throw malformed(fileName, 'the header should begin with { at byte 8');
  }
  const json = decodeUtf8(bytes);
  if (json === undefined) {
    throw malformed(fileName, 'the header is not UTF-8 text');
  }
  return json;
}

function checkedDtype(entry: HeaderEntry, fileName: string): DType {
  if (!Object.hasOwn(dtypeBytes, entry.dtype)) {
    throw malformed(
      fileName,
      `tensor ${excerpt(entry.name)} has dtype ${excerpt(entry.dtype)}; supported are ${Object.keys(dtypeBytes).join(', ')}`,
    );
  }
  return entry.dtype as DType;
}

/** Every tensor has exactly the bytes its shape needs, and together they cover the data, each byte once. */
function checkLayout(entries: readonly HeaderEntry[], dataLength: number, fileName: string): void {
  for (const entry of entries) {
    const count = checkedElementCount(entry.shape);
    const size = (count ?? Number.NaN) * dtypeBytes[checkedDtype(entry, fileName)];
    if (entry.end - entry.begin !== size) {
      throw malformed(
        fileName,
        `tensor ${excerpt(entry.name)} of shape [${entry.shape.join(', ')}] and dtype ${entry.dtype} ` +
          `needs ${count === undefined ? 'more than 2^53' : size} bytes, its data_offsets are ${entry.begin} and ${entry.end}`,
      );
    }
  }
  const byOffset = entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const entry of byOffset) {
    if (entry.begin !== covered) {
      throw malformed(
        fileName,
        `tensor ${excerpt(entry.name)} begins at data byte ${entry.begin}, the one before it ends at ${covered}`,
      );
    }
    covered = entry.end;
  }
  if (covered !== dataLength) {
    throw malformed(fileName, `the tensors need ${covered} data bytes, the file has ${dataLength}`);
  }
}

function encodeHeader(names: readonly string[], tensors: TensorMap, metadata: ReadonlyMap<string, string>): Uint8Array {
  const members: string[] = [];
  if (metadata.size > 0) {
    const pairs = [...metadata].toSorted(([a], [b]) => (a < b ? -1 : 1));
    members.push(
      `"__metadata__":{${pairs.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`,
    );
  }
  let begin = 0;
  for (const name of names) {
    const { dtype, shape, bytes } = tensors.get(name) as StoredTensor;
    const end = begin + bytes.length;
    members.push(
      `${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape.join(',')}],"data_offsets":[${begin},${end}]}`,
    );
    begin = end;
  }
  const json = `{${members.join(',')}}`;
  const length = new TextEncoder().encode(json).length;
  return new TextEncoder().encode(json + ' '.repeat((headerAlignment - (length % headerAlignment)) % headerAlignment));
}

/**
 * Writes tensors as one safetensors file. The same content gives the same bytes: tensors are sorted by element size
 * (widest first, so that each lies at a multiple of its own) and then by name, metadata by key.
 * @throws MAMBAIR_TENSOR_INVALID for a name or metadata that the format cannot hold, and for a tensor whose bytes do not fit its
 * shape and dtype.
 */
export function encodeSafetensors(
  tensors: TensorMap,
  metadata: ReadonlyMap<string, string> = new Map<string, string>(),
): Uint8Array {
  const widthOf = (name: string) => dtypeBytes[(tensors.get(name) as StoredTensor).dtype];
  const names = [...tensors.keys()].toSorted((a, b) => widthOf(b) - widthOf(a) || (a < b ? -1 : 1));
  for (const text of [...tensors.keys(), ...metadata.keys(), ...metadata.values()]) {
    if (/\p{Surrogate}/u.test(text) || (text === '__metadata__' && tensors.has(text))) {
      throw new MambairError('MAMBAIR_TENSOR_INVALID', `a safetensors file cannot hold the text ${excerpt(text)}`);
    }
  }
  for (const [name, { dtype, shape, bytes }] of tensors) {
    const count = shape.every((size) => Number.isSafeInteger(size) && size >= 0)
      ? checkedElementCount(shape)
      : undefined;
    if (count === undefined || count * dtypeBytes[dtype] !== bytes.length) {
      throw new MambairError(
        'MAMBAIR_TENSOR_INVALID',
        `tensor ${excerpt(name)} of shape [${shape.join(', ')}] and dtype ${dtype} does not fit its ${bytes.length} bytes`,
      );
    }
  }
  const header = encodeHeader(names, tensors, metadata);
  const dataLength = names.reduce((sum, name) => sum + (tensors.get(name) as StoredTensor).bytes.length, 0);
  const file = new Uint8Array(8 + header.length + dataLength);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(header, 8);
  let at = 8 + header.length;
  for (const name of names) {
    const { bytes } = tensors.get(name) as StoredTensor;
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}

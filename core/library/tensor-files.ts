import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { MambairError } from '../errors.js';
import type { Routing } from '../executors/executor.js';
import { toFloat32, fromFloat32 } from '../tensor/convert.js';
import { encodeSafetensors, parseSafetensors } from '../tensor/safetensors.js';
import type { StoredTensor, Tensor, TensorMap } from '../tensor/tensor.js';

/**
 * Reads the tensor `input` of a safetensors file: `[B, C, H, W]`, any float type.
 * @throws MAMBAIR_FILE_NOT_FOUND, MAMBAIR_FILE_READ, MAMBAIR_SAFETENSORS_MALFORMED, MAMBAIR_TENSOR_INVALID
 */
export async function readInputTensor(path: string): Promise<Tensor> {
  const tensors = await readTensors(path);
  const stored = tensors.get('input');
  if (stored === undefined) {
    const names = [...tensors.keys()].slice(0, 5).join(', ');
    throw new MambairError(
      'MAMBAIR_TENSOR_INVALID',
      `${path} should hold a tensor called "input" of shape [B, C, H, W]; it holds ${names === '' ? 'none' : names}`,
      { detail: { path } },
    );
  }
  return { shape: stored.shape, data: toFloat32(stored) };
}

/**
 * Reads routing noise as the fixtures hold it: tensors `noise0`, `noise1`, …, one for each block, `[B, L, T]`.
 * @throws as {@link readInputTensor}
 */
export async function readNoise(path: string): Promise<Routing> {
  const tensors = await readTensors(path);
  const noise: Float32Array[] = [];
  for (;;) {
    const stored = tensors.get(`noise${noise.length}`);
    if (stored === undefined) {
      break;
    }
    noise.push(toFloat32(stored));
  }
  if (noise.length === 0) {
    throw new MambairError(
      'MAMBAIR_TENSOR_INVALID',
      `${path} should hold tensors called "noise0", "noise1", … of shape [B, L, T]`,
      { detail: { path } },
    );
  }
  return { kind: 'replay', noise };
}

/** Values to write, by name. */
export type NamedValues = ReadonlyMap<
  string,
  { readonly shape: readonly number[]; readonly data: Float32Array | Int32Array }
>;

/**
 * Writes named values as a safetensors file (F32 and I32), aside and then renamed.
 * @throws MAMBAIR_FILE_WRITE
 */
export async function writeTensors(path: string, values: NamedValues): Promise<void> {
  const tensors = new Map<string, StoredTensor>();
  for (const [name, { shape, data }] of values) {
    // the realm may differ, so the tag decides
    const isFloat = Object.prototype.toString.call(data) === '[object Float32Array]';
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    tensors.set(name, isFloat ? fromFloat32(data as Float32Array, shape, 'F32') : { dtype: 'I32', shape, bytes });
  }
  const aside = join(dirname(path), `.${basename(path)}.partial-${process.pid}-0`);
  try {
    await writeFile(aside, encodeSafetensors(tensors));
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw new MambairError('MAMBAIR_FILE_WRITE', `${path} could not be written: ${(error as Error).message}`, {
      cause: error,
      detail: { path },
    });
  }
}

async function readTensors(path: string): Promise<TensorMap> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const isMissing = (error as { code?: string }).code === 'ENOENT';
    throw new MambairError(
      isMissing ? 'MAMBAIR_FILE_NOT_FOUND' : 'MAMBAIR_FILE_READ',
      isMissing ? `there is no file ${path}` : `${path} could not be read: ${(error as Error).message}`,
      { cause: error, detail: { path } },
    );
  }
  return parseSafetensors(bytes, path).tensors;
}

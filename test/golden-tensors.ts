import { readFileSync } from 'node:fs';
import { parseSafetensors } from '../core/tensor/safetensors.js';

/** A tensor of a fixture, in its own element type. */
export interface GoldenTensor {
  readonly shape: readonly number[];
  readonly data: Uint8Array | Float32Array | Float64Array;
}

/** Reads a `.safetensors` fixture of U8, F32 and F64 tensors. */
export function readGoldenTensors(path: string): ReadonlyMap<string, GoldenTensor> {
  const { tensors } = parseSafetensors(readFileSync(path), path);
  return new Map(
    [...tensors].map(([name, { dtype, shape, bytes }]) => {
      // a copy, so that the values are aligned
      const { buffer } = Uint8Array.from(bytes);
      const Elements = { U8: Uint8Array, F32: Float32Array, F64: Float64Array }[dtype as 'U8' | 'F32' | 'F64'];
      return [name, { shape, data: new Elements(buffer) }];
    }),
  );
}

/** The named tensor of a fixture. */
export function goldenTensor<T extends GoldenTensor['data']>(
  tensors: ReadonlyMap<string, GoldenTensor>,
  name: string,
): { readonly shape: readonly number[]; readonly data: T } {
  const found = tensors.get(name);
  if (found === undefined) {
    throw new Error(`the fixture has no tensor ${name}`);
  }
  return { shape: found.shape, data: found.data as T };
}

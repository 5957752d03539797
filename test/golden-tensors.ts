import { readFileSync } from 'node:fs';

/** A tensor of a trusted fixture, in its own element type. */
export interface GoldenTensor {
  readonly shape: readonly number[];
  readonly data: Uint8Array | Float32Array | Float64Array;
}

interface Entry {
  readonly dtype: string;
  readonly shape: number[];
  readonly data_offsets: [number, number];
}

/** Reads a `.safetensors` fixture of U8, F32 and F64 tensors; for tests that must not lean on the loader they test beside. */
export function readGoldenTensors(path: string): ReadonlyMap<string, GoldenTensor> {
  const file = readFileSync(path);
  const headerLength = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, 8 + headerLength)) as Record<string, Entry>;
  return new Map(
    Object.entries(header).map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [start, end],
        },
      ]) => {
        const bytes = Uint8Array.from(file.subarray(8 + headerLength + start, 8 + headerLength + end));
        const data =
          dtype === 'F32' ? new Float32Array(bytes.buffer) : dtype === 'F64' ? new Float64Array(bytes.buffer) : bytes;
        return [name, { shape, data }];
      },
    ),
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

import { MambairError } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { elementCount } from '../tensor/tensor.js';
import type { TileRectangle } from './tile-plan.js';
import { sourceIndices } from './tile-plan.js';

/** Finished output rows, from top to bottom: one array `[rowCount, width]` per channel, valid until the call returns. */
export interface PlanarRows {
  readonly firstRow: number;
  readonly rowCount: number;
  readonly width: number;
  readonly planes: readonly Float32Array[];
}

/** New float32 memory. @throws MAMBAIR_OUT_OF_MEMORY */
export function allocateFloats(length: number): Float32Array {
  try {
    return new Float32Array(length);
  } catch (cause) {
    const mebibytes = Math.round((length * 4) / 2 ** 20);
    throw new MambairError('MAMBAIR_OUT_OF_MEMORY', `no memory for ${mebibytes} MiB of pixels; use smaller tiles`, {
      cause,
    });
  }
}

/** A tensor of zeros. @throws MAMBAIR_OUT_OF_MEMORY */
export function createTensor(shape: readonly number[]): Tensor {
  return { shape, data: allocateFloats(elementCount(shape)) };
}

/** The channels of `[1, C, h, w]`, as views. */
export function tensorPlanes(tensor: Tensor): Float32Array[] {
  const channels = tensor.shape[1] ?? 0;
  const plane = tensor.data.length / channels;
  return Array.from({ length: channels }, (_, c) => tensor.data.subarray(c * plane, (c + 1) * plane));
}

/** `[1, C, h, w]` from its channels. */
export function tensorFromPlanes(planes: readonly Float32Array[], height: number, width: number): Tensor {
  const result = createTensor([1, planes.length, height, width]);
  for (const [c, plane] of planes.entries()) {
    result.data.set(plane, c * plane.length);
  }
  return result;
}

/** What a tile reads of `[1, C, h, w]`, mirrored beyond the end. */
export function cropTensor(input: Tensor, { rows, columns }: TileRectangle): Tensor {
  const [, channels = 0, height = 0, width = 0] = input.shape;
  const rowIndices = sourceIndices(rows, height);
  const columnIndices = sourceIndices(columns, width);
  const tile = createTensor([1, channels, rowIndices.length, columnIndices.length]);
  let at = 0;
  for (const plane of tensorPlanes(input)) {
    for (const y of rowIndices) {
      for (const x of columnIndices) {
        tile.data[at] = plane[y * width + x]!;
        at += 1;
      }
    }
  }
  return tile;
}

/** Puts finished rows into whole planes. */
export function copyRows(rows: PlanarRows, planes: readonly Float32Array[]): Promise<void> {
  for (const [c, values] of rows.planes.entries()) {
    planes[c]!.set(values, rows.firstRow * rows.width);
  }
  return Promise.resolve();
}

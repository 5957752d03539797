import { MambairError } from '../errors.js';

/** How the numbers of a network are stored while it runs: float32, or halves (binary16). Sums are float32 always. */
export type Precision = 'f32' | 'f16';

/** Element types a checkpoint can hold, by their safetensors names. */
export type DType =
  | 'F64'
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'I64'
  | 'I32'
  | 'I16'
  | 'I8'
  | 'U64'
  | 'U32'
  | 'U16'
  | 'U8'
  | 'BOOL';

/** Bytes per element of each {@link DType}. */
export const dtypeBytes: Readonly<Record<DType, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
};

/**
 * A named-tensor value as it stands in a file: `bytes` holds the elements little-endian, in C order (last axis
 * fastest), without gaps. `bytes.length` = product of `shape` × {@link dtypeBytes}. Shape `[]` is a scalar.
 */
export interface StoredTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** Named tensors of one file or network. Always a Map: names such as `__proto__` are ordinary. */
export type TensorMap = ReadonlyMap<string, StoredTensor>;

/** A dense float32 value in C order, e.g. an image batch `[B, C, H, W]`. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Number of elements of a shape; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((count, size) => count * size, 1);
}

/** Wraps data as a tensor. @throws MAMBAIR_SHAPE_MISMATCH when the length is not the product of the shape. */
export function tensor(shape: readonly number[], data: Float32Array): Tensor {
  if (elementCount(shape) !== data.length) {
    throw new MambairError(
      'MAMBAIR_SHAPE_MISMATCH',
      `a tensor of shape [${shape.join(', ')}] needs ${elementCount(shape)} values, ${data.length} were given`,
    );
  }
  return { shape, data };
}

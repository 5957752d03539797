import { MambairError } from '../errors.js';
import { narrowBfloat16, narrowFloat16, widenBfloat16, widenFloat16 } from './float16.js';
import type { DType, StoredTensor } from './tensor.js';
import { dtypeBytes, elementCount } from './tensor.js';

/** The floating-point types that a tensor can be written as from float32. */
export type FloatDType = 'F32' | 'F16' | 'BF16';

/** True for the dtypes that hold fractions: F64, F32, F16, BF16. */
export function isFloat(dtype: DType): boolean {
  return dtype === 'F64' || dtype === 'F32' || dtype === 'F16' || dtype === 'BF16';
}

/** The bytes from a place where a typed array of `unit`-byte elements may stand; copied only if they do not. */
function aligned(bytes: Uint8Array, unit: number): Uint8Array {
  return bytes.byteOffset % unit === 0 ? bytes : new Uint8Array(bytes);
}

function words16(bytes: Uint8Array): Uint16Array {
  const source = aligned(bytes, 2);
  return new Uint16Array(source.buffer, source.byteOffset, source.length / 2);
}

function words32(bytes: Uint8Array): Uint32Array {
  const source = aligned(bytes, 4);
  return new Uint32Array(source.buffer, source.byteOffset, source.length / 4);
}

/** 64-bit integers as doubles; the sum of the two halves rounds once, beyond 2^53. */
function integers64(bytes: Uint8Array, isSigned: boolean): Float64Array {
  const words = words32(bytes);
  const values = new Float64Array(words.length / 2);
  for (let i = 0; i < values.length; i++) {
    const high = words[2 * i + 1] as number;
    values[i] = (isSigned ? high | 0 : high) * 2 ** 32 + (words[2 * i] as number);
  }
  return values;
}

/** The elements as a typed array of the type they are stored in; F16 and BF16 as their bits, 64-bit ones as doubles. */
function elements(stored: StoredTensor): Float32Array | Float64Array | Int32Array | Uint32Array | Uint16Array {
  const { dtype, bytes } = stored;
  const { buffer, byteOffset, length } = aligned(bytes, dtypeBytes[dtype]);
  switch (dtype) {
    case 'F64':
      return new Float64Array(buffer, byteOffset, length / 8);
    case 'F32':
      return new Float32Array(buffer, byteOffset, length / 4);
    case 'F16':
    case 'BF16':
    case 'U16':
      return new Uint16Array(buffer, byteOffset, length / 2);
    case 'I64':
      return integers64(bytes, true);
    case 'U64':
      return integers64(bytes, false);
    case 'I32':
      return new Int32Array(buffer, byteOffset, length / 4);
    case 'U32':
      return new Uint32Array(buffer, byteOffset, length / 4);
    case 'I16':
      return Int32Array.from(new Int16Array(buffer, byteOffset, length / 2));
    case 'I8':
      return Int32Array.from(new Int8Array(buffer, byteOffset, length));
    case 'U8':
      return Int32Array.from(bytes);
    case 'BOOL':
      return Int32Array.from(bytes, (value) => (value === 0 ? 0 : 1));
  }
}

/**
 * The elements as float32, in C order, always in memory of their own. F32, F16 and BF16 are exact (NaN and infinities
 * included); F64 and integers beyond 2^24 round to nearest, F64 beyond float32's range to infinity; BOOL gives 0 and 1.
 */
export function toFloat32(stored: StoredTensor): Float32Array {
  switch (stored.dtype) {
    case 'F32':
      return new Float32Array(new Uint8Array(stored.bytes).buffer);
    case 'F16':
      return widenFloat16(words16(stored.bytes));
    case 'BF16':
      return widenBfloat16(words16(stored.bytes));
    default:
      return new Float32Array(elements(stored));
  }
}

/**
 * The elements of an integer or BOOL tensor as int32, in C order, in memory of their own; for index tables.
 * @throws MAMBAIR_TENSOR_INVALID for a floating-point tensor, and for a value outside -2^31…2^31 - 1; `name` is the
 * tensor's name in the message.
 */
export function toInt32(stored: StoredTensor, name: string): Int32Array {
  if (isFloat(stored.dtype)) {
    throw new MambairError('MAMBAIR_TENSOR_INVALID', `tensor ${name} should hold integers, but is ${stored.dtype}`, {
      detail: { tensor: name },
    });
  }
  const values = elements(stored);
  const integers = new Int32Array(values);
  for (let i = 0; i < integers.length; i++) {
    if (integers[i] !== values[i]) {
      throw new MambairError(
        'MAMBAIR_TENSOR_INVALID',
        `tensor ${name} should hold 32-bit integers, but element ${i} is ${values[i]}`,
        { detail: { tensor: name, element: i } },
      );
    }
  }
  return integers;
}

/**
 * Stores float32 values `data` (C order) under a shape. F32 is exact; F16 and BF16 round to nearest, ties to even, and
 * overflow to infinity.
 * @throws MAMBAIR_SHAPE_MISMATCH when the number of values is not the product of the shape.
 */
export function fromFloat32(data: Float32Array, shape: readonly number[], dtype: FloatDType): StoredTensor {
  if (elementCount(shape) !== data.length) {
    throw new MambairError(
      'MAMBAIR_SHAPE_MISMATCH',
      `a tensor of shape [${shape.join(', ')}] needs ${elementCount(shape)} values, ${data.length} were given`,
    );
  }
  const narrow = dtype === 'F32' ? data.slice() : dtype === 'F16' ? narrowFloat16(data) : narrowBfloat16(data);
  return { dtype, shape, bytes: new Uint8Array(narrow.buffer, narrow.byteOffset, narrow.byteLength) };
}

/** How many elements are NaN or infinite; integers never are. */
export function countNonFinite(stored: StoredTensor): number {
  switch (stored.dtype) {
    case 'F32':
      return countFullExponents(words32(stored.bytes), { mask: 0x7f800000, first: 0, step: 1 });
    case 'F16':
      return countFullExponents(words16(stored.bytes), { mask: 0x7c00, first: 0, step: 1 });
    case 'BF16':
      return countFullExponents(words16(stored.bytes), { mask: 0x7f80, first: 0, step: 1 });
    case 'F64':
      // the upper half of each element, which stands second
      return countFullExponents(words32(stored.bytes), { mask: 0x7ff00000, first: 1, step: 2 });
    default:
      return 0;
  }
}

/** Counts the words whose exponent bits are all set, as in NaN and infinity only. */
function countFullExponents(
  words: Uint32Array | Uint16Array,
  { mask, first, step }: { readonly mask: number; readonly first: number; readonly step: number },
): number {
  let count = 0;
  for (let i = first; i < words.length; i += step) {
    if (((words[i] as number) & mask) === mask) {
      count += 1;
    }
  }
  return count;
}

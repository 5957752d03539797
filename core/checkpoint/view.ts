import { throwIfCancelled } from '../errors.js';
import { excerpt, fileError } from '../tensor/file-error.js';
import { checkedElementCount } from '../tensor/shape.js';
import type { StoredTensor, TensorMap } from '../tensor/tensor.js';
import { dtypeBytes } from '../tensor/tensor.js';
import type { PickleTensor } from './pickle-values.js';

/** Contiguous tensors may take this many times the file; expanded views (stride 0) could take any amount. */
const maxExpansion = 4;
const minExpansionLimit = 2 ** 20;

/** Where the bytes of views come from. */
export interface StorageSource {
  readonly fileName: string;
  readonly fileSize: number;
  /** All bytes of a storage, little-endian: exactly `count` elements of its dtype. */
  readonly loadStorage: (storage: PickleTensor['storage']) => Uint8Array;
}

/**
 * Reads views as dense tensors in C order. A view that is dense already stays a view of the storage's bytes.
 * @throws MAMBAIR_TENSOR_INVALID for a view that leaves its storage or is far larger than the file; MAMBAIR_CANCELLED;
 * and what the source throws for a storage
 */
export function readViews(
  views: ReadonlyMap<string, PickleTensor>,
  source: StorageSource,
  signal?: AbortSignal,
): TensorMap {
  const tensors = new Map<string, StoredTensor>();
  const limit = Math.max(maxExpansion * source.fileSize, minExpansionLimit);
  let total = 0;
  for (const [name, view] of views) {
    throwIfCancelled(signal);
    const invalid = (reason: string) =>
      fileError('MAMBAIR_TENSOR_INVALID', source.fileName, `tensor ${excerpt(name)} ${reason}`, {
        tensor: name.slice(0, 200),
        storage: view.storage.key,
      });
    const count = checkedElementCount(view.shape);
    total += (count ?? Number.POSITIVE_INFINITY) * dtypeBytes[view.storage.dtype];
    if (count === undefined || total > limit) {
      throw invalid(
        `of shape [${view.shape.join(', ')}] is too large: from a file of ${source.fileSize} bytes at most ${limit} ` +
          'bytes of tensors are read',
      );
    }
    const last = view.offset + view.shape.reduce((sum, size, axis) => sum + (size - 1) * (view.strides[axis] ?? 0), 0);
    if (count > 0 && last >= view.storage.viewCount) {
      throw invalid(`needs ${last + 1} elements of storage ${view.storage.key}, which has ${view.storage.viewCount}`);
    }
    const bytes = count === 0 ? new Uint8Array() : denseBytes(view, count, source.loadStorage(view.storage));
    tensors.set(name, { dtype: view.storage.dtype, shape: view.shape, bytes });
  }
  return tensors;
}

function denseBytes(view: PickleTensor, count: number, storage: Uint8Array): Uint8Array {
  const width = dtypeBytes[view.storage.dtype];
  const start = (view.storage.viewOffset + view.offset) * width;
  return isDense(view) ? storage.subarray(start, start + count * width) : gather(view, count, storage);
}

/** Strides are those of C order; the stride of an axis of size 1 is never used. */
function isDense(view: PickleTensor): boolean {
  let expected = 1;
  return view.shape.toReversed().every((size, index) => {
    const stride = view.strides[view.shape.length - 1 - index];
    const isExpected = size === 1 || stride === expected;
    expected *= size;
    return isExpected;
  });
}

/**
 * Copies a strided view to C order, byte by byte: the bytes of an element are a last axis of stride 1. Typed arrays
 * would need an aligned copy of the storage, which many small views of a large storage could demand again and again.
 */
function gather(view: PickleTensor, count: number, storage: Uint8Array): Uint8Array {
  const width = dtypeBytes[view.storage.dtype];
  const shape = [...view.shape, width];
  const strides = [...view.strides.map((stride) => stride * width), 1];
  const bytes = new Uint8Array(count * width);
  let written = 0;
  // Recursion over the axes, at most maxRank + 1 of them.
  const copyAxis = (axis: number, start: number): void => {
    const size = shape[axis] as number;
    const stride = strides[axis] as number;
    const isLast = axis === shape.length - 1;
    for (let index = 0, at = start; index < size; index++, at += stride) {
      if (isLast) {
        bytes[written++] = storage[at] as number;
      } else {
        copyAxis(axis + 1, at);
      }
    }
  };
  copyAxis(0, (view.storage.viewOffset + view.offset) * width);
  return bytes;
}

import { excerpt } from '../tensor/file-error.js';
import type { DType } from '../tensor/tensor.js';
import type { PickleContext } from './pickle-context.js';
import { costs } from './pickle-context.js';
import type { PickleStorage, PickleValue } from './pickle-values.js';
import { asCount, describeValue, ofKind } from './pickle-values.js';

/** PyTorch's storage classes by their whole names. */
export const storageDtypes: ReadonlyMap<string, DType> = new Map([
  ['torch.DoubleStorage', 'F64'],
  ['torch.FloatStorage', 'F32'],
  ['torch.HalfStorage', 'F16'],
  ['torch.BFloat16Storage', 'BF16'],
  ['torch.LongStorage', 'I64'],
  ['torch.IntStorage', 'I32'],
  ['torch.ShortStorage', 'I16'],
  ['torch.CharStorage', 'I8'],
  ['torch.ByteStorage', 'U8'],
  ['torch.BoolStorage', 'BOOL'],
]);

/** Type and element count of each storage that a pickle has named, by key. */
export type StorageRegistry = Map<string, { readonly dtype: DType; readonly count: number }>;

/**
 * The storage that a persistent id `('storage', class, key, location, count[, view])` names. The location (`cpu`,
 * `cuda:0`) says where it lived and is ignored. `hasView`: legacy files have the sixth part, None or
 * `(view key, offset, count)`.
 * @throws MAMBAIR_STORAGE_INVALID, MAMBAIR_PTH_UNSUPPORTED
 */
export function storageFromPersistentId(
  value: PickleValue,
  options: { readonly registry: StorageRegistry; readonly hasView: boolean; readonly context: PickleContext },
): PickleStorage {
  const { registry, hasView, context } = options;
  const invalid = (message: string) => context.error('MAMBAIR_STORAGE_INVALID', message);
  const parts = ofKind(value, 'tuple')?.items;
  if (parts?.[0] === 'module') {
    throw context.error('MAMBAIR_PTH_UNSUPPORTED', 'a whole module was saved; save its state_dict() instead');
  }
  if (parts?.[0] !== 'storage' || parts.length !== (hasView ? 6 : 5)) {
    throw invalid(`a persistent id should be ('storage', class, key, location, count), but is ${describeValue(value)}`);
  }
  const dtype = storageDtypes.get(ofKind(parts[1], 'global')?.name ?? '');
  if (dtype === undefined) {
    throw invalid(
      `a storage should have a class such as torch.FloatStorage, but has ${describeValue(parts[1] ?? null)}`,
    );
  }
  const key = parts[2];
  // The key becomes part of a member's name.
  if (typeof key !== 'string' || key.length > 40 || !/^[0-9]+$/.test(key)) {
    const found = typeof key === 'string' ? excerpt(key) : describeValue(key ?? null);
    throw invalid(`a storage key should be a decimal number as text, but is ${found}`);
  }
  const count = asCount(parts[4]);
  if (count === undefined) {
    throw invalid(`storage ${key} should have an element count from 0 to 2^53 - 1`);
  }
  const known = registry.get(key);
  if (known !== undefined && (known.dtype !== dtype || known.count !== count)) {
    throw invalid(`storage ${key} is ${known.count} x ${known.dtype} in one place and ${count} x ${dtype} in another`);
  }
  context.charge(costs.object + costs.entry);
  registry.set(key, { dtype, count });
  const [viewOffset, viewCount] = hasView ? readView(parts[5] ?? null, count) : [0, count];
  if (viewOffset === undefined || viewCount === undefined) {
    throw invalid(`the view of storage ${key} should lie within its ${count} elements`);
  }
  return { kind: 'storage', key, dtype, count, viewOffset, viewCount };
}

/** Offset and count of a legacy storage view. */
function readView(view: PickleValue, count: number): readonly [number, number] | readonly [] {
  if (view === null) {
    return [0, count];
  }
  const parts = ofKind(view, 'tuple')?.items;
  const offset = asCount(parts?.[1]);
  const size = asCount(parts?.[2]);
  const isInside = parts?.length === 3 && offset !== undefined && size !== undefined && offset + size <= count;
  return isInside ? [offset, size] : [];
}

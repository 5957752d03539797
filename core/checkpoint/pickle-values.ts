import type { DType } from '../tensor/tensor.js';

/** A Python float; a value of its own, so that the size 4.0 is not taken for the size 4. */
export interface PickleFloat {
  readonly kind: 'float';
  readonly value: number;
}

/** A Python tuple, also a `torch.Size`. */
export interface PickleTuple {
  readonly kind: 'tuple';
  readonly items: readonly PickleValue[];
}

/** A Python list. It may contain itself. */
export interface PickleList {
  readonly kind: 'list';
  readonly items: PickleValue[];
}

/**
 * A Python dict or OrderedDict. Only what stands under string keys is kept, as nothing else can name a tensor; other
 * keys (optimizer states have integers) are counted.
 */
export interface PickleDict {
  readonly kind: 'dict';
  readonly isOrdered: boolean;
  readonly entries: Map<string, PickleValue>;
  otherKeys: number;
}

/** A class or function of the allow list, by its whole name. It is never called: the machine knows what it makes. */
export interface PickleGlobal {
  readonly kind: 'global';
  readonly name: string;
}

/** A storage that a persistent id names. Nothing is read for it while the pickle runs. Counts are elements. */
export interface PickleStorage {
  readonly kind: 'storage';
  readonly key: string;
  readonly dtype: DType;
  /** Elements of the whole storage in the file. */
  readonly count: number;
  /** The part of it that this value addresses; all of it, except for the storage views of old legacy files. */
  readonly viewOffset: number;
  readonly viewCount: number;
}

/** A strided view of a storage: not yet checked against the storage's extent. All numbers are elements. */
export interface PickleTensor {
  readonly kind: 'tensor';
  readonly storage: PickleStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** A value that is legal in a checkpoint and of no use to us: its content is dropped. `int`: one beyond 2^53. */
export interface PickleOpaque {
  readonly kind: 'opaque';
  readonly name: 'bytes' | 'int' | 'set' | 'frozenset' | 'Counter';
}

/** What the restricted machine can build. Integers are numbers, if they are so exactly. None is null. */
export type PickleValue =
  | null
  | boolean
  | number
  | string
  | PickleFloat
  | PickleTuple
  | PickleList
  | PickleDict
  | PickleGlobal
  | PickleStorage
  | PickleTensor
  | PickleOpaque;

/** The kind of a value, by its Python name, for messages. Never looks inside. */
export function describeValue(value: PickleValue): string {
  if (value === null) {
    return 'None';
  }
  if (typeof value === 'object') {
    const isNamed = value.kind === 'global' || value.kind === 'opaque';
    return isNamed ? value.name.replace(/^int$/, 'an int beyond 2^53') : value.kind;
  }
  const names = { boolean: 'bool', number: 'int', string: 'str' } as const;
  return names[typeof value as keyof typeof names];
}

/** The value when it is of the kind asked for. */
export function ofKind<Kind extends Exclude<PickleValue, null | boolean | number | string>['kind']>(
  value: PickleValue | undefined,
  kind: Kind,
): Extract<PickleValue, { readonly kind: Kind }> | undefined {
  return typeof value === 'object' && value !== null && value.kind === kind
    ? (value as Extract<PickleValue, { readonly kind: Kind }>)
    : undefined;
}

/** The value when it is an integer 0…2^53 - 1, as a count, size, stride or offset must be. */
export function asCount(value: PickleValue | undefined): number | undefined {
  return typeof value === 'number' && value >= 0 ? value : undefined;
}

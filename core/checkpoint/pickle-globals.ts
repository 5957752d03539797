import { excerpt } from '../tensor/file-error.js';
import { maxRank } from '../tensor/shape.js';
import type { PickleContext } from './pickle-context.js';
import { costs } from './pickle-context.js';
import type { PickleDict, PickleGlobal, PickleTensor, PickleValue } from './pickle-values.js';
import { asCount, describeValue, ofKind } from './pickle-values.js';
import { storageDtypes } from './storage.js';

/** Longest dotted name that is compared at all. */
const maxNameLength = 200;

type Arguments = readonly PickleValue[];
type Constructor = (args: Arguments, context: PickleContext) => PickleValue;

/** The functions and classes a checkpoint may "call", by whole name, and what each makes here. Nothing else runs. */
const constructors: ReadonlyMap<string, Constructor> = new Map<string, Constructor>([
  ['collections.OrderedDict', makeOrderedDict],
  ['collections.Counter', () => ({ kind: 'opaque', name: 'Counter' })],
  ['torch.Size', makeSize],
  ['torch._utils._rebuild_tensor', (args, context) => makeTensor(args, [4], context)],
  ['torch._utils._rebuild_tensor_v2', (args, context) => makeTensor(args, [6, 7], context)],
  ['torch._utils._rebuild_parameter', (args, context) => makeParameter(args, 3, context)],
  ['torch._utils._rebuild_parameter_with_state', (args, context) => makeParameter(args, 4, context)],
  ['_codecs.encode', makeBytes],
]);

/** Names that real checkpoints hold and that we cannot read, with what to do about it. */
const unsupported: readonly { readonly pattern: RegExp; readonly hint: string }[] = [
  { pattern: /^torch\._utils\._rebuild_sparse/, hint: 'sparse tensors cannot be read; save dense ones' },
  {
    pattern: /^torch\._utils\._rebuild_(?:q|per_channel_q)/,
    hint: 'quantised tensors cannot be read; save float ones',
  },
  { pattern: /^torch\._utils\._rebuild_meta/, hint: 'a meta tensor has no values; save the model after loading it' },
  { pattern: /^torch\._utils\._rebuild_tensor_v3$/, hint: 'a tensor has a dtype that cannot be read; convert it' },
  { pattern: /^torch\._tensor\._rebuild_from_type/, hint: 'tensor subclasses cannot be read; save plain tensors' },
  { pattern: /^torch\.Complex\w*Storage$/, hint: 'complex numbers cannot be read' },
  { pattern: /^torch\.Q\w*Storage$/, hint: 'quantised tensors cannot be read; save float ones' },
  { pattern: /^torch\.nn\.modules\./, hint: 'a whole module was saved; save its state_dict() instead' },
  { pattern: /^numpy\./, hint: 'NumPy values cannot be read; save only the state_dict() of the network' },
];

/**
 * Admits a global of the allow list, compared whole.
 * @throws MAMBAIR_PTH_UNSUPPORTED for what is known and cannot be read, MAMBAIR_PICKLE_FORBIDDEN for everything else
 */
export function admitGlobal(module: string, name: string, context: PickleContext): PickleGlobal {
  const isShort = module.length + name.length < maxNameLength;
  const full = isShort ? `${module}.${name}` : `${module.slice(0, maxNameLength)}…`;
  // A dot in the name would be a path of attributes; no entry of the list has one.
  if (isShort && !name.includes('.') && (constructors.has(full) || storageDtypes.has(full))) {
    context.charge(costs.object);
    return { kind: 'global', name: full };
  }
  const known = isShort ? unsupported.find(({ pattern }) => pattern.test(full)) : undefined;
  if (known !== undefined) {
    throw context.error('MAMBAIR_PTH_UNSUPPORTED', `${excerpt(full)}: ${known.hint}`);
  }
  throw context.forbidden(
    `the file wants to use ${excerpt(full, maxNameLength)}; only tensor constructors are allowed, nothing was run`,
  );
}

/**
 * What a call of `callable` with `args` makes. Only values that came from {@link admitGlobal} can be called.
 * @throws MAMBAIR_PICKLE_FORBIDDEN, MAMBAIR_PICKLE_MALFORMED, MAMBAIR_TENSOR_INVALID
 */
export function construct(callable: PickleValue, args: PickleValue, context: PickleContext): PickleValue {
  const name = ofKind(callable, 'global')?.name;
  const constructor = name === undefined ? undefined : constructors.get(name);
  if (constructor === undefined) {
    throw context.forbidden(`the file calls ${describeValue(callable)}, which is no function of the allow list`);
  }
  const items = ofKind(args, 'tuple')?.items;
  if (items === undefined) {
    throw context.malformed(`${name} is called with ${describeValue(args)} in place of a tuple of arguments`);
  }
  context.charge(costs.object);
  return constructor(items, context);
}

/** The value, unless it is a class or function: those are there to be called, and are no data. */
export function requireData(value: PickleValue, context: PickleContext): PickleValue {
  if (ofKind(value, 'global') !== undefined) {
    throw context.forbidden(`${describeValue(value)} stands where only data may stand`);
  }
  return value;
}

/** Puts a value under a key; the key's hash is taken by value, so dicts, lists and tensors cannot be one. */
export function setItem(dict: PickleDict, entry: readonly [PickleValue, PickleValue], context: PickleContext): void {
  const key = entry[0];
  const value = requireData(entry[1], context);
  if (typeof key === 'string') {
    // Equal long keys are compared letter by letter, every time.
    context.charge(costs.entry + key.length);
    dict.entries.set(key, value);
    return;
  }
  if (!isHashable(key)) {
    throw context.malformed(`${describeValue(key)} cannot be the key of a dict`);
  }
  dict.otherKeys += 1;
}

/** Whether Python would take the value as a key; what a tuple holds is not looked at. */
function isHashable(value: PickleValue): boolean {
  if (value === null || typeof value !== 'object') {
    return true;
  }
  const name = value.kind === 'opaque' ? value.name : value.kind;
  return ['float', 'int', 'tuple', 'bytes', 'frozenset'].includes(name);
}

function makeOrderedDict(args: Arguments, context: PickleContext): PickleValue {
  const dict: PickleDict = { kind: 'dict', isOrdered: true, entries: new Map<string, PickleValue>(), otherKeys: 0 };
  context.charge(costs.dict);
  if (args.length === 0) {
    return dict;
  }
  const pairs = sequence(args[0]);
  if (args.length !== 1 || pairs === undefined) {
    throw context.malformed('an OrderedDict should be made of nothing or of one list of pairs');
  }
  for (const pair of pairs) {
    const [key, value, ...rest] = sequence(pair)?.slice(0, 3) ?? [];
    if (key === undefined || value === undefined || rest.length > 0) {
      throw context.malformed(`an OrderedDict is made of pairs, but one of them is ${describeValue(pair)}`);
    }
    context.charge(costs.item);
    setItem(dict, [key, value], context);
  }
  return dict;
}

function sequence(value: PickleValue | undefined): readonly PickleValue[] | undefined {
  return (ofKind(value, 'list') ?? ofKind(value, 'tuple'))?.items;
}

function makeSize(args: Arguments, context: PickleContext): PickleValue {
  const tuple = ofKind(args[0], 'tuple');
  if (args.length !== 1 || tuple === undefined) {
    throw context.malformed('torch.Size should be made of one tuple');
  }
  return tuple;
}

/** Protocol 2 has no bytes: it writes them as text, to be encoded. */
function makeBytes(args: Arguments, context: PickleContext): PickleValue {
  const [text, encoding] = args;
  if (args.length !== 2 || typeof text !== 'string' || encoding !== 'latin1') {
    throw context.forbidden("_codecs.encode is allowed with (text, 'latin1') only");
  }
  return { kind: 'opaque', name: 'bytes' };
}

/** (storage, offset, size, stride[, requires_grad, hooks[, metadata]]); whether it fits is checked when it is read. */
function makeTensor(args: Arguments, lengths: readonly number[], context: PickleContext): PickleTensor {
  const invalid = (message: string) => context.error('MAMBAIR_TENSOR_INVALID', message);
  if (!lengths.includes(args.length)) {
    throw invalid(`a tensor is built from ${lengths.join(' or ')} arguments, not ${args.length}`);
  }
  const storage = ofKind(args[0], 'storage');
  if (storage === undefined) {
    throw invalid(`a tensor should lie in a storage, not in ${describeValue(args[0] ?? null)}`);
  }
  const offset = asCount(args[1]);
  if (offset === undefined) {
    throw invalid('the offset of a tensor should be an integer from 0 to 2^53 - 1');
  }
  const shape = readCounts(args[2], 'size', context);
  const strides = readCounts(args[3], 'stride', context);
  if (shape.length !== strides.length) {
    throw invalid(`a tensor has ${shape.length} sizes and ${strides.length} strides`);
  }
  context.charge(costs.object + 2 * shape.length * costs.item);
  return { kind: 'tensor', storage, offset, shape, strides };
}

function readCounts(value: PickleValue | undefined, what: string, context: PickleContext): readonly number[] {
  const items = ofKind(value, 'tuple')?.items;
  if (items === undefined || items.length > maxRank) {
    throw context.error(
      'MAMBAIR_TENSOR_INVALID',
      `the ${what} of a tensor should be a tuple of at most ${maxRank} integers, but is ` +
        (items === undefined ? describeValue(value ?? null) : `one of ${items.length}`),
    );
  }
  return items.map((item) => {
    const count = asCount(item);
    if (count === undefined) {
      throw context.error(
        'MAMBAIR_TENSOR_INVALID',
        `the ${what} of a tensor should hold integers from 0 to 2^53 - 1, but holds ${typeof item === 'number' ? item : describeValue(item)}`,
      );
    }
    return count;
  });
}

function makeParameter(args: Arguments, length: number, context: PickleContext): PickleTensor {
  const data = ofKind(args[0], 'tensor');
  if (args.length !== length || data === undefined) {
    throw context.error(
      'MAMBAIR_TENSOR_INVALID',
      `a parameter should be made of a tensor and ${length - 1} more values, not of ${describeValue(args[0] ?? null)}`,
    );
  }
  return data;
}

import { describe, expect, it } from '@jest/globals';
import type { Opcodes } from '../../test/checkpoint-files.js';
import { pickle, tensorOpcodes } from '../../test/checkpoint-files.js';
import { isMambairError } from '../errors.js';
import type { PickleOptions } from './pickle.js';
import { runPickle } from './pickle.js';
import type { PickleValue } from './pickle-values.js';

const { program, text, int, tuple, list, dict, global, call, put, get, none, emptyDict, emptyList } = pickle;

function run(bytes: Uint8Array, tensors: PickleOptions['tensors'] = 'zip'): PickleValue {
  return runPickle(bytes, { fileName: 'x.pth', part: 'object', start: 0, tensors }).value;
}

function codeOf(bytes: Uint8Array, tensors?: PickleOptions['tensors']): unknown {
  try {
    run(bytes, tensors);
    return 'none';
  } catch (error) {
    return isMambairError(error) ? error.code.replace('MAMBAIR_', '') : error;
  }
}

/** The same piece many times, then STOP. */
function repeated(head: Opcodes, piece: Opcodes, times: number): Uint8Array {
  const bytes = new Uint8Array(2 + head.length + piece.length * times + 1);
  bytes.set([0x80, 2, ...head]);
  for (let i = 0; i < times; i++) {
    bytes.set(piece, 2 + head.length + i * piece.length);
  }
  bytes[bytes.length - 1] = 0x2e;
  return bytes;
}

const view = { key: '0', count: 4, size: [4], stride: [1] };

describe('the pickle machine', () => {
  it.each<readonly [string, Opcodes, unknown]>([
    ['a small integer', [0x4b, 200], 200],
    ['a two-byte integer', [0x4d, 1, 2], 513],
    ['a negative integer', [0x4a, 0xfe, 0xff, 0xff, 0xff], -2],
    ['a long', int(-5), -5],
    ['a long without bytes', [0x8a, 0], 0],
    ['a long just within 2^53', int(1 - 2 ** 53), 1 - 2 ** 53],
    ['a long beyond 2^53', int(2n ** 53n), { kind: 'opaque', name: 'int' }],
    ['a long of 255 bytes', [0x8a, 255, ...Array<number>(255).fill(0xff)], -1],
    ['a long of six bytes', [0x8a, 6, 1, 0, 0, 0, 0, 0x80], 1 - 2 ** 47],
    ['a LONG4', [0x8b, 2, 0, 0, 0, 0x00, 0x80], -32768],
    ['a float', pickle.float(0.5), { kind: 'float', value: 0.5 }],
    ['text', text('ключ'), 'ключ'],
    ['text with a byte order mark', text('\ufeffa'), '\ufeffa'],
    ['text of Python 2', [0x55, 2, 0x61, 0x62], 'ab'],
    ['bytes', [0x43, 2, 1, 2], { kind: 'opaque', name: 'bytes' }],
    [
      'bytes of protocol 2',
      call(global('_codecs', 'encode'), text('aÿ'), text('latin1')),
      { kind: 'opaque', name: 'bytes' },
    ],
    ['a tuple', tuple(int(1), none, [0x88]), { kind: 'tuple', items: [1, null, true] }],
    ['a list', list(text('a')), { kind: 'list', items: ['a'] }],
    ['a popped value', [...text('a'), ...int(1), 0x30], 'a'],
    ['a doubled value', [...int(3), 0x32, 0x86], { kind: 'tuple', items: [3, 3] }],
    ['a recalled value', [...put(int(7), 2 ** 32 - 1), 0x30, ...get(2 ** 32 - 1)], 7],
    ['a set with items', [0x8f, 0x28, ...int(1), 0x90], { kind: 'opaque', name: 'set' }],
    ['a frozen set', [0x28, ...int(1), 0x91], { kind: 'opaque', name: 'frozenset' }],
    ['a counter', call(global('collections', 'Counter'), emptyDict), { kind: 'opaque', name: 'Counter' }],
    ['a size', call(global('torch', 'Size'), tuple(int(2))), { kind: 'tuple', items: [2] }],
  ])('reads %s', (_, opcodes, expected) => {
    expect(run(program(opcodes))).toEqual(expected);
  });

  it('keeps dangerous names as ordinary keys and counts keys that are no text', () => {
    const value = run(program([...dict({ ['__proto__']: int(1), constructor: int(2) }), ...int(3), ...int(4), 0x73]));
    const entries = new Map([['constructor', 2]]).set('__proto__', 1);
    expect(value).toEqual({ kind: 'dict', isOrdered: false, entries, otherKeys: 1 });
  });

  it('reads an OrderedDict of pairs, and ignores its state', () => {
    const ordered = call(global('collections', 'OrderedDict'), list(tuple(text('a'), int(1)), list(text('b'), int(2))));
    const entries = new Map([
      ['a', 1],
      ['b', 2],
    ]);
    const expected = { kind: 'dict', isOrdered: true, entries, otherKeys: 0 };
    expect(run(program(ordered, dict({ _metadata: emptyDict }), [0x62]))).toEqual(expected);
  });

  it('reads a parameter as its tensor', () => {
    const tensor = tensorOpcodes(view);
    const plain = run(program(tensor));
    expect(plain).toMatchObject({ kind: 'tensor', offset: 0, shape: [4], strides: [1] });
    const ordered = call(global('collections', 'OrderedDict'));
    expect(run(program(call(global('torch._utils', '_rebuild_parameter'), tensor, [0x88], ordered)))).toEqual(plain);
    const withState = global('torch._utils', '_rebuild_parameter_with_state');
    expect(run(program(call(withState, tensor, [0x88], ordered, emptyDict)))).toEqual(plain);
  });

  it.each<readonly [string, Opcodes, string]>([
    ['a function of another module', global('os', 'system'), 'PICKLE_FORBIDDEN'],
    ['a path of attributes', global('torch', '_utils._rebuild_tensor_v2'), 'PICKLE_FORBIDDEN'],
    ['a name of great length', [...text('a'.repeat(300)), ...text('b'), 0x93], 'PICKLE_FORBIDDEN'],
    ['a function as a list item', [...emptyList, ...global('torch', 'Size'), 0x61], 'PICKLE_FORBIDDEN'],
    ['another encoding', call(global('_codecs', 'encode'), text('a'), text('rot13')), 'PICKLE_FORBIDDEN'],
    ['a call of a storage class', call(global('torch', 'FloatStorage')), 'PICKLE_FORBIDDEN'],
    ['a call of text', call(text('torch.Size')), 'PICKLE_FORBIDDEN'],
    ['state for a list', [...emptyList, ...emptyDict, 0x62], 'PICKLE_FORBIDDEN'],
    ['a whole module', global('torch.nn.modules.conv', 'Conv2d'), 'PTH_UNSUPPORTED'],
    ['a NumPy array', global('numpy.core.multiarray', '_reconstruct'), 'PTH_UNSUPPORTED'],
    ['bytes out of a number', call(global('_codecs', 'encode'), int(1), text('latin1')), 'PICKLE_FORBIDDEN'],
    ['arguments that are no tuple', [...global('torch', 'Size'), ...emptyList, 0x52], 'PICKLE_MALFORMED'],
    ['a pair of three', call(global('collections', 'OrderedDict'), list(tuple(none, none, none))), 'PICKLE_MALFORMED'],
    ['an OrderedDict of a number', call(global('collections', 'OrderedDict'), int(1)), 'PICKLE_MALFORMED'],
    ['a set as a key', [...emptyDict, 0x8f, ...none, 0x73], 'PICKLE_MALFORMED'],
    ['an item for a tuple', [...tuple(), ...none, 0x61], 'PICKLE_MALFORMED'],
    ['an item for a list through ADDITEMS', [...emptyList, 0x28, 0x90], 'PICKLE_MALFORMED'],
    ['a value behind a mark', [...int(1), 0x28, 0x30], 'PICKLE_MALFORMED'],
    ['a tuple across a mark', [...int(1), 0x28, ...int(1), 0x86], 'PICKLE_MALFORMED'],
    ['a negative text length', [0x54, 0xff, 0xff, 0xff, 0xff], 'PICKLE_MALFORMED'],
    ['a global without a line feed', [0x63, 0x61], 'PICKLE_MALFORMED'],
    ['a name that is a number', [...text('torch'), ...int(1), 0x93], 'PICKLE_MALFORMED'],
    ['a storage with a wrong key', tensorOpcodes({ ...view, key: '../0' }), 'STORAGE_INVALID'],
    ['fewer strides than sizes', tensorOpcodes({ ...view, stride: [] }), 'TENSOR_INVALID'],
    ['33 axes', tensorOpcodes({ ...view, size: Array(33).fill(1), stride: Array(33).fill(1) }), 'TENSOR_INVALID'],
    ['a legacy storage view in a zip file', tensorOpcodes({ ...view, isLegacy: true }), 'STORAGE_INVALID'],
  ])('refuses %s', (_, opcodes, code) => {
    expect(codeOf(program(opcodes))).toBe(code);
  });

  it('allows neither functions nor storages where only data may stand', () => {
    expect(codeOf(program(global('collections', 'OrderedDict')), 'none')).toBe('PICKLE_FORBIDDEN');
    expect(codeOf(program(none, [0x51]), 'none')).toBe('PICKLE_FORBIDDEN');
  });

  it('names the file, the part and the byte', () => {
    expect(() =>
      runPickle(program(int(1), [0xff]), { fileName: 'x.pth', part: 'object', start: 0, tensors: 'zip' }),
    ).toThrow(expect.objectContaining({ detail: { file: 'x.pth', part: 'object', offset: 12 } }));
  });
});

describe('a pickle that makes much out of little', () => {
  const largeText = text('k'.repeat(100_000));
  const pairs = list(...Array.from({ length: 1000 }, (_, i) => tuple(text(`${i}`), none)));
  const orderedOfMemo = call(global('collections', 'OrderedDict'), get(0));
  it.each<readonly [string, Uint8Array]>([
    ['more opcodes than any checkpoint', repeated(none, [0x4e, 0x30], 1_000_001)],
    ['a stack of 200,001 values', repeated([], [0x4e], 200_001)],
    ['200,001 open marks', repeated([], [0x28], 200_001)],
    ['a million empty dicts', repeated(emptyList, [0x7d, 0x61], 1_000_000)],
    ['a million memo entries', repeated(none, [0x94], 2_000_000)],
    ['copies of one list as OrderedDicts', repeated(put(pairs, 0), [...orderedOfMemo, 0x30], 100_000)],
    [
      'one long key set again and again',
      repeated([...emptyDict, ...put(largeText, 0), 0x30], [...get(0), 0x4e, 0x73], 50_000),
    ],
  ])('stops %s', (_, bytes) => {
    const start = performance.now();
    expect(codeOf(bytes)).toBe('PICKLE_LIMIT');
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

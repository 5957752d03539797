import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { safetensorsFile } from '../../test/checkpoint-files.js';
import { mutate, seededRandom } from '../../test/mutate.js';
import { invariant, isMambairError } from '../errors.js';
import { encodeSafetensors, parseSafetensors } from './safetensors.js';
import type { DType, StoredTensor } from './tensor.js';
import { dtypeBytes, elementCount } from './tensor.js';

const names = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom('__proto__', 'constructor', 'a.weight', '"', '\\', '\u0000'),
);

const tensors: fc.Arbitrary<StoredTensor> = fc
  .record({
    dtype: fc.constantFrom(...(Object.keys(dtypeBytes) as DType[])),
    shape: fc.array(fc.nat(4), { maxLength: 4 }),
    fill: fc.nat(255),
  })
  .map(({ dtype, shape, fill }) => ({
    dtype,
    shape,
    bytes: new Uint8Array(elementCount(shape) * dtypeBytes[dtype]).map((_, index) => index ^ fill),
  }));

const files = fc.tuple(
  fc.array(fc.tuple(names, tensors), { maxLength: 6 }).map((entries) => new Map(entries)),
  fc.array(fc.tuple(names, names), { maxLength: 3 }).map((entries) => new Map(entries)),
);

const codeOf = (call: () => unknown) => {
  try {
    call();
    return 'none';
  } catch (error) {
    return isMambairError(error) ? error.code : error;
  }
};

describe('safetensors', () => {
  it('reads back what it writes', () => {
    fc.assert(
      fc.property(files, ([named, metadata]) => {
        const parsed = parseSafetensors(encodeSafetensors(named, metadata), 'x.safetensors');
        expect(new Map(parsed.tensors)).toEqual(named);
        expect(parsed.metadata).toEqual(metadata);
      }),
      { seed: 1 },
    );
  });

  it('writes the same bytes for the same content in another order, each tensor aligned to its elements', () => {
    fc.assert(
      fc.property(files, ([named, metadata]) => {
        const file = encodeSafetensors(named, metadata);
        const reversed = encodeSafetensors(new Map([...named].toReversed()), new Map([...metadata].toReversed()));
        expect(Buffer.compare(file, reversed)).toBe(0);
        for (const { dtype, bytes } of parseSafetensors(file, 'x.safetensors').tensors.values()) {
          expect(bytes.byteOffset % dtypeBytes[dtype]).toBe(0);
        }
      }),
      { seed: 2 },
    );
  });

  it('hands out views of the file', () => {
    const file = encodeSafetensors(new Map([['a', { dtype: 'U8', shape: [1], bytes: Uint8Array.of(7) }]]));
    expect(parseSafetensors(Buffer.from(file.buffer), 'x').tensors.get('a')?.bytes.buffer).toBe(file.buffer);
  });

  const entry = '"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}';
  const malformed: readonly (readonly [string, string])[] = [
    ['two equal names, one escaped', `{${entry},"\\u0061":{"dtype":"F32","shape":[0],"data_offsets":[8,8]}}`],
    ['two equal fields', '{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}'],
    ['an unknown field', '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}'],
    ['an unknown dtype', '{"a":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}}'],
    ['the name of a method as dtype', '{"a":{"dtype":"toString","shape":[8],"data_offsets":[0,8]}}'],
    ['half a surrogate pair', `{${entry},"\\ud800":{"dtype":"F32","shape":[0],"data_offsets":[8,8]}}`],
    ['an unknown escape', `{${entry},"\\x":{"dtype":"F32","shape":[0],"data_offsets":[8,8]}}`],
    ['a control character in a name', `{${entry},"\n":{"dtype":"F32","shape":[0],"data_offsets":[8,8]}}`],
    ['a comma too much', `{${entry},}`],
    ['no comma', `{${entry}"b":{}}`],
    ['something after the end', `{${entry}}{}`],
    ['an open string', '{"a'],
    ['an open escape', '{"a\\'],
    ['a number with a sign', '{"a":{"dtype":"F32","shape":[+2],"data_offsets":[0,8]}}'],
    ['a number with leading zeros', '{"a":{"dtype":"F32","shape":[02],"data_offsets":[0,8]}}'],
    ['an exponent', '{"a":{"dtype":"F32","shape":[2e0],"data_offsets":[0,8]}}'],
    ['a size beyond 2^53', '{"a":{"dtype":"F32","shape":[9007199254740993,0],"data_offsets":[0,0]}}'],
    ['a huge shape without elements', '{"a":{"dtype":"F32","shape":[0,9007199254740991,3],"data_offsets":[0,0]}}'],
    ['metadata that is no text', `{${entry},"__metadata__":{"a":1}}`],
    ['metadata twice', `{"__metadata__":{},${entry},"__metadata__":{}}`],
  ];

  it.each(malformed)('refuses %s', (_, header) => {
    const code = codeOf(() => parseSafetensors(safetensorsFile(header, new Uint8Array(8)), 'x'));
    expect(code).toBe('MAMBAIR_SAFETENSORS_MALFORMED');
  });

  const manyTensors = Array.from(
    { length: 100_001 },
    (_, i) => `"${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`,
  );
  it.each([
    [
      'axes',
      safetensorsFile(`{"a":{"dtype":"U8","shape":[${'1,'.repeat(32)}1],"data_offsets":[0,1]}}`, Uint8Array.of(1)),
    ],
    ['tensors', safetensorsFile(`{${manyTensors.join(',')}}`)],
    ['metadata', safetensorsFile(`{"__metadata__":{${manyTensors.map((_, i) => `"${i}":""`).join(',')}}}`)],
    ['header bytes', Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0, 0x7b)],
  ])('refuses more %s than a model can need', (_, file) => {
    expect(codeOf(() => parseSafetensors(file, 'x'))).toBe('MAMBAIR_SAFETENSORS_LIMIT');
  });

  it.each([
    ['__metadata__ as a name', '__metadata__', [1], 1],
    ['half a surrogate pair as a name', '\ud800', [1], 1],
    ['too few bytes', 'a', [2], 1],
    ['a negative size', 'a', [-1], 1],
    ['a fraction as size', 'a', [0.5], 1],
  ] as const)('does not write %s', (_, name, shape, length) => {
    const named = new Map([[name, { dtype: 'U8', shape, bytes: new Uint8Array(length) } as const]]);
    expect(codeOf(() => encodeSafetensors(named))).toBe('MAMBAIR_TENSOR_INVALID');
  });

  it('meets 20,000 damaged files with a typed error or a valid result', () => {
    const random = seededRandom(20260801);
    const seeds = fc
      .sample(files, { numRuns: 8, seed: 3 })
      .map(([named, metadata]) => encodeSafetensors(named, metadata));
    const outcomes = new Set<unknown>();
    let slowest = 0;
    for (let run = 0; run < 20_000; run++) {
      const file = mutate(seeds[run % seeds.length] ?? new Uint8Array(), random, seeds);
      const start = performance.now();
      outcomes.add(
        codeOf(() => {
          for (const { dtype, shape, bytes } of parseSafetensors(file, 'x').tensors.values()) {
            invariant(bytes.length === elementCount(shape) * dtypeBytes[dtype], 'the bytes fit the shape');
          }
        }),
      );
      slowest = Math.max(slowest, performance.now() - start);
    }
    expect(outcomes).toEqual(new Set(['MAMBAIR_SAFETENSORS_LIMIT', 'MAMBAIR_SAFETENSORS_MALFORMED', 'none']));
    expect(slowest).toBeLessThan(1000);
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { bytesField, encode, integerField, integersField, message, messageField, stringField } from './protobuf.js';

type Value = bigint | Uint8Array;

/** Reads the fields of one message: varints as unsigned 64-bit numbers, everything else as bytes. */
function decode(bytes: Uint8Array): readonly (readonly [field: number, value: Value])[] {
  const fields: (readonly [number, Value])[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = BigInt(bytes[at++] ?? 0);
      value |= (byte & 127n) << shift;
      if (byte < 128n) {
        return value;
      }
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    if (tag % 8 === 0) {
      fields.push([tag >> 3, varint()]);
    } else {
      const length = Number(varint());
      fields.push([tag >> 3, bytes.slice(at, (at += length))]);
    }
  }
  return fields;
}

describe('protobuf', () => {
  it('writes the example of the format’s documentation', () => {
    expect([...encode(message(integerField(1, 150)))]).toEqual([0x08, 0x96, 0x01]);
    expect([...encode(message(stringField(2, 'testing')))]).toEqual([0x12, 7, ...Buffer.from('testing')]);
    expect([...encode(message(messageField(3, message(integerField(1, 150)))))]).toEqual([0x1a, 3, 0x08, 0x96, 1]);
    expect([...encode(message(integersField(6, [3, 270, 86942])))]).toEqual([0x32, 6, 3, 0x8e, 2, 0x9e, 0xa7, 5]);
  });

  it('writes what a reader reads, also in messages of messages', () => {
    const field = fc.integer({ min: 1, max: 2 ** 20 });
    const pair = fc.tuple(field, fc.oneof(fc.maxSafeInteger(), fc.uint8Array({ maxLength: 300 })));
    const write = ([number, value]: readonly [number, number | Uint8Array]) =>
      typeof value === 'number' ? integerField(number, value) : bytesField(number, value);
    const expected = ([number, value]: readonly [number, number | Uint8Array]) => [
      number,
      typeof value === 'number' ? BigInt.asUintN(64, BigInt(value)) : value,
    ];
    fc.assert(
      fc.property(fc.array(pair), field, (pairs, outer) => {
        const inner = message(...pairs.map(write));
        expect(decode(encode(inner))).toEqual(pairs.map(expected));
        expect(decode(encode(messageField(outer, inner)))).toEqual([[outer, encode(inner)]]);
      }),
      { seed: 1 },
    );
  });
});

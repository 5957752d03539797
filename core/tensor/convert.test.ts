import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { countNonFinite, fromFloat32, toFloat32, toInt32 } from './convert.js';
import { narrowFloat16, widenFloat16 } from './float16.js';
import type { DType, StoredTensor } from './tensor.js';
import { dtypeBytes } from './tensor.js';

/** A tensor of one axis whose bytes are those of a typed array, from an odd address. */
function stored(dtype: DType, values: ArrayBufferView): StoredTensor {
  const bytes = new Uint8Array(values.byteLength + 1).subarray(1);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return { dtype, shape: [bytes.length / dtypeBytes[dtype]], bytes };
}

const allHalves = Uint16Array.from({ length: 65536 }, (_, bits) => bits);

describe('toFloat32', () => {
  const cases: readonly (readonly [DType, ArrayBufferView, readonly number[]])[] = [
    ['F64', Float64Array.of(0.1, -1e300, Number.NaN), [Math.fround(0.1), Number.NEGATIVE_INFINITY, Number.NaN]],
    ['F32', Float32Array.of(1.5, -0, Number.NaN), [1.5, -0, Number.NaN]],
    ['F16', Uint16Array.of(0x3c00, 0xc100, 0x0001, 0xfc00), [1, -2.5, 2 ** -24, Number.NEGATIVE_INFINITY]],
    ['BF16', Uint16Array.of(0x3f80, 0xc020, 0x7f80), [1, -2.5, Number.POSITIVE_INFINITY]],
    ['I64', BigInt64Array.of(-1n, 2n ** 40n, -(2n ** 63n)), [-1, 2 ** 40, -(2 ** 63)]],
    ['U64', BigUint64Array.of(1n, 2n ** 63n), [1, 2 ** 63]],
    ['I32', Int32Array.of(-7, 7), [-7, 7]],
    ['U32', Uint32Array.of(2 ** 31), [2 ** 31]],
    ['I16', Int16Array.of(-300), [-300]],
    ['U16', Uint16Array.of(65535), [65535]],
    ['I8', Int8Array.of(-128), [-128]],
    ['U8', Uint8Array.of(255), [255]],
    ['BOOL', Uint8Array.of(0, 1, 7), [0, 1, 1]],
  ];

  it.each(cases)('reads %s from an unaligned place', (dtype, values, expected) => {
    expect([...toFloat32(stored(dtype, values))]).toEqual(expected);
  });

  it('gives memory of its own', () => {
    const source = stored('F32', Float32Array.of(1));
    toFloat32(source)[0] = 2;
    expect([...toFloat32(source)]).toEqual([1]);
  });
});

describe('fromFloat32', () => {
  it('brings every binary16 number back to its bits', () => {
    const isNan = (bits: number) => (bits & 0x7fff) > 0x7c00;
    const back = narrowFloat16(widenFloat16(allHalves));
    expect(back.map((bits) => (isNan(bits) ? 0x7e00 : bits & 0xffff))).toEqual(
      allHalves.map((bits) => (isNan(bits) ? 0x7e00 : bits)),
    );
  });

  it('rounds to the nearest binary16 number, ties to even', () => {
    const finite = [...widenFloat16(allHalves.subarray(0, 0x7c00)), 65536];
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: finite.length - 2 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (i, t) => {
          const [low, high] = [finite[i] as number, finite[i + 1] as number];
          const value = Math.fround(low + t * (high - low));
          const isLow = value - low < high - value || (value - low === high - value && i % 2 === 0);
          expect([...narrowFloat16(Float32Array.of(value, -value))]).toEqual(
            [i, i + 0x8000].map((b) => (isLow ? b : b + 1)),
          );
        },
      ),
      {
        seed: 1,
        numRuns: 2000,
        examples: [
          [0, 0.5],
          [1, 0.5],
          [0x3ff, 0.5],
          [0x400, 0.5],
          [0x7bff, 0.5],
        ],
      },
    );
  });

  it('rounds to the nearest bfloat16 number and keeps NaN', () => {
    const nan = new Float32Array(Uint32Array.of(0x7fffffff).buffer)[0] as number;
    const values = Float32Array.of(1, 1 + 2 ** -8, 1 + 3 * 2 ** -8, 3.4e38, nan, -0);
    const { bytes } = fromFloat32(values, [6], 'BF16');
    expect([...new Uint16Array(bytes.buffer)]).toEqual([0x3f80, 0x3f80, 0x3f82, 0x7f80, 0x7fff, 0x8000]);
  });

  it('refuses a shape of another size', () => {
    expect(() => fromFloat32(new Float32Array(3), [2, 2], 'F32')).toThrow(
      expect.objectContaining({ code: 'MAMBAIR_SHAPE_MISMATCH' }),
    );
  });
});

describe('toInt32', () => {
  it('reads integers exactly', () => {
    expect([...toInt32(stored('I64', BigInt64Array.of(-(2n ** 31n), 5n)), 'index')]).toEqual([-(2 ** 31), 5]);
    expect([...toInt32(stored('BOOL', Uint8Array.of(0, 9)), 'mask')]).toEqual([0, 1]);
  });

  it.each([
    ['a value beyond 32 bits', stored('I64', BigInt64Array.of(2n ** 31n))],
    ['a fraction type', stored('F32', Float32Array.of(1))],
  ])('refuses %s', (_, tensor) => {
    expect(() => toInt32(tensor, 'index')).toThrow(expect.objectContaining({ code: 'MAMBAIR_TENSOR_INVALID' }));
  });
});

describe('countNonFinite', () => {
  const { NaN: nan, POSITIVE_INFINITY: infinity, MAX_VALUE: large } = Number;
  it.each([
    ['F64', Float64Array.of(1, nan, large, -infinity), 2],
    ['F32', Float32Array.of(nan, infinity, 3e38), 2],
    ['F16', Uint16Array.of(0x7c00, 0x7e00, 0x7bff, 0xfc00), 3],
    ['BF16', Uint16Array.of(0x7f80, 0x7f7f), 1],
    ['I32', Int32Array.of(-1), 0],
  ] as const)('counts in %s', (dtype, values, count) => {
    expect(countNonFinite(stored(dtype, values))).toBe(count);
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isMambairError } from '../errors.js';
import type { DType } from '../tensor/tensor.js';
import { dtypeBytes, elementCount } from '../tensor/tensor.js';
import type { PickleTensor } from './pickle-values.js';
import { readViews } from './view.js';

interface Geometry {
  readonly dtype: DType;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  /** Elements of the storage after the last one that the view needs. */
  readonly rest?: number;
}

const reach = ({ offset, shape, strides }: Geometry) =>
  offset + shape.reduce((sum, size, axis) => sum + (size - 1) * (strides[axis] ?? 0), 0) + 1;

/** Reads one view of a storage whose bytes count upwards, from an odd address. */
function read(geometry: Geometry, fileSize = 2 ** 20): Uint8Array | undefined {
  const { dtype, offset, shape, strides, rest = 0 } = geometry;
  const count = Math.max(0, reach(geometry)) + rest;
  const storage = { kind: 'storage', key: '0', dtype, count, viewOffset: 0, viewCount: count } as const;
  const view: PickleTensor = { kind: 'tensor', storage, offset, shape, strides };
  const bytes = new Uint8Array(Math.max(0, count) * dtypeBytes[dtype] + 1).map((_, index) => index).subarray(1);
  const source = { fileName: 'x.pth', fileSize, loadStorage: () => bytes };
  return readViews(new Map([['w', view]]), source).get('w')?.bytes;
}

/** The same, element by element, straight from the definition of strides. */
function expected({ dtype, offset, shape, strides }: Geometry): Uint8Array {
  const width = dtypeBytes[dtype];
  const bytes = new Uint8Array(elementCount(shape) * width);
  for (let element = 0; element < elementCount(shape); element++) {
    let at = offset;
    let left = element;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += (left % (shape[axis] as number)) * (strides[axis] as number);
      left = Math.floor(left / (shape[axis] as number));
    }
    for (let byte = 0; byte < width; byte++) {
      bytes[element * width + byte] = at * width + byte + 1;
    }
  }
  return bytes;
}

const codeOf = (call: () => unknown) => {
  try {
    call();
    return 'none';
  } catch (error) {
    return isMambairError(error) ? error.code : error;
  }
};

describe('views of storages', () => {
  const geometries = fc.array(fc.tuple(fc.nat(4), fc.nat(9)), { maxLength: 4 }).chain((axes) =>
    fc.record({
      dtype: fc.constantFrom<DType>('F64', 'F32', 'BF16', 'U8'),
      offset: fc.nat(5),
      shape: fc.constant(axes.map(([size]) => size)),
      strides: fc.constant(axes.map(([, stride]) => stride)),
      rest: fc.nat(3),
    }),
  );

  it('gathers any strides in C order', () => {
    fc.assert(
      fc.property(geometries, (geometry) => {
        expect(Buffer.compare(read(geometry) ?? Buffer.from('missing'), expected(geometry))).toBe(0);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('keeps a dense view as a view, also when axes of size 1 have odd strides', () => {
    const dense = read({ dtype: 'F32', offset: 3, shape: [2, 1, 3], strides: [3, 99, 1] });
    expect(dense?.byteOffset).toBe(1 + 3 * 4);
    expect(dense?.length).toBe(24);
  });

  it('refuses a view that leaves its storage by one element', () => {
    const geometry = { dtype: 'F32', offset: 2, shape: [3, 2], strides: [2, 5] } as const;
    expect(codeOf(() => read(geometry))).toBe('none');
    expect(codeOf(() => read({ ...geometry, rest: -1 }))).toBe('MAMBAIR_TENSOR_INVALID');
  });

  it('reads many small views of a large storage without copying it each time', () => {
    const count = 2 ** 21;
    const storage = { kind: 'storage', key: '0', dtype: 'F32', count, viewOffset: 0, viewCount: count } as const;
    const view: PickleTensor = { kind: 'tensor', storage, offset: 0, shape: [2], strides: [count - 1] };
    const views = new Map(Array.from({ length: 20_000 }, (_, index) => [`w${index}`, view]));
    const bytes = new Uint8Array(4 * count + 1).subarray(1);
    const start = performance.now();
    readViews(views, { fileName: 'x.pth', fileSize: 4 * count, loadStorage: () => bytes });
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it('does not expand a small file without end', () => {
    const half = { dtype: 'F64', offset: 0, shape: [2 ** 17], strides: [0] } as const;
    expect(read(half, 100)?.length).toBe(2 ** 20);
    expect(codeOf(() => read({ ...half, shape: [2 ** 17 + 1] }, 100))).toBe('MAMBAIR_TENSOR_INVALID');
    expect(codeOf(() => read({ ...half, shape: [2 ** 40, 2 ** 40] }, 100))).toBe('MAMBAIR_TENSOR_INVALID');
  });
});

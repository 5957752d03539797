import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { allocate, type Request } from './allocate.js';

const requests: fc.Arbitrary<Request[]> = fc.array(
  fc
    .record({ bytes: fc.integer({ min: 1, max: 1000 }), first: fc.nat(12), steps: fc.nat(5) })
    .map(({ bytes, first, steps }) => ({ bytes, first, last: first + steps })),
  { maxLength: 30 },
);

describe('allocating blocks', () => {
  it('keeps blocks that live at the same time apart, aligned and inside the total', () => {
    fc.assert(
      fc.property(requests, (wanted) => {
        const { offsets, bytes } = allocate(wanted, 64);
        wanted.forEach((a, i) => {
          const start = offsets[i] as number;
          expect(start % 64).toBe(0);
          expect(start + a.bytes).toBeLessThanOrEqual(bytes);
          wanted.slice(0, i).forEach((b, j) => {
            const other = offsets[j] as number;
            const isApart = start + a.bytes <= other || other + b.bytes <= start;
            expect(isApart || a.first > b.last || b.first > a.last).toBe(true);
          });
        });
      }),
      { seed: 1 },
    );
  });

  it('takes at least what the fullest step needs, and for lives that do not meet no more than the largest', () => {
    fc.assert(
      fc.property(requests, (wanted) => {
        const size = ({ bytes }: Request) => Math.ceil(bytes / 64) * 64;
        const fullest = Array.from({ length: 18 }, (_, step) =>
          wanted.filter(({ first, last }) => first <= step && step <= last).reduce((sum, each) => sum + size(each), 0),
        );
        expect(allocate(wanted, 64).bytes).toBeGreaterThanOrEqual(Math.max(...fullest));
        const apart = wanted.map((each, index) => ({ ...each, first: index, last: index }));
        expect(allocate(apart, 64).bytes).toBe(Math.max(0, ...apart.map(size)));
      }),
      { seed: 1 },
    );
  });

  it('of nothing is nothing', () => {
    expect(allocate([], 64)).toEqual({ offsets: [], bytes: 0 });
  });
});

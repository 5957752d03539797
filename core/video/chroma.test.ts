import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { downTaps, upTaps } from './chroma.js';

/** Multiples of 1/64 below 2^16, whose weighted sums are exact. */
const samples = fc.array(
  fc.nat(2 ** 22).map((value) => value / 64),
  { minLength: 1, maxLength: 12 },
);
const sitings = [
  [0, 'first'],
  [1, 'first'],
  [1, 'between'],
  [1, 'second'],
  [2, 'first'],
] as const;

describe('chroma on one axis', () => {
  it('is the same after going up and down, for any length', () => {
    fc.assert(
      fc.property(fc.constantFrom(...sitings), samples, fc.nat(3), ([shift, siting], chroma, missing) => {
        const length = chroma.length * 2 ** shift - Math.min(missing, 2 ** shift - 1);
        const up = Array.from({ length }, (_, at) =>
          upTaps(shift, siting, at, chroma.length).reduce(
            (sum, { index, weight }) => sum + weight * (chroma[index] ?? NaN),
            0,
          ),
        );
        const down = chroma.map((_, at) =>
          downTaps(shift, siting, at, length).reduce((sum, { index, weight }) => sum + weight * (up[index] ?? NaN), 0),
        );
        expect(down).toEqual(chroma);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('lies where its siting says: a ramp goes up to a ramp', () => {
    for (const [shift, siting] of sitings) {
      const step = 2 ** shift;
      const offset = { first: 0, between: 0.5, second: 1 }[siting] * (shift === 0 ? 0 : 1);
      const position = (index: number) => index * step + offset;
      for (let at = step; at < 7 * step; at++) {
        const value = upTaps(shift, siting, at, 8).reduce(
          (sum, { index, weight }) => sum + weight * position(index),
          0,
        );
        expect(value).toBe(at);
      }
    }
  });

  it('loses the finest pattern, which it cannot hold', () => {
    for (const siting of ['first', 'between', 'second'] as const) {
      const sum = downTaps(1, siting, 4, 20).reduce((total, { index, weight }) => total + weight * (-1) ** index, 0);
      expect(Math.abs(sum)).toBeLessThanOrEqual(siting === 'between' ? 0 : 1e-12);
    }
  });
});

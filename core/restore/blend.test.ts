import { describe, expect, it } from '@jest/globals';
import { blendRow, fadeWeights } from './blend.js';

describe('fadeWeights', () => {
  it.each([1, 2, 7, 64])('of length %i rise, and sum to 1 with the outgoing tile', (length) => {
    const weights = fadeWeights(length);
    for (const [i, weight] of weights.entries()) {
      expect(weight + weights[length - 1 - i]!).toBeCloseTo(1, 6);
      expect(weight).toBeGreaterThan(weights[i - 1] ?? 0);
    }
  });
});

describe('blendRow', () => {
  it('leaves values on which both tiles agree as they are, to the bit', () => {
    const values = Float32Array.from({ length: 100 }, (_, i) => Math.sin(i) * 1e3);
    const target = values.slice();
    blendRow(target, 0, { data: values, offset: 0 }, fadeWeights(100));
    expect(target).toEqual(values);
  });

  it('touches only the fade', () => {
    const target = new Float32Array(6);
    blendRow(target, 2, { data: Float32Array.of(9, 1, 1), offset: 1 }, fadeWeights(2));
    expect(Array.from(target, (value) => value > 0)).toEqual([false, false, true, true, false, false]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { activationReference, erf, gelu, softplus } from './reference.js';

describe('activations', () => {
  it.each([
    [0, 0],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [2, 0.9953222650189527],
    [3.5, 0.9999992569016276],
    [-1, -0.8427007929497149],
    [7, 1],
    [Number.NEGATIVE_INFINITY, -1],
  ])('erf(%f) to float64 rounding', (x, value) => {
    expect(Math.abs(erf(x) - value)).toBeLessThan(1e-15);
  });

  it('gelu is 0 far left and the identity far right', () => {
    expect([gelu(-40), gelu(0), gelu(40)]).toEqual([-0, 0, 40]);
  });

  it('softplus is smooth past its switch to the identity', () => {
    expect(Math.abs(softplus(20) - softplus(20 + 1e-9))).toBeLessThan(4e-9);
    expect([softplus(-800), softplus(800)]).toEqual([0, 800]);
  });

  it('leakyRelu has a slope on the left only', () => {
    const x = { height: 1, width: 3, channels: 1, data: Float64Array.of(-2, 0, 2) };
    expect([...activationReference(x, 'leakyRelu', 0.2).data]).toEqual([-0.4, 0, 2]);
  });

  it('keeps NaN', () => {
    const x = { height: 1, width: 1, channels: 1, data: Float64Array.of(Number.NaN) };
    for (const name of ['gelu', 'silu', 'sigmoid', 'leakyRelu'] as const) {
      expect(activationReference(x, name, 0.2).data[0]).toBeNaN();
    }
  });
});

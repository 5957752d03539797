import { describe, it } from '@jest/globals';
import fc from 'fast-check';
import { fillTransparent } from './fill-transparent.js';

describe('fillTransparent', () => {
  it('continues the visible colours and keeps them as they are', () => {
    const pictures = fc
      .record({ width: fc.integer({ min: 1, max: 40 }), height: fc.integer({ min: 1, max: 40 }) })
      .chain(({ width, height }) =>
        fc.record({
          width: fc.constant(width),
          height: fc.constant(height),
          alpha: fc.array(fc.constantFrom(0, 0, 0.004, 1), { minLength: width * height, maxLength: width * height }),
        }),
      );
    fc.assert(
      fc.property(pictures, ({ width, height, alpha }) => {
        // visible pixels between 0.5 and 0.75, hidden ones black
        const colour = Float32Array.from(alpha, (value, i) => (value > 0 ? 0.5 + (i % 8) / 32 : 0));
        const [filled] = fillTransparent([colour], Float32Array.from(alpha), { width, height });
        const hasVisible = alpha.some((value) => value > 0);
        return filled!.every((value, i) =>
          alpha[i]! > 0 ? value === colour[i] : hasVisible ? value >= 0.5 && value <= 0.75 : value === 0,
        );
      }),
      { seed: 1 },
    );
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { gumbelFromHash, noiseHash4, seededNoise } from './noise.js';

describe('seeded noise', () => {
  /** seed, block, y, x, token, hash, Gumbel value: the vectors published with the definition. */
  const vectors = [
    [0, 0, 0, 0, 0, 0x0f02f829, 2.8062912129],
    [0, 0, 0, 0, 1, 0x2d568769, 1.63515334317],
    [0, 0, 0, 1, 0, 0x0b3cefc3, 3.10351296166],
    [0, 0, 1, 0, 0, 0x2a9d71a8, 1.70331228952],
    [0, 1, 0, 0, 0, 0x8d9effe2, 0.216092673459],
    [1, 0, 0, 0, 0, 0x21caced5, 1.9549994172],
    [0x00c0ffee, 19, 719, 1279, 63, 0xf55fefc9, -1.15749211577],
    [0xffffffff, 53, 16383, 16383, 127, 0x52400219, 0.947884026791],
  ] as const;

  it.each(vectors)('seed %i, block %i, y %i, x %i, token %i', (seed, block, y, x, token, hash, gumbel) => {
    const found = noiseHash4(seed, block, { x, y, tokenGroup: token >> 2 })[token & 3] as number;
    expect(found).toBe(hash);
    expect(Math.abs(gumbelFromHash(found) - gumbel)).toBeLessThan(1e-10);
    const map = seededNoise({ seed, block, originX: x, originY: y, width: 1, height: 1, tokens: 128 });
    expect(map[token]).toBe(gumbelFromHash(hash));
  });

  it('is finite for every hash, from -2.81 to 16.64', () => {
    expect(gumbelFromHash(0)).toBeCloseTo(16.64, 2);
    expect(gumbelFromHash(0xffffffff)).toBeCloseTo(-2.81, 2);
  });

  it('has the mean and variance of a Gumbel distribution', () => {
    const noise = seededNoise({ seed: 0, block: 0, originX: 0, originY: 0, width: 64, height: 64, tokens: 64 });
    const mean = noise.reduce((sum, value) => sum + value, 0) / noise.length;
    const variance = noise.reduce((sum, value) => sum + (value - mean) ** 2, 0) / noise.length;
    expect(mean).toBeCloseTo(0.578, 4);
    expect(variance).toBeCloseTo(1.6498, 4);
  });

  it('gives a tile what the whole image has there', () => {
    const size = fc.integer({ min: 1, max: 9 });
    const uint32 = fc.integer({ min: 0, max: 0xffffffff });
    fc.assert(
      fc.property(uint32, size, size, size, size, size, (seed, originX, originY, width, height, tokens) => {
        const wide = {
          seed,
          block: 3,
          originX: 0,
          originY: 0,
          width: originX + width,
          height: originY + height,
          tokens,
        };
        const whole = seededNoise(wide);
        const tile = seededNoise({ ...wide, originX, originY, width, height });
        tile.forEach((value, index) => {
          const pixel = Math.floor(index / tokens);
          const [y, x] = [originY + Math.floor(pixel / width), originX + (pixel % width)];
          expect(value).toBe(whole[(y * wide.width + x) * tokens + (index % tokens)]);
        });
      }),
      { seed: 1, numRuns: 50 },
    );
  });
});

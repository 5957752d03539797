import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { randomNumbers } from '../../../test/random-network.js';
import { type ScanOperands, scan, selectiveScanReference } from './reference.js';

function operands(length: number, channels: number, states: number, seed: number): ScanOperands {
  const random = randomNumbers(seed);
  const numbers = (count: number, from: number, to: number) =>
    Float64Array.from({ length: count }, () => from + (to - from) * random());
  return {
    u: numbers(length * channels, -1, 1),
    delta: numbers(length * channels, -4, 4),
    A: numbers(channels * states, -2, -0.01),
    B: numbers(length * states, -1, 1),
    C: numbers(length * states, -1, 1),
    D: numbers(channels, -1, 1),
    deltaBias: numbers(channels, -1, 1),
  };
}

const size = fc.integer({ min: 1, max: 6 });
const sizes = fc.tuple(fc.integer({ min: 1, max: 20 }), size, size, fc.integer({ min: 0, max: 1000 }));

describe('the selective scan', () => {
  it('is causal: a changed step leaves earlier ones bit-equal', () => {
    fc.assert(
      fc.property(sizes, fc.nat(19), ([length, channels, states, seed], place) => {
        const given = operands(length, channels, states, seed);
        const step = place % length;
        const changed = { ...given, u: given.u.map((value, index) => (index >= step * channels ? value + 1 : value)) };
        const before = (y: Float64Array) => [...y.subarray(0, step * channels)];
        expect(before(scan(changed))).toEqual(before(scan(given)));
      }),
      { seed: 1 },
    );
  });

  it('is linear in u for fixed time steps, B and C', () => {
    fc.assert(
      fc.property(sizes, ([length, channels, states, seed]) => {
        const given = operands(length, channels, states, seed);
        const other = operands(length, channels, states, seed + 1).u;
        const [y1, y2] = [scan(given), scan({ ...given, u: other })];
        const sum = scan({ ...given, u: given.u.map((value, index) => 2 * value - (other[index] as number)) });
        sum.forEach((value, index) => {
          expect(value).toBeCloseTo(2 * (y1[index] as number) - (y2[index] as number), 10);
        });
      }),
      { seed: 1 },
    );
  });

  it('of no steps is empty', () => {
    expect(scan(operands(0, 2, 3, 1))).toHaveLength(0);
  });

  it('takes the prompt of the raster pixel and everything else of the sorted one', () => {
    // One channel and one state, no decay worth naming, C = prompt alone: step p shows prompt[class of pixel p].
    const [u, projection] = [
      { height: 1, width: 2, channels: 1, data: Float64Array.of(0, 1) },
      { height: 1, width: 2, channels: 3, data: Float64Array.of(0, 1, 0, 0, 1, 0) },
    ];
    const y = selectiveScanReference(u, projection, {
      stateSize: 1,
      dtRank: 1,
      dtWeight: Float64Array.of(0),
      dtBias: Float64Array.of(30),
      aLogs: Float64Array.of(-50),
      skip: Float64Array.of(0),
      attentive: {
        classes: { height: 1, width: 2, data: Int32Array.of(1, 0) },
        order: { height: 1, width: 2, data: Int32Array.of(1, 0) },
        embeddingB: Float64Array.of(5, 7),
        embeddingA: Float64Array.of(1),
      },
    });
    // Step 0 visits pixel 1 and reads the prompt of pixel 0 (class 1); step 1 the other way round.
    expect([...y.data]).toEqual([150, 210].map((value) => expect.closeTo(value, 8)));
  });
});

import type { ErrorBound, OpContract } from '../op-contract.js';

/** (x − mean) / √(variance + 1e-5) · weight + bias over the channels of a pixel. */
export const layerNormContract: OpContract = {
  operation: 'layerNorm',
  inputs: [{ name: 'x', shape: '[H, W, C]' }],
  output: { name: 'y', shape: '[H, W, C]' },
  weights: [
    { name: 'weight', shape: '[C]' },
    { name: 'bias', shape: '[C]' },
  ],
  limits: ['C is at least 1; with C = 1 the result is the bias.'],
  mayAlias: ['x'],
  bound: {
    maxAbs: 1e-6,
    relative: 3e-7,
    reason: 'float32 sums over at most 348 channels; the variance is taken in a second pass, from the mean',
  },
};

/** For maps whose mean is 1000 times their deviation. */
export const largeMeanBound: ErrorBound = {
  maxAbs: 3e-4,
  relative: 2e-4,
  reason: 'the rounding of the mean, 2⁻²⁴ · 1000 and more, counts in deviations of 1',
};

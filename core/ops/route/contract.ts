import type { OpContract } from '../op-contract.js';

/** The class of a pixel: argmax over tokens of logits + noise, the lowest on a tie. */
export const routeContract: OpContract = {
  operation: 'route',
  inputs: [{ name: 'logits', shape: '[H, W, T]', range: 'any; the noise spans −2.9 to 16.7' }],
  output: { name: 'class', shape: '[H, W, 1]', range: 'whole numbers from 0 to T − 1' },
  weights: [],
  limits: ['NaN among the logits gives some class; the output then holds NaN for other reasons.'],
  mayAlias: [],
  bound: {
    maxAbs: 0,
    relative: 0,
    reason: 'exact, but where the two best scores of a pixel differ by less than `leastMargin`',
  },
};

/** Scores that differ by less than this may change places: float32 logarithms and exponentials end here. */
export const leastMargin = 1e-5;

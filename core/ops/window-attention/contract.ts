import type { ErrorBound, OpContract } from '../op-contract.js';

/** softmax(q·kᵀ / √d + bias + mask) · v per head and (shifted) window. */
export const windowAttentionContract: OpContract = {
  operation: 'windowAttention',
  inputs: [{ name: 'qkv', shape: '[H, W, 3·heads·d]', range: 'q, k and v after each other, heads inside each' }],
  output: { name: 'y', shape: '[H, W, heads·d]' },
  weights: [{ name: 'biasTable', shape: '[(2·windowSize − 1)², heads]' }],
  limits: [
    'H and W are multiples of the window size; the network’s padding sees to it.',
    'A shift is half a window, rounded down, as the networks have it: the mask’s regions are cut there.',
    'Scores differ by less than 1e30.',
  ],
  mayAlias: [],
  bound: {
    maxAbs: 2e-6,
    relative: 1.2e-6,
    reason: 'float32 dot products in the exponent, 2^x to 1e-7, and sums over a window',
  },
};

/** For scores of ± 1000 and more. */
export const sharpBound: ErrorBound = {
  maxAbs: 1e-4,
  relative: 1e-5,
  reason: 'a score of 1000 is rounded to 6e-5, which counts in full in the exponent',
};

import type { OpContract } from '../op-contract.js';

/** Cross-correlation of stride 1 with zero padding, dense or one filter a channel. */
export const conv2dContract: OpContract = {
  operation: 'conv2d',
  inputs: [{ name: 'x', shape: '[H, W, in]' }],
  output: { name: 'y', shape: '[H, W, out]' },
  weights: [
    { name: 'weight', shape: '[out, in, k, k], or [C, 1, k, k] when depthwise' },
    { name: 'bias', shape: '[out], optional' },
  ],
  limits: ['k is odd; a kernel may be wider than the map.'],
  mayAlias: [],
  bound: {
    maxAbs: 2e-6,
    relative: 1.5e-6,
    reason: 'float32 sums over at most 1566 products, one after the other',
  },
};

import type { OpContract } from '../op-contract.js';

/** y[p, o] = bias[o] + Σ_c weight[o, c] · x[p, c]. */
export const linearContract: OpContract = {
  operation: 'linear',
  inputs: [{ name: 'x', shape: '[H, W, in]' }],
  output: { name: 'y', shape: '[H, W, out]' },
  weights: [
    { name: 'weight', shape: '[out, in], [out, in, 1, 1] or [1, out, in]' },
    { name: 'bias', shape: '[out], optional' },
  ],
  limits: ['in and out are at least 1.'],
  mayAlias: [],
  bound: {
    maxAbs: 1.5e-6,
    relative: 8e-7,
    reason: 'float32 sums over at most 348 products, one after the other',
  },
};

import type { OpContract } from '../op-contract.js';

/** gelu (erf form), silu, sigmoid or leakyRelu of every value. */
export const activationContract: OpContract = {
  operation: 'activation',
  inputs: [{ name: 'x', shape: '[H, W, C]' }],
  output: { name: 'y', shape: '[H, W, C]', range: 'sigmoid: 0 to 1' },
  weights: [],
  limits: ['NaN stays NaN.', 'Of gelu and silu far left of 0 only the absolute error is bounded: 1e-7 · |x|.'],
  mayAlias: ['x'],
  bound: {
    maxAbs: 3e-7,
    relative: 3e-7,
    reason: 'own polynomials: 2^x to 1e-7 relative, Φ to 3e-8 absolute, and float32 rounding',
  },
};

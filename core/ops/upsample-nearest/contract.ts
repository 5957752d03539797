import { exact, type OpContract } from '../op-contract.js';

/** Every pixel repeated factor × factor times. */
export const upsampleNearestContract: OpContract = {
  operation: 'upsampleNearest',
  inputs: [{ name: 'x', shape: '[H, W, C]' }],
  output: { name: 'y', shape: '[H·factor, W·factor, C]' },
  weights: [],
  limits: ['The factor is at least 1.'],
  mayAlias: [],
  bound: exact,
};

import { exact, type OpContract } from '../op-contract.js';

/** [H, W, C·r²] → [H·r, W·r, C]. */
export const pixelShuffleContract: OpContract = {
  operation: 'pixelShuffle',
  inputs: [{ name: 'x', shape: '[H, W, C·r²]' }],
  output: { name: 'y', shape: '[H·r, W·r, C]' },
  weights: [],
  limits: ['r is at least 1 and r² divides the channels.'],
  mayAlias: [],
  bound: exact,
};

import type { ErrorBound, OpContract } from '../op-contract.js';

/** δ = softplus(dtWeight·Δ + dtBias); h = exp(δA)·h + δBu; y = C·h + D·u, along the order given. */
export const selectiveScanContract: OpContract = {
  operation: 'selectiveScan',
  inputs: [
    { name: 'u', shape: '[H, W, D]' },
    { name: 'projection', shape: '[H, W, R + 2N]', range: 'Δ low-rank, B, C after each other' },
    { name: 'class', shape: '[H, W, 1], with prompts of several classes', range: 'whole numbers from 0 to T − 1' },
    { name: 'order', shape: '[H, W, 1], with prompts of several classes', range: 'a permutation of the pixels' },
  ],
  output: { name: 'y', shape: '[H, W, D]', range: 'raster order' },
  weights: [
    { name: 'dtWeight', shape: '[1, D, R]' },
    { name: 'dtBias', shape: '[1, D]' },
    { name: 'aLogs', shape: '[D, N]', range: 'A = −exp(aLogs), from −0 to −1e38' },
    { name: 'skip', shape: '[D]' },
    { name: 'embeddingB', shape: '[T, r], with a prompt' },
    { name: 'embeddingA', shape: '[r, N], with a prompt' },
  ],
  limits: ['Any length from 1.', 'States below 1e-30 may be flushed to 0.'],
  mayAlias: [],
  bound: {
    maxAbs: 1e-6,
    relative: 1e-6,
    reason: 'each step rounds the decay (2^x to 1e-7) and the state once; decays of usual size forget the errors',
  },
};

/** For |δ·A| below about 1e-5, or A = 0: a state that sums over thousands of steps. */
export const longMemoryBound: ErrorBound = {
  maxAbs: 2e-5,
  relative: 2e-5,
  reason: 'next to 1, a decay has steps of 6e-8, and errors of each of 5000 steps add up as nothing is forgotten',
};

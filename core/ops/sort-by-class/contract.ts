import { exact, type OpContract } from '../op-contract.js';

/** The stable order of pixels by class. */
export const sortByClassContract: OpContract = {
  operation: 'sortByClass',
  inputs: [{ name: 'class', shape: '[H, W, 1]', range: 'whole numbers from 0 to classes − 1' }],
  output: { name: 'order', shape: '[H, W, 1]', range: 'order[p] is the pixel at place p: a permutation' },
  weights: [],
  limits: ['Equal classes keep raster order.'],
  mayAlias: [],
  bound: exact,
};

import { exact, type OpContract } from '../op-contract.js';

/** The image, extended at the bottom and right to multiples of `multiple` by mirroring, edges repeated. */
export const inputContract: OpContract = {
  operation: 'input',
  inputs: [{ name: 'image', shape: '[C, h, w]', range: 'the picture: 0 to 1' }],
  output: { name: 'x', shape: '[H, W, C]' },
  weights: [],
  limits: ['Any size from 1 × 1; an image smaller than half a multiple is mirrored again and again.'],
  mayAlias: [],
  bound: exact,
};

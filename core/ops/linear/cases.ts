import type { OpCase } from '../op-case.js';

interface Size {
  readonly height?: number;
  readonly width?: number;
}

function linear(inputs: number, outputs: number, why: string, { height = 7, width = 9 }: Size = {}): OpCase {
  return {
    id: `${inputs} to ${outputs}, ${height} × ${width}`,
    why,
    height,
    width,
    channels: inputs,
    build: ({ graph, image, name, weight }) =>
      graph.linear(name('y'), image, {
        weight: weight('weight', [outputs, inputs]),
        bias: weight('bias', [outputs]),
      }),
  };
}

/** 7 × 9 pixels leave a rest after any tile of 2, 4 or 8 rows. */
export const linearCases: readonly OpCase[] = [
  linear(1, 1, 'the smallest'),
  linear(3, 5, 'less than a vector in, more than one out'),
  linear(5, 3, 'the reverse'),
  linear(7, 8, 'a whole tile of outputs from an odd number'),
  linear(8, 7, 'one output short of a tile'),
  linear(12, 29, 'a tile of outputs that is half empty'),
  linear(29, 12, 'an odd number of inputs'),
  linear(33, 33, 'one more than a multiple of 8 on both sides'),
  linear(48, 144, 'q, k and v of the light network'),
  linear(174, 58, 'the router of the classic network: no multiple of 4'),
  linear(348, 54, 'the longest sum of a published network'),
  linear(5, 13, 'one pixel: no whole tile of rows', { height: 1, width: 1 }),
  linear(48, 13, 'one pixel', { height: 1, width: 1 }),
  linear(6, 176, 'a row longer than a strip', { height: 2, width: 300 }),
  {
    ...linear(9, 10, 'no bias'),
    id: 'no bias',
    build: ({ graph, image, name, weight }) => graph.linear(name('y'), image, { weight: weight('weight', [10, 9]) }),
  },
  {
    ...linear(6, 7, 'a weight written as a 1 × 1 convolution'),
    id: '1 × 1 convolution',
    build: ({ graph, image, name, weight }) =>
      graph.linear(name('y'), image, { weight: weight('weight', [7, 6, 1, 1]), bias: weight('bias', [7]) }),
  },
  {
    ...linear(6, 7, 'a weight with the leading axis of the scan’s projections'),
    id: 'leading axis',
    build: ({ graph, image, name, weight }) => graph.linear(name('y'), image, { weight: weight('weight', [1, 7, 6]) }),
  },
];

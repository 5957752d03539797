import type { OpCase } from '../op-case.js';

type Size = readonly [height: number, width: number];

function dense(kernelSize: number, inputs: number, outputs: number, [height, width]: Size, why: string): OpCase {
  return {
    id: `${kernelSize} × ${kernelSize}, ${inputs} to ${outputs}, ${height} × ${width}`,
    why,
    height,
    width,
    channels: inputs,
    build: ({ graph, image, name, weight }) =>
      graph.conv2d(name('y'), image, {
        weight: weight('weight', [outputs, inputs, kernelSize, kernelSize]),
        bias: weight('bias', [outputs]),
      }),
  };
}

function depthwise(kernelSize: number, channels: number, [height, width]: Size, why: string): OpCase {
  return {
    id: `depthwise ${kernelSize} × ${kernelSize}, ${channels}, ${height} × ${width}`,
    why,
    height,
    width,
    channels,
    build: ({ graph, image, name, weight }) =>
      graph.depthwiseConv2d(name('y'), image, {
        weight: weight('weight', [channels, 1, kernelSize, kernelSize]),
        bias: weight('bias', [channels]),
      }),
  };
}

const point: Size = [1, 1];
const row: Size = [1, 11];
const column: Size = [10, 1];
const small: Size = [5, 7];
const long: Size = [3, 150];

/** Maps of a point, a row, a column, with an inside, and with rows longer than a strip. */
export const conv2dCases: readonly OpCase[] = [
  dense(3, 1, 1, small, 'the smallest with an inside'),
  dense(3, 3, 48, small, 'the first layer of a network'),
  dense(3, 5, 7, small, 'no multiple of anything'),
  dense(3, 8, 8, small, 'all multiples: the source has no gaps between pixels'),
  dense(3, 48, 12, small, 'the head of a light network, no gaps'),
  dense(3, 29, 33, small, 'wide and odd'),
  dense(3, 174, 3, small, 'the longest sum of a published network'),
  dense(3, 16, 16, small, 'pairs of pixels: the last one of an odd row has no partner'),
  dense(3, 16, 24, point, 'half a pair, and nothing around it'),
  dense(3, 18, 17, column, 'half a pair a row'),
  dense(3, 48, 48, long, 'pairs in rows cut into strips'),
  dense(3, 174, 20, small, 'the longest sum of a published network, in pairs'),
  dense(1, 7, 5, small, 'no neighbours at all'),
  dense(5, 3, 9, small, 'no pixel whose kernel lies inside in y'),
  dense(7, 3, 5, small, 'a kernel wider than the map is high'),
  dense(3, 4, 6, point, 'one pixel: all but the middle tap is border'),
  dense(7, 2, 3, point, 'one pixel below a wide kernel'),
  dense(3, 5, 4, row, 'no row above or below'),
  dense(7, 3, 4, row, 'no row above or below a wide kernel'),
  dense(3, 5, 4, column, 'no pixel to the left or right'),
  dense(5, 3, 8, column, 'both borders in each pixel'),
  dense(3, 3, 176, long, 'rows cut into strips: borders at the ends of rows only, neighbours across strips'),
  dense(5, 8, 8, long, 'rows cut into strips, no gaps'),
  {
    ...dense(3, 6, 5, small, 'no bias'),
    id: 'dense without bias',
    build: ({ graph, image, name, weight }) =>
      graph.conv2d(name('y'), image, { weight: weight('weight', [5, 6, 3, 3]) }),
  },
  depthwise(3, 1, small, 'one channel: three lanes of a vector are empty'),
  depthwise(3, 48, small, 'the positional convolution of the light network'),
  depthwise(5, 24, small, 'the gate of the light network'),
  depthwise(5, 7, small, 'a rest of three channels'),
  depthwise(7, 12, small, 'a kernel wider than the map is high'),
  depthwise(1, 5, small, 'a scale per channel'),
  depthwise(5, 3, point, 'one pixel'),
  depthwise(3, 8, row, 'no row above or below'),
  depthwise(5, 12, column, 'no pixel to the left or right'),
  depthwise(3, 33, long, 'rows cut into strips'),
  depthwise(7, 5, long, 'rows cut into strips, a wide kernel'),
  {
    ...depthwise(3, 6, small, 'no bias'),
    id: 'depthwise without bias',
    build: ({ graph, image, name, weight }) =>
      graph.depthwiseConv2d(name('y'), image, { weight: weight('weight', [6, 1, 3, 3]) }),
  },
];

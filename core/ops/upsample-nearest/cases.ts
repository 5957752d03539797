import type { OpCase } from '../op-case.js';

type Size = readonly [height: number, width: number];

function nearest(factor: number, channels: number, [height, width]: Size, why: string): OpCase {
  return {
    id: `× ${factor}, ${channels} channels, ${height} × ${width}`,
    why,
    height,
    width,
    channels,
    build: ({ graph, image, name }) => graph.upsampleNearest(name('y'), image, factor),
  };
}

export const upsampleNearestCases: readonly OpCase[] = [
  nearest(2, 64, [5, 7], 'the × 4 head takes two of these'),
  nearest(3, 5, [5, 7], 'an odd factor and a rest of channels'),
  nearest(4, 1, [5, 7], 'one channel'),
  nearest(1, 3, [5, 7], 'nothing to do'),
  nearest(2, 3, [1, 1], 'one pixel'),
  nearest(2, 7, [1, 9], 'one row'),
  nearest(3, 4, [9, 1], 'one column'),
  nearest(2, 48, [2, 300], 'a row longer than a strip'),
];

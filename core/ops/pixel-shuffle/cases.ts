import type { OpCase } from '../op-case.js';

type Size = readonly [height: number, width: number];

function shuffle(factor: number, channels: number, [height, width]: Size, why: string): OpCase {
  return {
    id: `× ${factor}, ${channels} channels, ${height} × ${width}`,
    why,
    height,
    width,
    channels: channels * factor ** 2,
    build: ({ graph, image, name }) => graph.pixelShuffle(name('y'), image, factor),
  };
}

export const pixelShuffleCases: readonly OpCase[] = [
  shuffle(2, 3, [5, 7], 'an RGB head × 2'),
  shuffle(3, 3, [5, 7], 'an RGB head × 3: 27 channels'),
  shuffle(4, 3, [5, 7], 'an RGB head × 4'),
  shuffle(2, 1, [5, 7], 'a gray head'),
  shuffle(2, 16, [5, 7], 'one of several steps'),
  shuffle(1, 5, [5, 7], 'nothing to do'),
  shuffle(3, 2, [1, 1], 'one pixel'),
  shuffle(2, 3, [1, 9], 'one row'),
  shuffle(2, 3, [9, 1], 'one column'),
  shuffle(4, 3, [2, 300], 'a row longer than a strip'),
];

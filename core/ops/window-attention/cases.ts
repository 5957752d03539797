import { type OpCase, within } from '../op-case.js';
import { sharpBound } from './contract.js';

interface Shape {
  readonly windowSize: number;
  readonly heads: number;
  readonly headSize: number;
  readonly isShifted: boolean;
  /** Image size; padded to windows. */
  readonly size: readonly [height: number, width: number];
}

function attention({ windowSize, heads, headSize, isShifted, size: [height, width] }: Shape, why: string): OpCase {
  const shift = isShifted ? Math.floor(windowSize / 2) : 0;
  return {
    id: `windows of ${windowSize}, ${heads} × ${headSize} channels, shift ${shift}, ${height} × ${width}`,
    why,
    height,
    width,
    multiple: windowSize,
    channels: 3 * heads * headSize,
    values: within(2),
    build: ({ graph, image, name, weight }) =>
      graph.windowAttention(name('y'), image, {
        windowSize,
        heads,
        shift,
        biasTable: weight('biasTable', [(2 * windowSize - 1) ** 2, heads], within(2)),
      }),
  };
}

const sharp: Shape = { windowSize: 8, heads: 2, headSize: 6, isShifted: true, size: [16, 24] };

export const windowAttentionCases: readonly OpCase[] = [
  attention({ windowSize: 8, heads: 2, headSize: 12, isShifted: false, size: [16, 24] }, 'whole vectors everywhere'),
  attention({ windowSize: 8, heads: 2, headSize: 12, isShifted: true, size: [16, 24] }, 'mask at both far borders'),
  attention({ windowSize: 8, heads: 3, headSize: 3, isShifted: true, size: [16, 24] }, 'a head less than a vector'),
  attention({ windowSize: 8, heads: 4, headSize: 4, isShifted: false, size: [16, 24] }, 'a head of one vector'),
  attention({ windowSize: 8, heads: 1, headSize: 5, isShifted: true, size: [16, 24] }, 'one head, a rest of one'),
  attention(
    { windowSize: 8, heads: 2, headSize: 6, isShifted: true, size: [8, 8] },
    'one window that is both last row and last column',
  ),
  attention(
    { windowSize: 8, heads: 2, headSize: 5, isShifted: false, size: [1, 1] },
    'one window, all padding but a pixel',
  ),
  attention(
    { windowSize: 8, heads: 1, headSize: 7, isShifted: true, size: [8, 40] },
    'one row of windows: masked in y everywhere',
  ),
  attention(
    { windowSize: 8, heads: 1, headSize: 7, isShifted: true, size: [24, 8] },
    'one column of windows: masked in x everywhere',
  ),
  attention(
    { windowSize: 6, heads: 3, headSize: 5, isShifted: true, size: [12, 18] },
    'window rows of a vector and a half',
  ),
  attention({ windowSize: 6, heads: 2, headSize: 12, isShifted: false, size: [12, 18] }, 'the same, no mask'),
  attention(
    { windowSize: 7, heads: 2, headSize: 3, isShifted: true, size: [13, 20] },
    'odd: 49 keys, shift 3, halves of 4 and 3',
  ),
  attention({ windowSize: 7, heads: 5, headSize: 4, isShifted: false, size: [13, 20] }, 'odd, no mask'),
  attention({ windowSize: 16, heads: 4, headSize: 12, isShifted: true, size: [16, 32] }, 'the light network'),
  attention({ windowSize: 16, heads: 2, headSize: 29, isShifted: true, size: [16, 32] }, 'the classic network'),
  attention(
    { windowSize: 16, heads: 1, headSize: 33, isShifted: false, size: [16, 32] },
    'more channels than the classic network, no mask',
  ),
  attention({ windowSize: 5, heads: 2, headSize: 2, isShifted: true, size: [5, 10] }, 'a row of a vector and one'),
  attention({ windowSize: 3, heads: 2, headSize: 2, isShifted: true, size: [6, 6] }, 'a row below a vector'),
  attention({ windowSize: 2, heads: 1, headSize: 1, isShifted: true, size: [4, 6] }, 'the smallest shift, one channel'),
  attention(
    { windowSize: 1, heads: 2, headSize: 3, isShifted: false, size: [3, 5] },
    'each pixel alone: the result is v',
  ),
  {
    ...attention(sharp, 'scores of ± 1000: one key takes all, also beyond the mask, since −100 is no −∞'),
    id: 'sharp',
    values: within(30),
    bound: sharpBound,
  },
  {
    ...attention({ ...sharp, isShifted: false }, 'biases alone leave the range of the exponential'),
    id: 'large biases',
    values: within(0.5),
    build: ({ graph, image, name, weight }) =>
      graph.windowAttention(name('y'), image, {
        windowSize: sharp.windowSize,
        heads: sharp.heads,
        shift: 0,
        biasTable: weight('biasTable', [(2 * sharp.windowSize - 1) ** 2, sharp.heads], within(200)),
      }),
    bound: sharpBound,
  },
  {
    ...attention(sharp, 'all scores equal: the mean of v, and of the mask’s regions'),
    id: 'flat',
    values: (random, { channel }) => (channel < 24 ? 0 : random()),
  },
];

import { between, type OpCase } from '../op-case.js';

type Size = readonly [height: number, width: number];

function input(channels: number, [height, width]: Size, multiple: number, why: string): OpCase {
  return {
    id: `${channels} channels, ${height} × ${width}, to multiples of ${multiple}`,
    why,
    height,
    width,
    multiple,
    channels,
    values: between(0, 1),
    build: ({ image }) => image,
  };
}

export const inputCases: readonly OpCase[] = [
  input(3, [5, 7], 1, 'no padding'),
  input(1, [5, 7], 1, 'gray'),
  input(3, [16, 8], 8, 'a multiple already'),
  input(3, [1, 1], 16, 'one pixel, repeated'),
  input(4, [3, 2], 16, 'mirrored again and again'),
  input(3, [17, 9], 8, 'one pixel more than a multiple'),
  input(5, [1, 2100], 16, 'a row longer than a strip, one row high'),
];

import { between, type Draw, type OpCase, within } from '../op-case.js';
import { largeMeanBound } from './contract.js';

function layerNorm(channels: number, why: string, { height, width }: { height: number; width: number }): OpCase {
  return {
    id: `${channels} channels, ${height} × ${width}`,
    why,
    height,
    width,
    channels,
    build: ({ graph, image, name, weight }) =>
      graph.layerNorm(name('y'), image, {
        weight: weight('weight', [channels], between(0.5, 1.5)),
        bias: weight('bias', [channels]),
      }),
  };
}

const small = { height: 7, width: 9 };

function special(id: string, why: string, values: Draw): OpCase {
  return { ...layerNorm(13, why, small), id, values };
}

export const layerNormCases: readonly OpCase[] = [
  layerNorm(1, 'variance 0 by definition', small),
  layerNorm(3, 'less than a vector', small),
  layerNorm(5, 'a rest of one channel', small),
  layerNorm(7, 'a rest of three channels', small),
  layerNorm(8, 'whole vectors', small),
  layerNorm(24, 'the gate of the light network', small),
  layerNorm(33, 'many vectors and a rest', small),
  layerNorm(48, 'the light network', small),
  layerNorm(174, 'the classic network: a rest of two', small),
  layerNorm(348, 'the widest of a published network', small),
  layerNorm(6, 'one pixel: no whole tile of rows', { height: 1, width: 1 }),
  layerNorm(48, 'a row longer than a strip', { height: 2, width: 400 }),
  special('equal values', 'variance 0: the epsilon decides', () => 0.7),
  special('zeros', 'a black picture', () => 0),
  special('variance below epsilon', 'deviations of 1e-4', within(1e-4)),
  special('large values', 'squares near 1e12', within(1e6)),
  { ...special('large mean', 'a mean 1000 times the deviation', between(999, 1001)), bound: largeMeanBound },
  special('one outlier', 'one channel carries all the variance', (random, { channel }) =>
    channel === 4 ? 50 : random(),
  ),
];

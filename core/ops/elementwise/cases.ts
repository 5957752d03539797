import type { NodeId } from '../../graph/graph.js';
import type { CaseWriter, OpCase } from '../op-case.js';
import { fusedBound } from './contract.js';

type Size = readonly [height: number, width: number];

/** A case on an image that holds `maps` maps of `channels` channels. */
function elementwise(
  [id, why]: readonly [string, string],
  [maps, channels, [height, width]]: readonly [number, number, Size],
  write: (writer: CaseWriter, maps: readonly NodeId[]) => NodeId,
): OpCase {
  return {
    id,
    why,
    height,
    width,
    channels: maps * channels,
    build: (writer) => {
      const { graph, image, name } = writer;
      const slice = (index: number) =>
        graph.sliceChannels(name(`map ${index}`), image, { start: index * channels, channels });
      return write(
        writer,
        Array.from({ length: maps }, (_, index) => slice(index)),
      );
    },
  };
}

const small: Size = [7, 9];
const long: Size = [2, 700];

const widths = [
  [1, small, 'three lanes of the vector are empty'],
  [7, small, 'a rest of three channels'],
  [8, small, 'whole vectors'],
  [29, [1, 1], 'one pixel'],
  [48, long, 'a row longer than a strip'],
] as const;

export const addCases: readonly OpCase[] = [
  ...widths.map(([channels, size, why]) =>
    elementwise([`add, ${channels} channels`, why], [2, channels, size], ({ graph, name }, [a, b]) =>
      graph.add(name('y'), a as NodeId, b as NodeId),
    ),
  ),
  elementwise(['add to itself', 'both inputs are one map'], [1, 5, small], ({ graph, name }, [a]) =>
    graph.add(name('y'), a as NodeId, a as NodeId),
  ),
  ...([0, 1] as const).flatMap((place) => {
    const where = place === 0 ? 'first' : 'second';
    return [
      {
        ...elementwise(
          [`linear as the ${where} input`, 'executors may add the residual as the sums are stored'],
          [2, 13, small],
          ({ graph, name, weight }, [a, b]) => {
            const y = graph.linear(name('linear'), a as NodeId, {
              weight: weight('weight', [13, 13]),
              bias: weight('bias', [13]),
            });
            return graph.add(name('y'), ...((place === 0 ? [y, b] : [b, y]) as [NodeId, NodeId]));
          },
        ),
        bound: fusedBound,
      },
      elementwise(
        [`scaled channels as the ${where} input`, 'executors may do both in one pass'],
        [2, 13, small],
        ({ graph, name, weight }, [a, b]) => {
          const y = graph.scaleChannels(name('scale'), a as NodeId, weight('weight', [13]));
          return graph.add(name('y'), ...((place === 0 ? [y, b] : [b, y]) as [NodeId, NodeId]));
        },
      ),
    ];
  }),
  {
    ...elementwise(
      ['two linear inputs', 'only one of them can be taken in'],
      [2, 6, small],
      ({ graph, name, weight }, [a, b]) =>
        graph.add(
          name('y'),
          graph.linear(name('left'), a as NodeId, { weight: weight('left', [7, 6]), bias: weight('left bias', [7]) }),
          graph.linear(name('right'), b as NodeId, {
            weight: weight('right', [7, 6]),
            bias: weight('right bias', [7]),
          }),
        ),
    ),
    bound: fusedBound,
  },
  {
    ...elementwise(
      ['linear of a linear', 'a value that two ops need is not taken in'],
      [1, 6, small],
      ({ graph, name, weight }, [a]) => {
        const inner = graph.linear(name('inner'), a as NodeId, { weight: weight('inner', [6, 6]) });
        return graph.add(name('y'), graph.linear(name('outer'), inner, { weight: weight('outer', [6, 6]) }), inner);
      },
    ),
    bound: fusedBound,
  },
];

export const multiplyCases: readonly OpCase[] = [
  ...widths.map(([channels, size, why]) =>
    elementwise([`multiply, ${channels} channels`, why], [2, channels, size], ({ graph, name }, [a, b]) =>
      graph.multiply(name('y'), a as NodeId, b as NodeId),
    ),
  ),
  elementwise(['square', 'both inputs are one map'], [1, 5, small], ({ graph, name }, [a]) =>
    graph.multiply(name('y'), a as NodeId, a as NodeId),
  ),
  ...([0, 1] as const).map((place) => ({
    ...elementwise(
      [`sigmoid as the ${place === 0 ? 'first' : 'second'} input`, 'executors may gate in one pass'],
      [2, 11, small],
      ({ graph, name }, [a, b]) => {
        const gate = graph.sigmoid(name('sigmoid'), a as NodeId);
        return graph.multiply(name('y'), ...((place === 0 ? [gate, b] : [b, gate]) as [NodeId, NodeId]));
      },
    ),
    bound: fusedBound,
  })),
  {
    ...elementwise(
      ['gated by its own sigmoid', 'the gate and the gated are one map: SiLU'],
      [1, 6, small],
      ({ graph, name }, [a]) => graph.multiply(name('y'), a as NodeId, graph.sigmoid(name('sigmoid'), a as NodeId)),
    ),
    bound: fusedBound,
  },
];

export const affineCases: readonly OpCase[] = widths.map(([channels, size, why]) =>
  elementwise([`affine, ${channels} channels`, why], [1, channels, size], ({ graph, name }, [x]) =>
    graph.affine(name('y'), x as NodeId, {
      scale: Array.from({ length: channels }, (_, channel) => 255 / (channel + 1)),
      offset: Array.from({ length: channels }, (_, channel) => -0.4488 * channel),
    }),
  ),
);

export const scaleChannelsCases: readonly OpCase[] = widths.map(([channels, size, why]) =>
  elementwise([`scale, ${channels} channels`, why], [1, channels, size], ({ graph, name, weight }, [x]) =>
    graph.scaleChannels(name('y'), x as NodeId, weight('weight', [channels])),
  ),
);

export const sliceChannelsCases: readonly OpCase[] = [
  elementwise(['the whole map', 'nothing is cut off'], [1, 7, small], (_, [x]) => x as NodeId),
  elementwise(['the second half', 'starts inside a vector'], [2, 7, small], (_, [, x]) => x as NodeId),
  elementwise(['a slice of a slice', 'starts add up'], [3, 9, small], ({ graph, name }, [, x]) =>
    graph.sliceChannels(name('y'), x as NodeId, { start: 2, channels: 3 }),
  ),
  elementwise(
    ['a slice computed on', 'a view of a value that is made on the way'],
    [1, 5, long],
    ({ graph, name, weight }, [x]) => {
      const wide = graph.scaleChannels(
        name('scale'),
        x as NodeId,
        weight('weight', [5], () => 2),
      );
      const slice = graph.sliceChannels(name('slice'), wide, { start: 1, channels: 3 });
      return graph.leakyRelu(name('y'), slice, 0.5);
    },
  ),
];

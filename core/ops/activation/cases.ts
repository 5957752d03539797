import type { ActivationFunction } from '../../graph/graph.js';
import { type Draw, type OpCase, within } from '../op-case.js';

const functions = ['gelu', 'silu', 'sigmoid', 'leakyRelu'] as const satisfies readonly ActivationFunction[];

type Problem = Pick<OpCase, 'why' | 'height' | 'width' | 'channels' | 'values'>;

/** Places where polynomials, clamps and signs change. */
const special = [
  0, -0, 1e-38, -1e-38, 1e-45, 0.5, -0.5, 1, -1, 5.5, -5.5, 5.7, -5.7, 20, -20, 87, -87, 89, -89, 1e4, -1e4,
];

const list: Draw = (_, { channel, pixel }) => special[(pixel * 7 + channel) % special.length] as number;

const problems: Readonly<Record<string, Problem>> = {
  'one value': { why: 'three lanes of the vector are empty', height: 1, width: 1, channels: 1 },
  'usual values': { why: 'what normed features look like', height: 7, width: 9, channels: 29, values: within(3) },
  'wide values': { why: 'where exponentials are clamped', height: 7, width: 9, channels: 12, values: within(120) },
  'special values': {
    why: 'zeros of both signs, denormals, ends of tables',
    height: 7,
    width: 9,
    channels: 3,
    values: list,
  },
  'long row': { why: 'a row longer than a strip', height: 2, width: 1700, channels: 5, values: within(6) },
};

function activation(name: ActivationFunction, id: string, problem: Problem): OpCase {
  return {
    ...problem,
    id: `${name}, ${id}`,
    build: ({ graph, image, name: nameOf }) =>
      graph.node(
        nameOf('y'),
        { op: 'activation', function: name, ...(name === 'leakyRelu' ? { slope: 0.2 } : {}) },
        image,
      ),
  };
}

export const activationCases: readonly OpCase[] = functions.flatMap((name) =>
  Object.entries(problems).map(([id, problem]) => activation(name, id, problem)),
);

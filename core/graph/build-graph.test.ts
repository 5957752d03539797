import { describe, expect, it } from '@jest/globals';
import { type ErrorCode, isMambairError } from '../errors.js';
import { dtypeBytes, elementCount, type StoredTensor } from '../tensor/tensor.js';
import { GraphBuilder } from './build-graph.js';
import type { Graph, NodeId, Operation, WeightReference } from './graph.js';
import { validateGraph } from './validate-graph.js';
import { checkWeights, graphWeights } from './weights.js';

function weight(key: string, ...shape: number[]): WeightReference {
  return { key, shape };
}

/** The code and named node of what `act` throws. */
function failure(act: () => unknown): { readonly code: ErrorCode; readonly node: unknown } {
  try {
    act();
  } catch (error) {
    if (isMambairError(error)) {
      return { code: error.code, node: error.detail['node'] };
    }
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** A builder with an input of 12 channels, as node 0. */
function started(): GraphBuilder {
  const graph = new GraphBuilder();
  graph.input('input', { channels: 12, multiple: 4 });
  return graph;
}

describe('the types of values', () => {
  const cases: readonly [what: string, add: (graph: GraphBuilder) => NodeId, channels: number, scale: number][] = [
    ['conv2d', (g) => g.conv2d('n', 0, { weight: weight('w', 5, 12, 3, 3), bias: weight('b', 5) }), 5, 1],
    ['depth-wise conv2d', (g) => g.depthwiseConv2d('n', 0, { weight: weight('w', 12, 1, 5, 5) }), 12, 1],
    ['linear', (g) => g.linear('n', 0, { weight: weight('w', 7, 12), bias: weight('b', 7) }), 7, 1],
    ['linear by a 1×1 convolution', (g) => g.linear('n', 0, { weight: weight('w', 7, 12, 1, 1) }), 7, 1],
    ['linear of a stack of one', (g) => g.linear('n', 0, { weight: weight('w', 1, 7, 12) }), 7, 1],
    ['layerNorm', (g) => g.layerNorm('n', 0, { weight: weight('w', 12), bias: weight('b', 12) }), 12, 1],
    ['leakyRelu', (g) => g.leakyRelu('n', 0, 0.2), 12, 1],
    ['add', (g) => g.add('n', 0, 0), 12, 1],
    ['scaleChannels', (g) => g.scaleChannels('n', 0, weight('w', 12)), 12, 1],
    ['sliceChannels', (g) => g.sliceChannels('n', 0, { start: 4, channels: 8 }), 8, 1],
    [
      'windowAttention',
      (g) => g.windowAttention('n', 0, { windowSize: 4, heads: 2, shift: 2, biasTable: weight('t', 49, 2) }),
      4,
      1,
    ],
    ['route', (g) => g.route('n', 0, { block: 0, tokens: 12 }), 1, 1],
    ['pixelShuffle', (g) => g.pixelShuffle('n', 0, 2), 3, 2],
    ['upsampleNearest', (g) => g.upsampleNearest('n', 0, 3), 12, 3],
  ];
  it.each(cases)('%s', (_, add, channels, scale) => {
    const graph = started();
    expect(graph.typeOf(add(graph))).toMatchObject({ channels, scale });
  });
});

describe('a node that breaks the rules is refused by its name', () => {
  const scanConstants = {
    stateSize: 2,
    dtRank: 1,
    dtWeight: weight('dt', 1, 12, 1),
    dtBias: weight('bias', 1, 12),
    aLogs: weight('a', 12, 2),
    skip: weight('d', 12),
  };
  const cases: readonly [what: string, add: (graph: GraphBuilder) => NodeId][] = [
    ['a weight of other channels', (g) => g.conv2d('n', 0, { weight: weight('w', 5, 11, 3, 3) })],
    ['an even kernel', (g) => g.conv2d('n', 0, { weight: weight('w', 5, 12, 4, 4) })],
    ['a kernel that is no square', (g) => g.conv2d('n', 0, { weight: weight('w', 5, 12, 3, 5) })],
    ['a depth-wise kernel too few', (g) => g.depthwiseConv2d('n', 0, { weight: weight('w', 11, 1, 3, 3) })],
    ['a bias of another length', (g) => g.linear('n', 0, { weight: weight('w', 7, 12), bias: weight('b', 12) })],
    ['a linear weight without rows', (g) => g.linear('n', 0, { weight: weight('w') })],
    ['a norm of other channels', (g) => g.layerNorm('n', 0, { weight: weight('w', 3), bias: weight('b', 12) })],
    ['a sum of unequal maps', (g) => g.add('n', 0, g.pixelShuffle('s', 0, 2))],
    ['a product with indices', (g) => g.multiply('n', 0, g.route('r', 0, { block: 0, tokens: 12 }))],
    ['channels outside', (g) => g.sliceChannels('n', 0, { start: 8, channels: 8 })],
    [
      'heads that do not divide',
      (g) => g.windowAttention('n', 0, { windowSize: 4, heads: 5, shift: 0, biasTable: weight('t', 49, 5) }),
    ],
    [
      'a shift past the window',
      (g) => g.windowAttention('n', 0, { windowSize: 4, heads: 2, shift: 4, biasTable: weight('t', 49, 2) }),
    ],
    ['another number of logits', (g) => g.route('n', 0, { block: 0, tokens: 11 })],
    ['sorting features', (g) => g.sortByClass('n', 0, { classes: 12 })],
    ['a projection of other channels', (g) => g.selectiveScan('n', [0, 0], scanConstants)],
    [
      'a prompt without classes',
      (g) => {
        const projection = g.linear('p', 0, { weight: weight('w', 5, 12) });
        const prompt = { embeddingB: weight('eb', 4, 3), embeddingA: weight('ea', 3, 2) };
        return g.selectiveScan('n', [0, projection], { ...scanConstants, prompt });
      },
    ],
    ['channels that do not shuffle', (g) => g.pixelShuffle('n', 0, 5)],
    ['a factor of no size', (g) => g.upsampleNearest('n', 0, 0)],
    ['constants for other channels', (g) => g.affine('n', 0, { scale: [1], offset: [0] })],
    ['a slope that is no number', (g) => g.leakyRelu('n', 0, Number.NaN)],
    [
      'a name in use',
      (g) => {
        g.gelu('n', 0);
        return g.gelu('n', 0);
      },
    ],
  ];
  it.each(cases)('%s', (_, add) => {
    expect(failure(() => add(started()))).toEqual({ code: 'MAMBAIR_GRAPH_INVALID', node: 'n' });
  });
});

describe('a whole graph', () => {
  const type = { kind: 'features', channels: 12, scale: 1 } as const;
  const input = { name: 'input', operation: { op: 'input', channels: 12, multiple: 4 } as Operation, inputs: [], type };
  const gelu = (name: string, inputs: NodeId[]) => ({
    name,
    operation: { op: 'activation', function: 'gelu' } as Operation,
    inputs,
    type,
  });
  const cases: readonly [string, Graph][] = [
    ['a node that reads ahead', { nodes: [input, gelu('n', [2]), gelu('m', [0])], output: 1, routes: [] }],
    ['two inputs', { nodes: [input, { ...input, name: 'n' }], output: 0, routes: [] }],
    [
      'a type that its op does not give',
      { nodes: [input, { ...gelu('n', [0]), type: { ...type, channels: 3 } }], output: 0, routes: [] },
    ],
    ['a route that is none', { nodes: [input, gelu('n', [0])], output: 0, routes: [1] }],
    ['two nodes of one name', { nodes: [input, gelu('n', [0]), gelu('n', [0])], output: 0, routes: [] }],
  ];
  it.each(cases)('is refused with %s', (_, graph) => {
    expect(failure(() => validateGraph(graph))).toEqual({ code: 'MAMBAIR_GRAPH_INVALID', node: 'n' });
  });

  it('is refused when one weight has two shapes', () => {
    const graph = started();
    const wide = graph.linear('wide', 0, { weight: weight('w', 24, 12) });
    const last = graph.linear('n', wide, { weight: weight('w', 12, 24) });
    expect(failure(() => graph.finish(last))).toEqual({ code: 'MAMBAIR_GRAPH_INVALID', node: 'n' });
  });

  it('is refused when its output is no feature map', () => {
    const graph = started();
    const route = graph.route('n', 0, { block: 0, tokens: 12 });
    expect(failure(() => graph.finish(route))).toEqual({ code: 'MAMBAIR_GRAPH_INVALID', node: 'n' });
  });
});

describe('weights for a graph', () => {
  const graph = started();
  const network = graph.finish(graph.linear('linear', 0, { weight: weight('w', 2, 12), bias: weight('b', 2) }));
  const zeros = (shape: readonly number[], dtype: 'F16' | 'I32' = 'F16'): StoredTensor => ({
    dtype,
    shape,
    bytes: new Uint8Array(elementCount(shape) * dtypeBytes[dtype]),
  });
  const complete = new Map([
    ['w', zeros([2, 12])],
    ['b', zeros([2])],
    ['input', zeros([1, 1, 4, 4])],
  ]);

  it('are those its nodes name', () => {
    expect([...graphWeights(network).keys()]).toEqual(['w', 'b']);
    expect([...checkWeights(network, complete).keys()]).toEqual(['w', 'b']);
  });

  it.each([
    ['missing', undefined],
    ['misshaped', zeros([3])],
    ['no floating-point numbers', zeros([2], 'I32')],
  ])('are refused when %s', (_, bias) => {
    const tensors = new Map([...complete, ...(bias === undefined ? [] : [['b', bias] as const])]);
    if (bias === undefined) {
      tensors.delete('b');
    }
    expect(failure(() => checkWeights(network, tensors)).code).toBe('MAMBAIR_SHAPE_MISMATCH');
  });
});

import { invariant } from '../../errors.js';
import type { Graph, GraphNode, NodeId, WeightReference } from '../../graph/graph.js';
import { activationReference } from '../../ops/activation/reference.js';
import { conv2dReference, depthwiseConv2dReference } from '../../ops/conv2d/reference.js';
import {
  addReference,
  affineReference,
  multiplyReference,
  scaleChannelsReference,
  sliceChannelsReference,
} from '../../ops/elementwise/reference.js';
import type { FeatureMap, IndexMap } from '../../ops/feature-map.js';
import { layerNormReference } from '../../ops/layer-norm/reference.js';
import { linearReference } from '../../ops/linear/reference.js';
import { padMirrorReference } from '../../ops/pad-mirror/reference.js';
import { pixelShuffleReference } from '../../ops/pixel-shuffle/reference.js';
import { routeReference } from '../../ops/route/reference.js';
import { selectiveScanReference } from '../../ops/selective-scan/reference.js';
import { sortByClassReference } from '../../ops/sort-by-class/reference.js';
import { upsampleNearestReference } from '../../ops/upsample-nearest/reference.js';
import { windowAttentionReference } from '../../ops/window-attention/reference.js';

/** The value of a node: features, or whole numbers. */
export type NodeValue = FeatureMap | IndexMap;

/** Weights by checkpoint key, widened to float64. */
export type ReferenceWeights = ReadonlyMap<string, Float64Array>;

/** How one image is evaluated. */
export interface EvaluateOptions {
  /** Noise `[L, T]` to add to a block's logits, over the padded pixels; undefined for argmax. */
  readonly noise: (
    block: number,
    size: { height: number; width: number; tokens: number },
  ) => Float64Array | Float32Array | undefined;
  /** Classes `[L]` to take instead of asking the router, or undefined. */
  readonly classes?: ((block: number) => Int32Array | undefined) | undefined;
  /** Names of nodes whose values are wanted beside the output's. */
  readonly taps?: ReadonlySet<string> | undefined;
  /** Awaited before every node; may throw to stop. */
  readonly beforeNode?: (() => Promise<void> | void) | undefined;
}

/** The last node that reads each node: after it, the value can go. */
export function lastReaders(graph: Graph): readonly NodeId[] {
  const last: NodeId[] = graph.nodes.map((_, id) => id);
  graph.nodes.forEach((node, id) => {
    for (const input of node.inputs) {
      last[input] = id;
    }
  });
  return last;
}

/**
 * Runs a graph on one image `[h, w, C]`, node by node in float64. Returns the taps and, under the output node's name,
 * the output: still of the padded size.
 */
export async function evaluateGraph(
  graph: Graph,
  weights: ReferenceWeights,
  image: FeatureMap,
  options: EvaluateOptions,
): Promise<ReadonlyMap<string, NodeValue>> {
  const values = new Map<NodeId, NodeValue>();
  const kept = new Map<string, NodeValue>();
  const last = lastReaders(graph);
  for (const [id, node] of graph.nodes.entries()) {
    await options.beforeNode?.();
    const inputs = node.inputs.map((input) => values.get(input) as NodeValue);
    const value =
      node.operation.op === 'input'
        ? padMirrorReference(image, node.operation.multiple)
        : evaluateNode(node, inputs, weights, options);
    values.set(id, value);
    if (id === graph.output || options.taps?.has(node.name)) {
      kept.set(node.name, value);
    }
    for (const input of node.inputs) {
      if (last[input] === id) {
        values.delete(input);
      }
    }
  }
  return kept;
}

function evaluateNode(
  node: GraphNode,
  inputs: readonly NodeValue[],
  weights: ReferenceWeights,
  options: EvaluateOptions,
): NodeValue {
  const { operation } = node;
  // The shape rules have checked number and kind of every node's inputs.
  const x = inputs[0] as FeatureMap;
  const weight = (reference: WeightReference): Float64Array => {
    const values = weights.get(reference.key);
    invariant(values !== undefined, `weight ${reference.key} was not loaded`);
    return values;
  };
  const optional = (reference: WeightReference | undefined) => reference && weight(reference);

  switch (operation.op) {
    case 'affine':
      return affineReference(x, operation.scale, operation.offset);
    case 'conv2d': {
      const convolve = operation.depthwise ? depthwiseConv2dReference : conv2dReference;
      const { kernelSize } = operation;
      return convolve(x, { kernelSize, weight: weight(operation.weight), bias: optional(operation.bias) });
    }
    case 'linear':
      return linearReference(x, weight(operation.weight), optional(operation.bias));
    case 'layerNorm':
      return layerNormReference(x, weight(operation.weight), weight(operation.bias));
    case 'activation':
      return activationReference(x, operation.function, operation.slope);
    case 'add':
      return addReference(x, inputs[1] as FeatureMap);
    case 'multiply':
      return multiplyReference(x, inputs[1] as FeatureMap);
    case 'scaleChannels':
      return scaleChannelsReference(x, weight(operation.weight));
    case 'sliceChannels':
      return sliceChannelsReference(x, operation.start, operation.channels);
    case 'windowAttention':
      return windowAttentionReference(x, { ...operation, biasTable: weight(operation.biasTable) });
    case 'route': {
      const { block, tokens } = operation;
      const forced = options.classes?.(block);
      return forced === undefined
        ? routeReference(x, options.noise(block, { height: x.height, width: x.width, tokens }))
        : { height: x.height, width: x.width, data: forced };
    }
    case 'sortByClass':
      return sortByClassReference(inputs[0] as IndexMap, operation.classes);
    case 'selectiveScan': {
      const { stateSize, dtRank, prompt } = operation;
      return selectiveScanReference(x, inputs[1] as FeatureMap, {
        stateSize,
        dtRank,
        dtWeight: weight(operation.dtWeight),
        dtBias: weight(operation.dtBias),
        aLogs: weight(operation.aLogs),
        skip: weight(operation.skip),
        attentive: prompt && {
          classes: inputs[2] as IndexMap | undefined,
          order: inputs[3] as IndexMap | undefined,
          embeddingB: weight(prompt.embeddingB),
          embeddingA: weight(prompt.embeddingA),
        },
      });
    }
    case 'pixelShuffle':
      return pixelShuffleReference(x, operation.factor);
    case 'upsampleNearest':
      return upsampleNearestReference(x, operation.factor);
    case 'input':
      return x;
  }
}

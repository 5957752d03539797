import { MambairError } from '../errors.js';
import type { StoredTensor, TensorMap } from '../tensor/tensor.js';
import type { Graph, Operation, WeightReference } from './graph.js';

/** The weights an op uses, in the order its kernels take them. */
export function operationWeights(operation: Operation): WeightReference[] {
  switch (operation.op) {
    case 'conv2d':
    case 'linear':
    case 'layerNorm':
      return operation.bias === undefined ? [operation.weight] : [operation.weight, operation.bias];
    case 'scaleChannels':
      return [operation.weight];
    case 'windowAttention':
      return [operation.biasTable];
    case 'selectiveScan': {
      const { dtWeight, dtBias, aLogs, skip, prompt } = operation;
      return [dtWeight, dtBias, aLogs, skip, ...(prompt === undefined ? [] : [prompt.embeddingB, prompt.embeddingA])];
    }
    default:
      return [];
  }
}

/**
 * Every weight of a graph by key.
 * @throws MAMBAIR_GRAPH_INVALID when two nodes declare one key with different shapes.
 */
export function graphWeights(graph: Graph): ReadonlyMap<string, WeightReference> {
  const weights = new Map<string, WeightReference>();
  for (const node of graph.nodes) {
    for (const weight of operationWeights(node.operation)) {
      const known = weights.get(weight.key);
      if (known !== undefined && known.shape.join() !== weight.shape.join()) {
        throw new MambairError(
          'MAMBAIR_GRAPH_INVALID',
          `graph node "${node.name}": weight "${weight.key}" is declared [${weight.shape.join(', ')}] here and [${known.shape.join(', ')}] before`,
          { detail: { node: node.name, key: weight.key } },
        );
      }
      weights.set(weight.key, weight);
    }
  }
  return weights;
}

const floatTypes = new Set(['F64', 'F32', 'F16', 'BF16']);

/**
 * The stored tensor of every weight a graph uses, each with the shape the graph declares and a floating-point type.
 * What every executor does before it loads a network; tensors the graph does not use are left out.
 * @throws MAMBAIR_SHAPE_MISMATCH naming the key that is missing, has another shape or is not floating-point.
 */
export function checkWeights(graph: Graph, tensors: TensorMap): ReadonlyMap<string, StoredTensor> {
  const found = new Map<string, StoredTensor>();
  for (const { key, shape } of graphWeights(graph).values()) {
    const stored = tensors.get(key);
    const problem =
      stored === undefined
        ? 'it is missing'
        : stored.shape.join() !== shape.join()
          ? `it has shape [${stored.shape.join(', ')}]`
          : floatTypes.has(stored.dtype)
            ? undefined
            : `it holds ${stored.dtype}`;
    if (stored === undefined || problem !== undefined) {
      throw new MambairError(
        'MAMBAIR_SHAPE_MISMATCH',
        `the network needs weight "${key}" as floating-point numbers of shape [${shape.join(', ')}], but ${problem}`,
        { detail: { key } },
      );
    }
    found.set(key, stored);
  }
  return found;
}

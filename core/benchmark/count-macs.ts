import type { Graph, GraphNode } from '../graph/graph.js';

/**
 * Multiply-adds of one run over an input of `height` × `width` pixels, padding included; exponentials and
 * element-wise work are not counted. Formulas: MambaIRv2's layers, one term an op.
 */
export function countMacs(graph: Graph, height: number, width: number): number {
  const multiple = graph.nodes.reduce(
    (most, { operation }) => (operation.op === 'input' ? Math.max(most, operation.multiple) : most),
    1,
  );
  const padded = (length: number): number => Math.ceil(length / multiple) * multiple;
  const pixels = padded(height) * padded(width);
  return graph.nodes.reduce((sum, node) => sum + pixels * node.type.scale ** 2 * macsPerPixel(graph, node), 0);
}

function macsPerPixel(graph: Graph, { operation, inputs, type }: GraphNode): number {
  const inputChannels = graph.nodes[inputs[0] ?? -1]?.type.channels ?? 0;
  switch (operation.op) {
    case 'conv2d':
      return operation.kernelSize ** 2 * type.channels * (operation.depthwise ? 1 : inputChannels);
    case 'linear':
      return type.channels * inputChannels;
    case 'windowAttention':
      return 2 * operation.windowSize ** 2 * type.channels;
    case 'selectiveScan':
      return type.channels * (4 * operation.stateSize + operation.dtRank + 2);
    default:
      return 0;
  }
}

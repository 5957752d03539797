import { type GpuProgram, weighsInHalves } from '../core/executors/webgpu/program.js';
import type { Graph, GraphNode, NodeId, Operation } from '../core/graph/graph.js';
import { operationWeights } from '../core/graph/weights.js';
import { elementCount } from '../core/tensor/tensor.js';

/** What the passes of one op have to move and to compute at least. */
export interface Cost {
  /** Every input, weight and output once for each pass that needs it. */
  readonly bytes: number;
  /** Two for a multiply-add, ten for an exponential. */
  readonly flops: number;
}

const exponential = 10;

/** What one device can do in a second. */
export interface Roofs {
  readonly bytes: number;
  readonly flops: number;
}

/** Seconds that a cost takes at least: the longer of moving and computing. */
export function secondsOf({ bytes, flops }: Cost, roofs: Roofs): number {
  return Math.max(bytes / roofs.bytes, flops / roofs.flops);
}

/** Costs of all calls of a program, by the node that they make. */
export function costsOf(graph: Graph, program: GpuProgram, precision: 'f32' | 'f16'): ReadonlyMap<NodeId, Cost> {
  const { plan, halves } = program;
  const node = (id: NodeId) => graph.nodes[id] as GraphNode;
  const baseOf = (id: NodeId): NodeId => {
    const { operation, inputs } = node(id);
    return operation.op === 'sliceChannels' ? baseOf(inputs[0] as NodeId) : id;
  };
  const pixelsOf = (id: NodeId) => plan.height * plan.width * node(id).type.scale ** 2;
  const bytesOf = (id: NodeId) => pixelsOf(id) * node(id).type.channels * (halves.has(baseOf(id)) ? 2 : 4);
  const costs = new Map<NodeId, Cost>();
  for (const { nodes, inputs, output } of plan.steps.flatMap(({ calls }) => calls)) {
    const read = inputs.reduce((sum, id) => sum + bytesOf(id), 0);
    const weights = nodes.reduce((sum, id) => sum + weightBytes(node(id).operation, precision), 0);
    let bytes = read + weights + bytesOf(output);
    let flops = 0;
    for (const id of nodes) {
      const { operation, inputs: own, type } = node(id);
      const channels = node(own[0] ?? id).type.channels;
      flops += pixelsOf(id) * flopsOfPixel(operation, channels, type.channels);
    }
    const [scan] = nodes.map((id) => node(id).operation);
    if (scan?.op === 'selectiveScan') {
      // Inputs twice; of each chunk of 64 steps all states and the sum of steps: written, read twice and written, read.
      const states = (pixelsOf(output) / 64) * node(output).type.channels * (scan.stateSize + 1) * 4;
      bytes += read + 5 * states;
    }
    costs.set(output, { bytes, flops });
  }
  return costs;
}

function weightBytes(operation: Operation, precision: 'f32' | 'f16'): number {
  const values = operationWeights(operation).reduce((sum, { shape }) => sum + elementCount(shape), 0);
  return values * (precision === 'f16' && weighsInHalves(operation) ? 2 : 4);
}

/** Floating-point operations of one pixel. */
function flopsOfPixel(operation: Operation, inputs: number, outputs: number): number {
  switch (operation.op) {
    case 'linear':
      return 2 * inputs * outputs;
    case 'conv2d':
      return 2 * operation.kernelSize ** 2 * outputs * (operation.depthwise ? 1 : inputs);
    case 'layerNorm':
      return 8 * outputs;
    case 'activation':
      return (exponential + 4) * outputs;
    case 'windowAttention':
      return operation.windowSize ** 2 * (4 * outputs + operation.heads * (exponential + 4));
    case 'selectiveScan': {
      // A step of a channel: time step with its softplus, and each state's decay, in both passes; y in the second.
      const step = 2 * operation.dtRank + 2 * exponential;
      return outputs * (2 * (step + operation.stateSize * (exponential + 4)) + 2 * operation.stateSize + 2);
    }
    case 'route':
      return operation.tokens * (2 * exponential + 4);
    default:
      return outputs;
  }
}

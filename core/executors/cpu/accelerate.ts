import { invariant } from '../../errors.js';
import type { Graph, NodeId, Operation } from '../../graph/graph.js';

/**
 * Whether dense layers go to ONNX Runtime: `auto` where the rule below says it is faster, `on` for all that can, `off`
 * for none. In every case a network runs without it where the package is missing or fails.
 */
export type OnnxRuntimeUse = 'auto' | 'on' | 'off';

/**
 * The rule of `auto`, from the table of `docs/onnxruntime.md`: with fewer inputs or outputs than these, copies and
 * calls eat the gain of wider vectors.
 */
const leastChannels = { linear: { inputs: 128, outputs: 40 }, conv2d: { inputs: 48, outputs: 48 } } as const;

/** Below this share of a network's multiplications, a gain does not pay for loading the runtime (0.2 s, 40 MB). */
const leastShare = 0.5;

/** The only kind of processor where it was measured to be faster; elsewhere its vectors are as narrow as ours. */
const measuredArchitecture = 'x64';

/** The rule of `auto` in words, with what it gained where it was measured. */
export function accelerationRule(architecture: NodeJS.Architecture = process.arch): string {
  const { linear, conv2d } = leastChannels;
  return architecture === measuredArchitecture
    ? `computes wide layers of large networks (linear from ${linear.inputs} to ${linear.outputs} channels, ` +
        `convolutions from ${conv2d.inputs} to ${conv2d.outputs}): MambaIRv2-B in 5/6 of the CPU time (AVX-512)`
    : `is not used by itself on ${architecture}, where it was not measured to be faster`;
}

/** A linear layer or dense convolution that takes part: its size, and multiplications per pixel of the input. */
interface DenseLayer {
  readonly id: NodeId;
  readonly op: 'linear' | 'conv2d';
  readonly inputs: number;
  readonly outputs: number;
  readonly multiplications: number;
}

function denseLayers(graph: Graph): readonly DenseLayer[] {
  return graph.nodes.flatMap(({ operation, inputs: [source], type }, id): DenseLayer[] => {
    if ((operation.op !== 'linear' && operation.op !== 'conv2d') || source === undefined) {
      return [];
    }
    const producer = graph.nodes[source];
    invariant(producer, `node ${source} is missing`);
    const isDense = operation.op === 'linear' || !operation.depthwise;
    // A view has another map's gaps between its pixels; no network here has one in front of a dense layer.
    if (!isDense || producer.operation.op === 'sliceChannels') {
      return [];
    }
    const weights = operation.weight.shape.reduce((product, size) => product * size, 1);
    const { channels } = producer.type;
    return [
      {
        id,
        op: operation.op,
        inputs: channels,
        outputs: type.channels,
        multiplications: weights * type.scale ** 2,
      },
    ];
  });
}

/** The nodes that ONNX Runtime shall compute. Depends on the network and the machine's kind only, never on timing. */
export function acceleratedNodes(
  graph: Graph,
  use: OnnxRuntimeUse,
  architecture: NodeJS.Architecture = process.arch,
): readonly NodeId[] {
  if (use === 'off') {
    return [];
  }
  const layers = denseLayers(graph);
  if (use === 'on') {
    return layers.map(({ id }) => id);
  }
  if (architecture !== measuredArchitecture) {
    return [];
  }
  const worthIt = layers.filter(({ op, inputs, outputs }) => {
    const least = leastChannels[op];
    return inputs >= least.inputs && outputs >= least.outputs;
  });
  const work = (of: readonly DenseLayer[]): number => of.reduce((sum, layer) => sum + layer.multiplications, 0);
  return work(worthIt) >= leastShare * work(layers) ? worthIt.map(({ id }) => id) : [];
}

/**
 * Pixels of a strip that make a call worth its cost: 512 rows of a matrix; for a convolution eight image rows, so that
 * the border rows it reads beside them stay few, within bounds.
 */
export function acceleratedStripPixels(operation: Operation, width: number): number {
  return operation.op === 'conv2d' ? Math.min(Math.max(512, 8 * width), 4096) : 512;
}

import type { Graph, NodeId, Operation } from '../../graph/graph.js';
import { cpuKernelOf, fusedCpuKernelOf } from '../../ops/cpu-kernels.js';
import { type Plan, plan } from '../../plan/plan.js';
import { acceleratedStripPixels } from './accelerate.js';

/** A graph at one size with addresses: what the threads need to run it. Plain data. */
export interface Program {
  readonly id: number;
  readonly plan: Plan;
  /** Nodes that ONNX Runtime computes. */
  readonly accelerated: ReadonlySet<NodeId>;
  /** Byte addresses in the shared memory. */
  readonly scratch: number;
  readonly scratchPerThread: number;
  readonly counters: number;
  readonly input: number;
  readonly output: number;
  readonly routeData: number;
  readonly activations: number;
  readonly end: number;
}

/** Bytes below the weights: the module's constants, then the control block. */
export const controlAddress = 32768;
export const weightsAddress = 65536;

/** Places in the control block (32-bit integers). */
export const control = { cancelled: 0, step: 1, arrived: 2, generation: 3 } as const;

/** Channels of a value are padded to the width of the `gemm` tile. */
const channelMultiple = 8;
/** Measured: strips of 24 to 96 KiB a value run alike; below, calls dominate, above, values leave the cache. */
const stripTargetBytes = 49152;

/** Rounds an address up to a cache line. */
export const aligned = (bytes: number): number => Math.ceil(bytes / 64) * 64;

function largestScratch(graph: Graph, steps: Plan['steps'], accelerated: ReadonlySet<NodeId>): number {
  let largest = 0;
  for (const step of steps) {
    for (const { nodes, inputs } of step.calls.filter(({ output }) => !accelerated.has(output))) {
      const { operation } = graph.nodes[nodes[0]] as Graph['nodes'][number];
      const types = inputs.map((input) => (graph.nodes[input] as Graph['nodes'][number]).type);
      const bytes = cpuKernelOf(operation).scratchBytes?.(operation, types, step.stripPixels) ?? 0;
      largest = Math.max(largest, bytes);
    }
  }
  return largest;
}

/** Plans a graph for an input of h × w pixels and gives everything an address above `weightsEnd`. Pure. */
export function layOut(
  graph: Graph,
  size: { readonly height: number; readonly width: number },
  options: {
    readonly id: number;
    readonly weightsEnd: number;
    readonly threads: number;
    readonly keep: readonly NodeId[];
    readonly accelerated: ReadonlySet<NodeId>;
  },
): Program {
  const source = graph.nodes[0]?.operation;
  const multiple = source?.op === 'input' ? source.multiple : 1;
  const padTo = (value: number): number => Math.ceil(value / multiple) * multiple;
  const [height, width] = [padTo(size.height), padTo(size.width)];
  const { accelerated } = options;
  const operationOf = (id: NodeId): Operation => (graph.nodes[id] as Graph['nodes'][number]).operation;
  const planned = plan(graph, height, width, {
    channelMultiple,
    stripTargetBytes,
    keep: options.keep,
    canFuse: (first, second) =>
      !accelerated.has(first) &&
      !accelerated.has(second) &&
      fusedCpuKernelOf(operationOf(first), operationOf(second)) !== undefined,
    joinsWindows: (id) => !accelerated.has(id),
    leastStripPixels: (id, pixels) => (accelerated.has(id) ? acceleratedStripPixels(operationOf(id), pixels) : 0),
  });
  const output = (graph.nodes[graph.output] as Graph['nodes'][number]).type;
  const inputChannels = (graph.nodes[0] as Graph['nodes'][number]).type.channels;

  let next = aligned(options.weightsEnd);
  const take = (bytes: number): number => {
    const address = next;
    next = aligned(next + bytes);
    return address;
  };
  const scratchPerThread = aligned(
    aligned(planned.stripBytes) + largestScratch(graph, planned.steps, accelerated) + 64,
  );
  const scratch = take(scratchPerThread * options.threads);
  const counters = take((planned.steps.length + 1) * 4);
  const input = take(size.height * size.width * inputChannels * 4);
  const outputAddress = take(size.height * size.width * output.scale ** 2 * output.channels * 4);
  const activations = take(planned.activationBytes);
  // Noise or classes of `replay` and `forced` go last: only such runs grow the memory by them.
  const routeData = next;
  return {
    id: options.id,
    plan: planned,
    accelerated,
    scratch,
    scratchPerThread,
    counters,
    input,
    output: outputAddress,
    activations,
    routeData,
    end: next,
  };
}

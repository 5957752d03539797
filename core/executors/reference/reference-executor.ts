import { invariant, MambairError, throwIfCancelled } from '../../errors.js';
import type { Graph, GraphNode, ValueType } from '../../graph/graph.js';
import { checkWeights, graphWeights } from '../../graph/weights.js';
import { type FeatureMap, featureAt, featureMap } from '../../ops/feature-map.js';
import { paddedSize } from '../../ops/pad-mirror/reference.js';
import { seededNoise } from '../../routing/noise.js';
import { toFloat32 } from '../../tensor/convert.js';
import { elementCount, type Tensor, type TensorMap, tensor } from '../../tensor/tensor.js';
import { checkInput, checkRunOptions, inputOf, type RunSizes } from '../check-run.js';
import type { Executor, MemoryReport, Network, Routing, RunOptions, RunResult } from '../executor.js';
import {
  type EvaluateOptions,
  evaluateGraph,
  lastReaders,
  type NodeValue,
  type ReferenceWeights,
} from './evaluate-graph.js';

/** More would take longer than anyone waits; it also keeps a mistaken size from filling the machine. */
const defaultLimitBytes = 8 * 2 ** 30;

/** The event loop gets a turn at least this often, between nodes. */
const turnMs = 20;

/**
 * The executor one can read: every op by its plain loops, in float64, one thread. It is the specification of the
 * others and the last resort of a failing one; far too slow for photos. A run whose plan is above `limitBytes` is
 * refused with MAMBAIR_OUT_OF_MEMORY.
 */
export function createReferenceExecutor(limitBytes = defaultLimitBytes): Executor {
  const networks = new Set<ReferenceNetwork>();
  let isDisposed = false;
  return {
    name: 'reference',
    description: 'plain loops in float64, one thread',
    load: async (graph, tensors) => {
      if (isDisposed) {
        throw new MambairError('MAMBAIR_DISPOSED', 'the reference executor was disposed of; create another');
      }
      const network = new ReferenceNetwork(graph, tensors, limitBytes);
      networks.add(network);
      return network;
    },
    dispose: async () => {
      isDisposed = true;
      await Promise.all([...networks].map((network) => network.dispose()));
      networks.clear();
    },
  };
}

class ReferenceNetwork implements Network {
  readonly scale: number;
  readonly inputChannels: number;
  readonly outputChannels: number;
  readonly #graph: Graph;
  readonly #limitBytes: number;
  #weights: ReferenceWeights;
  #queue: Promise<unknown> = Promise.resolve();
  #isDisposed = false;

  constructor(graph: Graph, tensors: TensorMap, limitBytes: number) {
    const output = outputNode(graph).type;
    this.#graph = graph;
    this.#limitBytes = limitBytes;
    this.#weights = new Map(
      [...checkWeights(graph, tensors)].map(([key, stored]) => [key, Float64Array.from(toFloat32(stored))]),
    );
    this.scale = output.scale;
    this.inputChannels = inputOf(graph).channels;
    this.outputChannels = output.channels;
  }

  plan(height: number, width: number): MemoryReport {
    this.#check();
    const { multiple } = inputOf(this.#graph);
    return memoryReport(this.#graph, paddedSize(height, multiple), paddedSize(width, multiple), this.#limitBytes);
  }

  run(input: Tensor, options: RunOptions): Promise<RunResult> {
    const result = this.#queue.then(() => this.#run(input, options));
    this.#queue = result.catch(() => undefined);
    return result;
  }

  dispose(): Promise<void> {
    this.#isDisposed = true;
    this.#weights = new Map();
    return Promise.resolve();
  }

  #check(): void {
    if (this.#isDisposed) {
      throw new MambairError('MAMBAIR_DISPOSED', 'the network was disposed of; load it again');
    }
  }

  async #run(input: Tensor, options: RunOptions): Promise<RunResult> {
    this.#check();
    const graph = this.#graph;
    const sizes = checkInput(graph, input);
    checkRunOptions(graph, sizes, options);
    const limitBytes = this.#limitBytes;
    const { totalBytes } = this.plan(sizes.height, sizes.width);
    if (totalBytes > limitBytes) {
      throw new MambairError(
        'MAMBAIR_OUT_OF_MEMORY',
        `the reference executor would need ${totalBytes} bytes for ${sizes.width} × ${sizes.height} pixels, more than its limit of ${limitBytes}; use smaller tiles`,
        { detail: { totalBytes, limitBytes } },
      );
    }
    const step = stepper(options, sizes.batch * graph.nodes.length);
    const beforeNode = async () => {
      this.#check();
      await step();
    };
    const taps = new Set(options.taps);
    const items: ReadonlyMap<string, NodeValue>[] = [];
    for (let item = 0; item < sizes.batch; item += 1) {
      const routing = routingOf(options.routing, item, sizes);
      items.push(
        await evaluateGraph(graph, this.#weights, imageOf(input, item, sizes), { ...routing, taps, beforeNode }),
      );
    }
    options.progress?.(sizes.batch * graph.nodes.length, sizes.batch * graph.nodes.length);
    return collect(graph, items, sizes, taps);
  }
}

function outputNode(graph: Graph): GraphNode {
  const node = graph.nodes[graph.output];
  invariant(node !== undefined, 'the graph has no output node');
  return node;
}

/** What happens before every node: cancel, progress, and now and then a turn for the event loop. */
function stepper({ signal, progress }: RunOptions, total: number): () => Promise<void> {
  let done = 0;
  let lastTurn = performance.now();
  return async () => {
    throwIfCancelled(signal);
    if (performance.now() - lastTurn > turnMs) {
      progress?.(done, total);
      await new Promise((resolve) => setTimeout(resolve, 0));
      throwIfCancelled(signal);
      lastTurn = performance.now();
    }
    done += 1;
  };
}

/** Item `item` of a batch `[B, C, h, w]`, channel-last. */
function imageOf(input: Tensor, item: number, { channels, height, width }: RunSizes): FeatureMap {
  const image = featureMap(height, width, channels);
  const pixels = height * width;
  for (let channel = 0; channel < channels; channel += 1) {
    for (let pixel = 0; pixel < pixels; pixel += 1) {
      image.data[pixel * channels + channel] = input.data[(item * channels + channel) * pixels + pixel] as number;
    }
  }
  return image;
}

/** The routing of one batch item. Seeded noise is the same for all items. */
function routingOf(
  routing: Routing,
  item: number,
  { paddedHeight, paddedWidth }: RunSizes,
): Pick<EvaluateOptions, 'noise' | 'classes'> {
  const pixels = paddedHeight * paddedWidth;
  switch (routing.kind) {
    case 'argmax':
      return { noise: () => undefined };
    case 'seeded': {
      const { seed, originX = 0, originY = 0 } = routing;
      return { noise: (block, size) => seededNoise({ ...size, seed, block, originX, originY }) };
    }
    case 'replay':
      return {
        noise: (block, { tokens }) =>
          routing.noise[block]?.subarray(item * pixels * tokens, (item + 1) * pixels * tokens),
      };
    case 'forced':
      return {
        noise: () => undefined,
        classes: (block) => routing.classes[block]?.subarray(item * pixels, (item + 1) * pixels),
      };
  }
}

/** The outputs, cropped, as one `[B, C, h · scale, w · scale]`, and each tap as `[B, H, W, C]`. */
function collect(
  graph: Graph,
  items: readonly ReadonlyMap<string, NodeValue>[],
  { batch, height, width }: RunSizes,
  taps: ReadonlySet<string>,
): RunResult {
  const { name, type } = outputNode(graph);
  const shape = [batch, type.channels, height * type.scale, width * type.scale] as const;
  const [, channels, rows, columns] = shape;
  const output = new Float32Array(elementCount(shape));
  let next = 0;
  for (const item of items) {
    const map = item.get(name) as FeatureMap;
    for (let channel = 0; channel < channels; channel += 1) {
      for (let row = 0; row < rows; row += 1) {
        for (let column = 0; column < columns; column += 1) {
          output[next] = featureAt(map, row, column, channel);
          next += 1;
        }
      }
    }
  }
  return { output: tensor(shape, output), taps: new Map([...taps].map((tap) => [tap, stack(items, tap)])) };
}

/** One tap of all items. */
function stack(items: readonly ReadonlyMap<string, NodeValue>[], tap: string) {
  const values = items.map((item) => item.get(tap) as NodeValue);
  const [first] = values as [NodeValue];
  const isFeatures = 'channels' in first;
  const shape = [items.length, first.height, first.width, isFeatures ? first.channels : 1];
  const data = isFeatures ? new Float32Array(elementCount(shape)) : new Int32Array(elementCount(shape));
  values.forEach((value, item) => {
    data.set(value.data, item * value.data.length);
  });
  return { shape, data };
}

/** Weights and the most that values alive at the same time take, at 8 bytes a number. */
function memoryReport(graph: Graph, paddedHeight: number, paddedWidth: number, limitBytes: number): MemoryReport {
  const bytesOf = ({ kind, channels, scale }: ValueType) =>
    paddedHeight * paddedWidth * scale ** 2 * channels * (kind === 'indices' ? 4 : 8);
  const last = lastReaders(graph);
  let alive = 0;
  let activationBytes = 0;
  let scratchBytes = 0;
  graph.nodes.forEach(({ operation, inputs, type }, id) => {
    alive += bytesOf(type);
    activationBytes = Math.max(activationBytes, alive);
    for (const input of new Set(inputs)) {
      alive -= last[input] === id ? bytesOf((graph.nodes[input] as GraphNode).type) : 0;
    }
    if (operation.op === 'route') {
      scratchBytes = Math.max(scratchBytes, 8 * paddedHeight * paddedWidth * operation.tokens);
    } else if (operation.op === 'selectiveScan') {
      // u, Δ and y in scan order, B and C.
      scratchBytes = Math.max(
        scratchBytes,
        bytesOf({ ...type, channels: 3 * type.channels + 2 * operation.stateSize }),
      );
    }
  });
  const weightBytes = [...graphWeights(graph).values()].reduce((sum, { shape }) => sum + 8 * elementCount(shape), 0);
  return {
    weightBytes,
    activationBytes,
    scratchBytes,
    totalBytes: weightBytes + activationBytes + scratchBytes,
    limitBytes,
  };
}

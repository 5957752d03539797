import { setImmediate as nextTurn } from 'node:timers/promises';
import { invariant, MambairError, throwIfCancelled } from '../../errors.js';
import type { Graph, GraphNode, NodeId } from '../../graph/graph.js';
import { checkWeights } from '../../graph/weights.js';
import type { RunState } from '../../ops/cpu-kernel.js';
import { cpuKernelOf } from '../../ops/cpu-kernels.js';
import { toFloat32 } from '../../tensor/convert.js';
import { type Tensor, type TensorMap, tensor } from '../../tensor/tensor.js';
import { checkInput, checkRunOptions, type RunSizes } from '../check-run.js';
import type { MemoryReport, Network, RunOptions, RunResult } from '../executor.js';
import type { Accelerator } from './messages.js';
import { aligned, control, controlAddress, layOut, type Program, weightsAddress } from './program.js';
import { ThreadPool } from './thread-pool.js';

const pageBytes = 65536;
/** wasm32 ends at 4 GiB. */
const maximumPages = 65536;
const programsKept = 4;
/** Measured: what ONNX Runtime adds to the process, its library, sessions and results not yet collected. */
const onnxRuntimeBytes = (threads: number): number => (64 + 32 * threads) * 2 ** 20;
const noNodes: ReadonlySet<NodeId> = new Set();

/** Weights in the shared memory, packed for the kernels. */
interface LoadedWeights {
  readonly memory: WebAssembly.Memory;
  /** Addresses of the packed weights of each node. */
  readonly packed: readonly (readonly number[])[];
  readonly end: number;
}

function growTo(memory: WebAssembly.Memory, bytes: number): void {
  const missing = Math.ceil((bytes - memory.buffer.byteLength) / pageBytes);
  if (missing <= 0) {
    return;
  }
  try {
    memory.grow(missing);
  } catch (cause) {
    throw new MambairError(
      'MAMBAIR_OUT_OF_MEMORY',
      `the CPU executor needs ${Math.ceil(bytes / 2 ** 20)} MiB in one piece and did not get them (4096 MiB is the most it can use); use smaller tiles`,
      { detail: { bytes }, cause },
    );
  }
}

async function loadWeights(graph: Graph, tensors: TensorMap): Promise<LoadedWeights> {
  const weights = checkWeights(graph, tensors);
  const memory = new WebAssembly.Memory({ initial: 2, maximum: maximumPages, shared: true });
  const packed: number[][] = [];
  let end = weightsAddress;
  let packedSincePause = 0;
  for (const { operation, inputs } of graph.nodes) {
    const channels = inputs[0] === undefined ? 0 : (graph.nodes[inputs[0]] as GraphNode).type.channels;
    const read = ({ key }: { readonly key: string }): Float32Array => {
      const stored = weights.get(key);
      invariant(stored, `weight ${key} was not checked`);
      return toFloat32(stored);
    };
    const addresses: number[] = [];
    for (const values of cpuKernelOf(operation).pack(operation, read, channels)) {
      growTo(memory, end + values.byteLength + pageBytes);
      new Float32Array(memory.buffer, end, values.length).set(values);
      addresses.push(end);
      end = aligned(end + values.byteLength);
      packedSincePause += values.length;
    }
    packed.push(addresses);
    if (packedSincePause > 500_000) {
      packedSincePause = 0;
      await nextTurn();
    }
  }
  return { memory, packed, end };
}

export interface CpuNetworkOptions {
  readonly module: WebAssembly.Module;
  readonly threads: number;
  readonly accelerator: Accelerator | undefined;
}

/** A network in the CPU executor: one shared memory, its own threads, a plan per input size. */
export class CpuNetwork implements Network {
  readonly scale: number;
  readonly inputChannels: number;
  readonly outputChannels: number;
  readonly #graph: Graph;
  readonly #options: CpuNetworkOptions;
  #accelerator: Accelerator | undefined;
  #acceleration = '';
  readonly #weights: LoadedWeights;
  readonly #programs = new Map<string, Program>();
  #pool: ThreadPool | undefined;
  #programCount = 0;
  #queue: Promise<unknown> = Promise.resolve();
  #disposed = false;

  private constructor(graph: Graph, weights: LoadedWeights, options: CpuNetworkOptions) {
    this.#graph = graph;
    this.#weights = weights;
    this.#options = options;
    this.#accelerator = options.accelerator;
    this.scale = this.#node(graph.output).type.scale;
    this.outputChannels = this.#node(graph.output).type.channels;
    this.inputChannels = this.#node(0).type.channels;
  }

  static async load(graph: Graph, tensors: TensorMap, options: CpuNetworkOptions): Promise<CpuNetwork> {
    return new CpuNetwork(graph, await loadWeights(graph, tensors), options);
  }

  /** What ONNX Runtime does here, or why nothing; empty before the first run and where it is not wanted. */
  get acceleration(): string {
    return this.#acceleration;
  }

  plan(height: number, width: number): MemoryReport {
    this.#check();
    const program = this.#layOut(height, width, []);
    const weightBytes = this.#weights.end;
    const runtimeBytes = this.#accelerator ? onnxRuntimeBytes(this.#options.threads) : 0;
    return {
      weightBytes,
      activationBytes: program.end - program.counters,
      scratchBytes: program.counters - program.scratch + runtimeBytes,
      totalBytes: program.end + runtimeBytes,
      limitBytes: maximumPages * pageBytes,
    };
  }

  run(input: Tensor, options: RunOptions): Promise<RunResult> {
    const result = this.#queue.then(() => this.#runNow(input, options));
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async dispose(): Promise<void> {
    if (!this.#disposed) {
      this.#disposed = true;
      Atomics.store(this.#control(), control.cancelled, 1);
      await this.#queue;
      await this.#pool?.end();
    }
  }

  #node(id: NodeId): GraphNode {
    const node = this.#graph.nodes[id];
    invariant(node, `node ${id} is missing`);
    return node;
  }

  #control(): Int32Array {
    return new Int32Array(this.#weights.memory.buffer, controlAddress, 16);
  }

  #layOut(height: number, width: number, keep: readonly NodeId[]): Program {
    return layOut(
      this.#graph,
      { height, width },
      {
        id: ++this.#programCount,
        weightsEnd: this.#weights.end,
        threads: this.#options.threads,
        keep,
        accelerated: this.#accelerator?.nodes ?? noNodes,
      },
    );
  }

  #check(): void {
    if (this.#disposed) {
      throw new MambairError('MAMBAIR_DISPOSED', 'this network was disposed of; load it again');
    }
  }

  async #runNow(input: Tensor, options: RunOptions): Promise<RunResult> {
    this.#check();
    throwIfCancelled(options.signal);
    const sizes = checkInput(this.#graph, input);
    checkRunOptions(this.#graph, sizes, options);
    // A second attempt is without ONNX Runtime.
    const result = (await this.#attempt(input, sizes, options)) ?? (await this.#attempt(input, sizes, options));
    invariant(result, 'a run without ONNX Runtime cannot fail by it');
    return result;
  }

  /** One run; undefined if ONNX Runtime failed in it, which is given up then. */
  async #attempt(input: Tensor, sizes: RunSizes, options: RunOptions): Promise<RunResult | undefined> {
    const { batch, channels, height, width } = sizes;
    const keep = (options.taps ?? []).map((name) => this.#graph.nodes.findIndex((node) => node.name === name));
    const pool = await this.#readyPool();
    const program = this.#programFor(height, width, keep);
    const outputShape = [batch, this.outputChannels, height * this.scale, width * this.scale];
    const itemValues = channels * height * width;
    const outputValues = outputShape.slice(1).reduce((product, size) => product * size, 1);
    const output = new Float32Array(batch * outputValues);
    const taps = new Map(
      keep.map((id) => {
        const { type } = this.#node(id);
        const shape = [batch, program.plan.height * type.scale, program.plan.width * type.scale, type.channels];
        const length = shape.reduce((product, size) => product * size, 1);
        return [id, { shape, data: type.kind === 'indices' ? new Int32Array(length) : new Float32Array(length) }];
      }),
    );
    for (let item = 0; item < batch; item++) {
      const { buffer } = this.#weights.memory;
      const view = input.data.subarray(item * itemValues, (item + 1) * itemValues);
      new Float32Array(buffer, program.input, itemValues).set(view);
      const routeData = this.#writeRouteData(options.routing, program, item);
      await this.#runItem(program, options, { height, width, routeData, item, batch });
      if (pool.acceleratorFailure !== undefined) {
        await this.#giveUpAcceleration(pool);
        return undefined;
      }
      // Fetched again: the memory may have grown, and old views keep their length.
      const after = this.#weights.memory.buffer;
      output.set(new Float32Array(after, program.output, outputValues), item * outputValues);
      for (const [id, tap] of taps) {
        this.#readValue(program, id, tap.data.subarray((tap.data.length / batch) * item));
      }
    }
    return {
      output: tensor(outputShape, output),
      taps: new Map([...taps].map(([id, tap]) => [this.#node(id).name, tap])),
    };
  }

  /** The threads, started if need be. */
  async #readyPool(): Promise<ThreadPool> {
    while (this.#pool === undefined || this.#pool.isDead) {
      // Threads that are still dying could write into the memory of the next.
      await this.#pool?.end();
      this.#programs.clear();
      const { memory, packed } = this.#weights;
      const { module, threads } = this.#options;
      const accelerator = this.#accelerator;
      this.#pool = await ThreadPool.start(threads, { module, memory, graph: this.#graph, packed, accelerator });
      if (this.#pool.acceleratorFailure !== undefined) {
        await this.#giveUpAcceleration(this.#pool);
      } else if (accelerator) {
        const runtime = `onnxruntime ${this.#pool.acceleratorVersion ?? ''}`.trimEnd();
        this.#acceleration = `${runtime} for ${accelerator.nodes.size} layers`;
      }
    }
    return this.#pool;
  }

  /** Ends threads in which ONNX Runtime failed; the next ones do without. */
  async #giveUpAcceleration(pool: ThreadPool): Promise<void> {
    this.#acceleration = `onnxruntime not used (${pool.acceleratorFailure})`;
    this.#accelerator = undefined;
    await pool.end();
  }

  async #runItem(
    program: Program,
    options: RunOptions,
    item: { height: number; width: number; routeData: readonly number[]; item: number; batch: number },
  ): Promise<void> {
    const { routing, signal, progress } = options;
    const state = this.#control();
    state.fill(0);
    const steps = program.plan.steps.length + 1;
    new Int32Array(this.#weights.memory.buffer, program.counters, steps).fill(0);
    const cancel = (): void => void Atomics.store(state, control.cancelled, 1);
    signal?.addEventListener('abort', cancel, { once: true });
    const timer =
      progress &&
      setInterval(() => progress(item.item * steps + Atomics.load(state, control.step), item.batch * steps), 100);
    const run: RunState = {
      routing: routing.kind,
      seed: routing.kind === 'seeded' ? routing.seed : 0,
      originX: routing.kind === 'seeded' ? (routing.originX ?? 0) : 0,
      originY: routing.kind === 'seeded' ? (routing.originY ?? 0) : 0,
      routeData: item.routeData,
      inputHeight: item.height,
      inputWidth: item.width,
      inputAddress: program.input,
    };
    try {
      await this.#pool?.run({ kind: 'run', program: program.id, run });
    } finally {
      clearInterval(timer);
      signal?.removeEventListener('abort', cancel);
    }
    throwIfCancelled(signal);
    this.#check();
    if (this.#pool?.acceleratorFailure !== undefined) {
      return;
    }
    progress?.((item.item + 1) * steps, item.batch * steps);
  }

  #programFor(height: number, width: number, keep: readonly NodeId[]): Program {
    const key = `${height}x${width}:${keep.join()}`;
    let program = this.#programs.get(key);
    if (program) {
      // Move to the young end of the list.
      this.#programs.delete(key);
    } else {
      program = this.#layOut(height, width, keep);
      growTo(this.#weights.memory, program.end);
      this.#pool?.send({ kind: 'bind', program });
    }
    this.#programs.set(key, program);
    for (const [oldKey, old] of this.#programs) {
      if (this.#programs.size <= programsKept) {
        break;
      }
      this.#programs.delete(oldKey);
      this.#pool?.send({ kind: 'forget', program: old.id });
    }
    return program;
  }

  /** Puts given noise or classes behind the program's values; returns one address per block. */
  #writeRouteData(routing: RunOptions['routing'], program: Program, item: number): readonly number[] {
    if (routing.kind !== 'replay' && routing.kind !== 'forced') {
      return [];
    }
    const given = routing.kind === 'replay' ? routing.noise : routing.classes;
    const pixels = program.plan.height * program.plan.width;
    let address = program.routeData;
    return this.#graph.routes.map((id, block) => {
      const { operation } = this.#node(id);
      invariant(operation.op === 'route', 'routes name route nodes');
      const length = routing.kind === 'replay' ? pixels * operation.tokens : pixels;
      const values = given[block];
      invariant(values, 'the routing was checked');
      growTo(this.#weights.memory, address + length * 4);
      const part = values.subarray(item * length, (item + 1) * length);
      const { buffer } = this.#weights.memory;
      const target =
        routing.kind === 'replay' ? new Float32Array(buffer, address, length) : new Int32Array(buffer, address, length);
      target.set(part);
      const start = address;
      address = aligned(address + length * 4);
      return start;
    });
  }

  /** Copies a kept value out of the memory, without its padding channels. */
  #readValue(program: Program, id: NodeId, target: Float32Array | Int32Array): void {
    let start = 0;
    let base = id;
    let placement = program.plan.placements[base];
    while (placement?.kind === 'view') {
      start += placement.start;
      base = placement.of;
      placement = program.plan.placements[base];
    }
    invariant(placement?.kind === 'buffer', `${this.#node(id).name} was not kept`);
    const { channels, scale, kind } = this.#node(id).type;
    const pixels = program.plan.height * program.plan.width * scale ** 2;
    const address = program.activations + placement.offset;
    const { buffer } = this.#weights.memory;
    const length = pixels * placement.stride;
    const source =
      kind === 'indices' ? new Int32Array(buffer, address, length) : new Float32Array(buffer, address, length);
    for (let pixel = 0; pixel < pixels; pixel++) {
      const from = pixel * placement.stride + start;
      target.set(source.subarray(from, from + channels), pixel * channels);
    }
  }
}

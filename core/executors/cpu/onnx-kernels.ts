import { invariant } from '../../errors.js';
import type { Graph, GraphNode, NodeId } from '../../graph/graph.js';
import { convolutionModel, gemmModel } from '../../onnx/dense-models.js';
import type { Operand } from '../../ops/cpu-kernel.js';
import { panelWidth, unpackPanels } from '../../ops/linear/cpu.js';

/** Does pixels `first` … `first + count − 1`: whole rows of the image or a part of one. */
export type OnnxKernel = (first: number, count: number) => Promise<void>;

/** The part of `onnxruntime-node` used here. */
interface OnnxRuntime {
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => OnnxTensor;
  readonly InferenceSession: {
    create(model: Uint8Array, options: Readonly<Record<string, unknown>>): Promise<OnnxSession>;
  };
  readonly env?: { readonly versions?: { readonly node?: string } };
}

interface OnnxTensor {
  readonly data: Float32Array;
}

interface OnnxSession {
  run(feeds: Readonly<Record<string, OnnxTensor>>): Promise<Readonly<Record<string, OnnxTensor>>>;
}

/** A linear layer's matrix and bias as a session takes them, and the memory that holds the matrix. */
interface LinearWeights {
  readonly room: Float32Array;
  readonly w: OnnxTensor;
  readonly b: OnnxTensor;
}

/**
 * One thread a session: the executor's threads already share the work. Without the arena, memory goes back after each
 * call; with spinning, idle pools would take the other threads' time.
 */
const sessionOptions = {
  executionProviders: ['cpu'],
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  enableCpuMemArena: false,
  extra: { session: { intra_op: { allow_spinning: '0' } } },
};

/** Linear layers of one strip group that are kept ready for the next strip. */
const keptWeights = 6;

export interface OnnxKernelsOptions {
  /** Package name or URL of the runtime. */
  readonly module: string;
  readonly graph: Graph;
  readonly nodes: Iterable<NodeId>;
  /** Addresses of the packed weights of each node. */
  readonly packed: readonly (readonly number[])[];
  readonly memory: WebAssembly.Memory;
}

/**
 * Linear layers and convolutions by ONNX Runtime, for one thread. It takes no views of shared memory, so every call
 * copies its strip in and its result out; the weights are read back from where the kernels have them.
 */
export class OnnxKernels {
  /** The runtime's version, if it tells. */
  readonly version: string;
  readonly #runtime: OnnxRuntime;
  readonly #options: OnnxKernelsOptions;
  readonly #gemm: OnnxSession;
  readonly #convolutions: ReadonlyMap<NodeId, OnnxSession>;
  readonly #weights = new Map<NodeId, LinearWeights>();
  #strip = new Float32Array(0);

  private constructor(
    runtime: OnnxRuntime,
    gemm: OnnxSession,
    convolutions: ReadonlyMap<NodeId, OnnxSession>,
    options: OnnxKernelsOptions,
  ) {
    this.version = runtime.env?.versions?.node ?? '';
    this.#runtime = runtime;
    this.#gemm = gemm;
    this.#convolutions = convolutions;
    this.#options = options;
  }

  /** Loads the runtime and makes all sessions. Rejects with whatever fails: a missing package, a session. */
  static async load(options: OnnxKernelsOptions): Promise<OnnxKernels> {
    const loaded = (await import(options.module)) as OnnxRuntime & { readonly default?: OnnxRuntime };
    const runtime = loaded.default ?? loaded;
    const gemm = await runtime.InferenceSession.create(gemmModel(), sessionOptions);
    const convolutions = new Map<NodeId, OnnxSession>();
    for (const id of options.nodes) {
      const model = convolutionOf(id, options);
      if (model) {
        convolutions.set(id, await runtime.InferenceSession.create(model, sessionOptions));
      }
    }
    return new OnnxKernels(runtime, gemm, convolutions, options);
  }

  /** The kernel of a node that was named to {@link OnnxKernels.load}. */
  bind(id: NodeId, x: Operand, y: Operand): OnnxKernel {
    const convolution = this.#convolutions.get(id);
    return convolution ? this.#bindConvolution(id, convolution, x, y) : this.#bindLinear(id, x, y);
  }

  #bindLinear(id: NodeId, x: Operand, y: Operand): OnnxKernel {
    const { memory } = this.#options;
    const k = x.strideBytes / 4;
    const n = y.strideBytes / 4;
    return async (first, count) => {
      const rows = this.#stripOf(count * k);
      rows.set(new Float32Array(memory.buffer, x.at(first), count * k));
      clearPadding(rows, x.channels, k);
      const { w, b } = this.#weightsOf(id, x.channels, k, n);
      const sums = await this.#gemm.run({ x: new this.#runtime.Tensor('float32', rows, [count, k]), w, b });
      new Float32Array(memory.buffer, y.at(first), count * n).set(resultOf(sums));
    };
  }

  #bindConvolution(id: NodeId, session: OnnxSession, x: Operand, y: Operand): OnnxKernel {
    const { memory, graph } = this.#options;
    const radius = (convolution(graph, id).kernelSize - 1) / 2;
    const k = x.strideBytes / 4;
    const n = y.strideBytes / 4;
    return async (first, count) => {
      const top = Math.floor(first / x.width);
      const left = first % x.width;
      const width = Math.min(count, x.width);
      const [bandHeight, bandWidth] = [count / width + 2 * radius, width + 2 * radius];
      const band = this.#stripOf(bandHeight * bandWidth * k);
      const from = Math.max(left - radius, 0);
      const to = Math.min(left + width + radius, x.width);
      for (let row = 0; row < bandHeight; row++) {
        const line = band.subarray(row * bandWidth * k, (row + 1) * bandWidth * k);
        const sourceRow = top + row - radius;
        line.fill(0);
        if (sourceRow >= 0 && sourceRow < x.height) {
          const source = new Float32Array(memory.buffer, x.at(sourceRow * x.width + from), (to - from) * k);
          line.set(source, (from - left + radius) * k);
        }
      }
      clearPadding(band, x.channels, k);
      const input = new this.#runtime.Tensor('float32', band, [1, bandHeight, bandWidth, k]);
      const sums = await session.run({ x: input });
      new Float32Array(memory.buffer, y.at(first), count * n).set(resultOf(sums));
    };
  }

  /** Room for a strip in unshared memory, the same from call to call. */
  #stripOf(length: number): Float32Array {
    if (this.#strip.length < length) {
      this.#strip = new Float32Array(length);
    }
    return this.#strip.subarray(0, length);
  }

  /** The weights of a linear layer as a matrix [k, n], the rows of padding channels 0. */
  #weightsOf(id: NodeId, channels: number, k: number, n: number): LinearWeights {
    const kept = this.#weights.get(id);
    if (kept) {
      return kept;
    }
    const { packed, memory } = this.#options;
    const [panels = 0, bias = 0] = packed[id] ?? [];
    const [oldest, evicted] = this.#weights.size < keptWeights ? [] : ([...this.#weights][0] ?? []);
    if (oldest !== undefined) {
      this.#weights.delete(oldest);
    }
    const room = evicted && evicted.room.length >= k * n ? evicted.room : new Float32Array(k * n);
    const matrix = room.subarray(0, k * n);
    matrix.fill(0, channels * n);
    unpackPanels(new Float32Array(memory.buffer, panels, channels * n), channels, matrix);
    const made = {
      room,
      w: new this.#runtime.Tensor('float32', matrix, [k, n]),
      b: new this.#runtime.Tensor('float32', new Float32Array(memory.buffer, bias, n).slice(), [n]),
    };
    this.#weights.set(id, made);
    return made;
  }
}

function resultOf({ y }: Readonly<Record<string, OnnxTensor>>): Float32Array {
  invariant(y, 'a session gave no result');
  return y.data;
}

/** Zeros the channels between a value's own and the next pixel: what lies there may be anything, also not a number. */
function clearPadding(pixels: Float32Array, channels: number, stride: number): void {
  for (let channel = channels; channel < stride; channel++) {
    for (let at = channel; at < pixels.length; at += stride) {
      pixels[at] = 0;
    }
  }
}

function convolution(graph: Graph, id: NodeId): Extract<GraphNode['operation'], { op: 'conv2d' }> {
  const operation = graph.nodes[id]?.operation;
  invariant(operation?.op === 'conv2d', `node ${id} is no convolution`);
  return operation;
}

/** The model of a convolution, padding channels and all; undefined for other nodes. */
function convolutionOf(id: NodeId, { graph, packed, memory }: OnnxKernelsOptions): Uint8Array | undefined {
  const node = graph.nodes[id];
  if (node?.operation.op !== 'conv2d') {
    return undefined;
  }
  const { kernelSize, weight } = node.operation;
  const channels = weight.shape[1] as number;
  const taps = kernelSize * kernelSize;
  const padded = (count: number): number => Math.ceil(count / panelWidth) * panelWidth;
  const [inputs, outputs] = [padded(channels), padded(node.type.channels)];
  const [panels = 0, bias = 0] = packed[id] ?? [];
  const rows = new Float32Array(taps * channels * outputs);
  unpackPanels(new Float32Array(memory.buffer, panels, rows.length), taps * channels, rows);
  const values = new Float32Array(outputs * inputs * taps);
  for (let tap = 0; tap < taps; tap++) {
    for (let channel = 0; channel < channels; channel++) {
      const row = (tap * channels + channel) * outputs;
      for (let output = 0; output < outputs; output++) {
        values[(output * inputs + channel) * taps + tap] = rows[row + output] as number;
      }
    }
  }
  const biases = new Float32Array(memory.buffer, bias, outputs).slice();
  return convolutionModel({ kernelSize, inputs, outputs, weight: values, bias: biases });
}

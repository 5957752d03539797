import type { Graph } from '../graph/graph.js';
import type { CodedPictures } from '../tensor/coded-picture.js';
import type { Precision, Tensor, TensorMap } from '../tensor/tensor.js';

/**
 * Where the class decisions of MambaIRv2's router come from.
 * - `seeded` (default): Gumbel noise as a pure function of (seed, block, absolute pixel, token). `originX/Y` is the
 *   tile's place in the whole image, in pixels.
 * - `argmax`: no noise.
 * - `replay`: given noise, one array per block, `[B, L, T]` over the padded pixels.
 * - `forced`: given classes, one array per block, `[B, L]`; the router is not consulted.
 */
export type Routing =
  | { readonly kind: 'seeded'; readonly seed: number; readonly originX?: number; readonly originY?: number }
  | { readonly kind: 'argmax' }
  | { readonly kind: 'replay'; readonly noise: readonly Float32Array[] }
  | { readonly kind: 'forced'; readonly classes: readonly Int32Array[] };

/** How one run of a network goes. */
export interface RunOptions {
  /** Without effect on networks that do not route. */
  readonly routing: Routing;
  /** Node names whose values are also wanted (they are kept alive, so memory grows). */
  readonly taps?: readonly string[];
  /**
   * Values to go on with in the place of what nodes computed, by node name, `[1, H, W, C]` as `taps` gives them. Only the
   * executor `webgpu` takes them: to find the kernel that is wrong.
   */
  readonly given?: ReadonlyMap<string, Float32Array | Int32Array>;
  /** Stops the run at its next step. */
  readonly signal?: AbortSignal;
  /** Called now and then, with steps done of all steps of this run. */
  readonly progress?: (done: number, total: number) => void;
}

/** What one run gives. */
export interface RunResult {
  /** `[B, C, h·scale, w·scale]`, not clamped. */
  readonly output: Tensor;
  /** Node name → its value `[B, H, W, C]` (padded size), float32 or int32. */
  readonly taps: ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array | Int32Array }>;
}

/** Bytes a run of one size takes, known before it runs. */
export interface MemoryReport {
  /** Packed weights; the same for every size. */
  readonly weightBytes: number;
  /** Values between the steps. */
  readonly activationBytes: number;
  /** What all threads need beside them. */
  readonly scratchBytes: number;
  /** All of it. */
  readonly totalBytes: number;
  /** What the executor can address at all; a plan above it cannot run. */
  readonly limitBytes: number;
}

/** How a network is loaded. */
export interface LoadOptions {
  /**
   * How the executor `webgpu` stores numbers: `auto` takes halves where the device has them and the network stays within
   * 58 dB of itself in float32 on a test picture. Others take float32 whatever is asked for. @default the executor's
   */
  readonly precision?: 'auto' | Precision;
}

/** The precision that a network runs in. */
export interface PrecisionChoice {
  readonly name: Precision;
  /** Why, for people: the end of a sentence. */
  readonly reason: string;
}

/** A network with its weights on one executor. Runs queue up; all methods throw MAMBAIR_DISPOSED after dispose. */
export interface Network {
  /** Output pixels per input pixel and axis. */
  readonly scale: number;
  readonly inputChannels: number;
  readonly outputChannels: number;
  /** Runs that are worth being asked for at a time: one computes while another's result is read. @default 1 */
  readonly runsAtOnce?: number;
  /** Of executors that have a choice. */
  readonly precision?: PrecisionChoice;
  /** The memory plan for one input of h × w pixels. Pure and fast. */
  plan(height: number, width: number): MemoryReport;
  /**
   * Runs on `[B, C, h, w]` in [0, 1] of any h, w ≥ 1.
   * @throws MAMBAIR_SHAPE_MISMATCH, MAMBAIR_OUT_OF_MEMORY, MAMBAIR_CANCELLED, MAMBAIR_DEVICE_LOST
   */
  run(input: Tensor, options: RunOptions): Promise<RunResult>;
  /**
   * Runs on the codes of a picture, and gives codes: what the network gets is clamped to [0, 1], and what it changes is added
   * to the unclamped signal. Samples that are no colour stay at a scale of 1, and become 0 else. Only where the executor
   * converts codes itself.
   * @throws what `run` throws, and MAMBAIR_NOT_FINITE
   */
  runCodes?(
    codes: Uint8Array,
    pictures: CodedPictures,
    options: Omit<RunOptions, 'taps' | 'given'>,
  ): Promise<Uint8Array>;
  /** Frees the weights, and stops runs that are under way or queued. A second call does nothing. */
  dispose(): Promise<void>;
}

/** What executors are called. */
export type ExecutorName = 'reference' | 'cpu' | 'webgpu';

/** Something that runs graphs. Creating one is explicit; importing this room does nothing. */
export interface Executor {
  readonly name: ExecutorName;
  /** One line for people: build, threads, device. */
  readonly description: string;
  /** Checks every weight against the graph. @throws MAMBAIR_SHAPE_MISMATCH naming the key. */
  load(graph: Graph, weights: TensorMap, options?: LoadOptions): Promise<Network>;
  dispose(): Promise<void>;
}

import { invariant } from '../errors.js';
import type { Operation } from '../graph/graph.js';

/** The exports of the kernel module; signatures stand in the `kernel.wasm.ts` files. Pointers are byte addresses. */
export type KernelExports = Readonly<Record<KernelName, (...values: number[]) => number>>;

/** Names of the kernel module's exports. */
export type KernelName =
  | 'gemm'
  | 'convRow'
  | 'convRowWinograd'
  | 'depthwiseRow'
  | 'layerNorm'
  | 'gelu'
  | 'silu'
  | 'sigmoid'
  | 'leakyRelu'
  | 'add'
  | 'multiply'
  | 'affine'
  | 'scaleAdd'
  | 'gate'
  | 'planarToTokens'
  | 'tokensToPlanar'
  | 'windowAttention'
  | 'copyIndices'
  | 'routeArgmax'
  | 'routeReplay'
  | 'routeSeeded'
  | 'sortByClass'
  | 'fillZero'
  | 'selectiveScan'
  | 'pixelShuffle'
  | 'upsampleNearest';

/** Reads a weight as float32 by the reference in the operation. Shapes were checked when the network was loaded. */
export type ReadWeight = (reference: { readonly key: string }) => Float32Array;

/** A value as a kernel sees it. */
export interface Operand {
  /** Byte address of a pixel; see `isLocal`. */
  at(pixel: number): number;
  readonly strideBytes: number;
  readonly channels: number;
  /** Whether only the pixels of the current strip or windows exist. */
  readonly isLocal: boolean;
  /** Size of the whole map. */
  readonly height: number;
  readonly width: number;
}

/** What a run decides, the same for all threads. */
export interface RunState {
  routing: 'seeded' | 'argmax' | 'replay' | 'forced';
  seed: number;
  originX: number;
  originY: number;
  /** Address of the noise or classes of each block, for `replay` and `forced`. */
  routeData: readonly number[];
  /** Unpadded input size and the address of its planar pixels. */
  inputHeight: number;
  inputWidth: number;
  inputAddress: number;
}

export interface BindContext<O extends Operation> {
  readonly operation: O;
  readonly inputs: readonly Operand[];
  readonly output: Operand;
  /** Addresses of what `pack` returned. */
  readonly packed: readonly number[];
  readonly kernels: KernelExports;
  /** This thread's scratch, `scratchBytes` of it. */
  readonly scratch: number;
  /** This run's settings; read when called, not when bound. */
  readonly run: RunState;
  readonly isCancelled: () => boolean;
}

/**
 * Does part of an op: pixels, windows or channel groups `first` … `first + count − 1`, by the op's range. Windows are
 * neighbours in a row of them; of local values the window's pixels are in raster order of all `count`, from pixel 0 on.
 */
export type BoundKernel = (first: number, count: number) => void;

/** How the CPU executor runs one op. */
export interface CpuKernel<O extends Operation> {
  /** Weights as the kernels want them; empty without weights. `inputChannels` are those of the first input. */
  pack(operation: O, read: ReadWeight, inputChannels: number): readonly Float32Array[];
  /** Scratch of one thread, beside strip-local values. `part` is the largest count it is called with. */
  scratchBytes?(operation: O, inputs: readonly { readonly channels: number }[], part: number): number;
  bind(context: BindContext<O>): BoundKernel;
}

/** The operation type of a name. */
export type OperationOf<N extends Operation['op']> = Extract<Operation, { readonly op: N }>;

/** `values` followed by zeros up to a multiple of `multiple`. */
export function padded(values: Float32Array, multiple: number): Float32Array {
  const result = new Float32Array(Math.ceil(values.length / multiple) * multiple);
  result.set(values);
  return result;
}

/** Vectors of four channels that cover `channels`. */
export function vectorsOf(channels: number): number {
  return Math.ceil(channels / 4);
}

/** Input number `index` of an op. */
export function inputOf(inputs: readonly Operand[], index: number): Operand {
  const operand = inputs[index];
  invariant(operand, `an op lacks its input ${index}`);
  return operand;
}

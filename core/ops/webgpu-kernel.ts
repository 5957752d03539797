import { invariant } from '../errors.js';
import type { NodeId, Operation } from '../graph/graph.js';
import type { ReadWeight } from './cpu-kernel.js';

/** A buffer that a pass reads or writes; who runs the pass knows which one it is. */
export type BufferReference =
  /** Of a node's value: `[pixels, stride]` float32, or `[pixels]` uint32 for indices. */
  | { readonly kind: 'value'; readonly id: NodeId }
  /** What the node's kernel packed, by its place there. */
  | { readonly kind: 'weight'; readonly id: NodeId; readonly index: number }
  /** Asked for with {@link PassContext.temporary}. */
  | { readonly kind: 'temporary'; readonly index: number }
  /** Given noise or classes of a routing block. */
  | { readonly kind: 'routeData'; readonly block: number }
  /** {@link RunWords} of the run. */
  | { readonly kind: 'run' }
  /** The image as given, planar float32 `[C, h, w]`. */
  | { readonly kind: 'image' }
  /** The codes of a picture that is run from codes. */
  | { readonly kind: 'codes' }
  /** What clamping took away of it, planar float32 `[C, h, w]`. */
  | { readonly kind: 'clipped' }
  /** The codes that come out, and behind them a word that tells of values that are not finite. */
  | { readonly kind: 'newCodes' }
  /** The output as wanted, planar float32 `[C, h · scale, w · scale]`. */
  | { readonly kind: 'result' };

/** Words of the `run` buffer, all uint32: what changes between runs of one program. */
export const runWords = { seed: 0, originX: 1, originY: 2, count: 4 } as const;

/** A value as a kernel sees it: channel c of pixel p is number `start + p · stride + c`. */
export interface GpuOperand {
  readonly buffer: BufferReference;
  readonly start: number;
  readonly stride: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Whether its numbers are halves, two to a word, instead of float32. */
  readonly isHalf: boolean;
}

/** A buffer at its binding. */
export interface GpuBinding {
  readonly buffer: BufferReference;
  readonly access: 'read' | 'write';
}

/** WGSL of one algorithm. */
export interface GpuShader {
  readonly name: string;
  readonly source: string;
}

/**
 * One dispatch. Binding 0 is the uniform `params`, the others follow in order from 1. The constants become
 * `const NAME = value;` lines before the source (whole numbers as u32, `f32` as given): one pipeline for each set.
 */
export interface GpuPass {
  readonly shader: GpuShader;
  readonly entry: string;
  readonly constants: Readonly<Record<string, number>>;
  /** At most 64 uint32 words. */
  readonly params: readonly number[];
  readonly bindings: readonly GpuBinding[];
  /** Workgroups; they are laid out in two dimensions, so the shader takes its number from `groupIndex`. */
  readonly workgroups: number;
}

/** Which form of a `route` kernel runs. */
export type RoutingKind = 'argmax' | 'replay' | 'seeded' | 'forced';

/** What a kernel makes its passes from: sizes, places, and nothing of a device but its limits. */
export interface PassContext<O extends Operation> {
  readonly operation: O;
  readonly inputs: readonly GpuOperand[];
  /** `start` is 0, and `stride` a multiple of 4 but for indices. */
  readonly output: GpuOperand;
  /** What the node packed, in a pair the first. */
  readonly weight: (index: number) => BufferReference;
  /** Whether those of a kernel that {@link WebgpuKernel.weighsInHalves} are halves. */
  readonly weightsHalf: boolean;
  /** Memory that lives during this op's passes only, in words. */
  readonly temporary: (words: number) => BufferReference;
  readonly routing: RoutingKind;
  readonly image: { readonly height: number; readonly width: number };
}

/** How the WebGPU executor runs one op. Pure: nothing here touches a device. */
export interface WebgpuKernel<O extends Operation> {
  /** Weights as the kernels want them; empty without weights. `inputChannels` are those of the first input. */
  pack(operation: O, read: ReadWeight, inputChannels: number): readonly Float32Array[];
  passes(context: PassContext<O>): readonly GpuPass[];
  /** Whether the kernel reads its weights as halves where the precision is f16. */
  readonly weighsInHalves?: (operation: O) => boolean;
  /** Whether it can write its output, of so many channels, as halves. Reading them all kernels can, but that of indices. */
  readonly writesHalves?: (operation: O, channels: number) => boolean;
}

/** Input number `index` of an op. */
export function gpuInput(inputs: readonly GpuOperand[], index: number): GpuOperand {
  const operand = inputs[index];
  invariant(operand, `an op lacks its input ${index}`);
  return operand;
}

/** A yes or no as a constant of a shader. */
export function flag(value: boolean): 0 | 1 {
  return value ? 1 : 0;
}

/** A read binding. */
export function reads(buffer: BufferReference): GpuBinding {
  return { buffer, access: 'read' };
}

/** A binding that is written, and may be read. */
export function writes(buffer: BufferReference): GpuBinding {
  return { buffer, access: 'write' };
}

/** Pixels of a map. */
export function pixelsOf({ height, width }: { readonly height: number; readonly width: number }): number {
  return height * width;
}

/** How many groups of `size` cover `count`. */
export function groupsOf(count: number, size: number): number {
  return Math.ceil(count / size);
}

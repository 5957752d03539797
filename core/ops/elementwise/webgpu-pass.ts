import { source as mathSource } from '../webgpu-math.wgsl.gen.js';
import { source as valuesSource } from '../webgpu-values.wgsl.gen.js';
import {
  type BufferReference,
  flag,
  type GpuOperand,
  type GpuPass,
  type GpuShader,
  groupsOf,
  pixelsOf,
  reads,
  writes,
} from '../webgpu-kernel.js';
import { source } from './webgpu.wgsl.gen.js';

const shader: GpuShader = { name: 'elementwise', source: mathSource + valuesSource + source };

/** Numbers of the forms in webgpu.wgsl. */
const forms = { add: 0, multiply: 1, affine: 2, scaleAdd: 3, gate: 4, activation: 5 } as const;

/** What an element-wise pass works on. */
export interface ElementwiseOperands {
  readonly x: GpuOperand;
  readonly other?: GpuOperand;
  readonly output: GpuOperand;
  /** Scales of all channels, padded to a multiple of four, then offsets. */
  readonly factors?: BufferReference;
  readonly constants?: Readonly<Record<'ACTIVATION' | 'SLOPE_BITS', number>>;
}

/** The pass of one form. Buffers that a form has not are bound to x, and never read. */
export function elementwisePass(form: keyof typeof forms, operands: ElementwiseOperands): GpuPass {
  const { x, other = x, output, factors = x.buffer, constants = { ACTIVATION: 0, SLOPE_BITS: 0 } } = operands;
  const vectors = groupsOf(output.channels, 4);
  const pixels = pixelsOf(output);
  return {
    shader,
    entry: 'main',
    constants: {
      OPERATION: forms[form],
      X16: flag(x.isHalf),
      O16: flag(other.isHalf),
      Y16: flag(output.isHalf),
      ...constants,
    },
    params: [pixels, output.channels, vectors, x.start, x.stride, other.start, other.stride, output.stride],
    bindings: [reads(x.buffer), reads(other.buffer), reads(factors), writes(output.buffer)],
    workgroups: groupsOf(pixels * vectors, 256),
  };
}

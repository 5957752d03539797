import type { OperationOf } from '../cpu-kernel.js';
import { source as mathSource } from '../webgpu-math.wgsl.gen.js';
import { source as valuesSource } from '../webgpu-values.wgsl.gen.js';
import {
  flag,
  type GpuOperand,
  type GpuPass,
  type GpuShader,
  groupsOf,
  pixelsOf,
  reads,
  type WebgpuKernel,
  writes,
} from '../webgpu-kernel.js';
import { source } from './webgpu.wgsl.gen.js';

const shader: GpuShader = { name: 'input', source: mathSource + valuesSource + source };

export const inputWebgpu: WebgpuKernel<OperationOf<'input'>> = {
  pack: () => [],
  passes({ output, image }) {
    const pixels = pixelsOf(output);
    return [
      {
        shader,
        entry: 'pad',
        constants: { X16: 0 },
        params: [output.width, pixels, output.channels, image.height, image.width, 0, output.stride],
        bindings: [reads({ kind: 'image' }), writes(output.buffer)],
        workgroups: groupsOf(pixels * output.channels, 256),
      },
    ];
  },
};

/** The way out: the upper left part of a map as the planar result. */
export function cropPass(x: GpuOperand, { height, width }: { height: number; width: number }): GpuPass {
  return {
    shader,
    entry: 'crop',
    constants: { X16: flag(x.isHalf) },
    params: [x.width, pixelsOf(x), x.channels, height, width, x.start, x.stride],
    bindings: [reads(x.buffer), writes({ kind: 'result' })],
    workgroups: groupsOf(height * width * x.channels, 256),
  };
}

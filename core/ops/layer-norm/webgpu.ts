import type { OperationOf } from '../cpu-kernel.js';
import { source as mathSource } from '../webgpu-math.wgsl.gen.js';
import { source as valuesSource } from '../webgpu-values.wgsl.gen.js';
import {
  flag,
  gpuInput,
  type GpuShader,
  groupsOf,
  pixelsOf,
  reads,
  type WebgpuKernel,
  writes,
} from '../webgpu-kernel.js';
import { source } from './webgpu.wgsl.gen.js';

const shader: GpuShader = { name: 'layer-norm', source: mathSource + valuesSource + source };

export const layerNormWebgpu: WebgpuKernel<OperationOf<'layerNorm'>> = {
  pack: ({ weight, bias }, read) => [Float32Array.from([...read(weight), ...read(bias)])],
  writesHalves: () => true,
  passes({ inputs, output, weight }) {
    const x = gpuInput(inputs, 0);
    const pixels = pixelsOf(output);
    return [
      {
        shader,
        entry: 'main',
        constants: { X16: flag(x.isHalf), Y16: flag(output.isHalf) },
        params: [pixels, output.channels, x.start, x.stride, output.stride],
        bindings: [reads(x.buffer), reads(weight(0)), writes(output.buffer)],
        workgroups: groupsOf(pixels, 8),
      },
    ];
  },
};

import type { OperationOf } from '../cpu-kernel.js';
import { source as mathSource } from '../webgpu-math.wgsl.gen.js';
import { gpuInput, type GpuShader, groupsOf, pixelsOf, reads, type WebgpuKernel, writes } from '../webgpu-kernel.js';
import { source } from './webgpu.wgsl.gen.js';

const shader: GpuShader = { name: 'pixel-shuffle', source: mathSource + source };

export const pixelShuffleWebgpu: WebgpuKernel<OperationOf<'pixelShuffle'>> = {
  pack: () => [],
  passes({ operation: { factor }, inputs, output }) {
    const x = gpuInput(inputs, 0);
    const pixels = pixelsOf(output);
    return [
      {
        shader,
        entry: 'main',
        constants: {},
        params: [output.width, pixels, output.channels, factor, x.start, x.stride, output.stride],
        bindings: [reads(x.buffer), writes(output.buffer)],
        workgroups: groupsOf(pixels * output.channels, 256),
      },
    ];
  },
};

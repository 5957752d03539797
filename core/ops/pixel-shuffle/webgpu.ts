import type { OperationOf } from '../cpu-kernel.js';
import { source as mathSource } from '../webgpu-math.wgsl.gen.js';
import {
  gpuInput,
  type GpuPass,
  type GpuShader,
  groupsOf,
  type PassContext,
  pixelsOf,
  reads,
  type WebgpuKernel,
  writes,
} from '../webgpu-kernel.js';
import { source } from './webgpu.wgsl.gen.js';

const shader: GpuShader = { name: 'pixel-shuffle', source: mathSource + source };

/** A map enlarged by copying: pixel shuffle, or every pixel repeated. */
export function enlargingPass(
  factor: number,
  {
    inputs,
    output,
    isShuffle,
  }: Pick<PassContext<OperationOf<'pixelShuffle'>>, 'inputs' | 'output'> & { readonly isShuffle: boolean },
): GpuPass {
  const x = gpuInput(inputs, 0);
  const pixels = pixelsOf(output);
  return {
    shader,
    entry: 'main',
    constants: { SHUFFLE: isShuffle ? 1 : 0 },
    params: [output.width, pixels, output.channels, factor, x.start, x.stride, output.stride],
    bindings: [reads(x.buffer), writes(output.buffer)],
    workgroups: groupsOf(pixels * output.channels, 256),
  };
}

export const pixelShuffleWebgpu: WebgpuKernel<OperationOf<'pixelShuffle'>> = {
  pack: () => [],
  passes: ({ operation: { factor }, inputs, output }) => [enlargingPass(factor, { inputs, output, isShuffle: true })],
};

import type { OperationOf } from '../cpu-kernel.js';
import { source as mathSource } from '../webgpu-math.wgsl.gen.js';
import { source as valuesSource } from '../webgpu-values.wgsl.gen.js';
import {
  flag,
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

const shader: GpuShader = { name: 'pixel-shuffle', source: mathSource + valuesSource + source };

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
    constants: { SHUFFLE: flag(isShuffle), X16: flag(x.isHalf), Y16: flag(output.isHalf) },
    params: [output.width, pixels, output.channels, factor, x.start, x.stride, output.stride],
    bindings: [reads(x.buffer), writes(output.buffer)],
    workgroups: groupsOf(pixels * groupsOf(output.channels, 2), 256),
  };
}

export const pixelShuffleWebgpu: WebgpuKernel<OperationOf<'pixelShuffle'>> = {
  pack: () => [],
  writesHalves: () => true,
  passes: ({ operation: { factor }, inputs, output }) => [enlargingPass(factor, { inputs, output, isShuffle: true })],
};

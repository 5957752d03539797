import type { OperationOf } from '../cpu-kernel.js';
import { matmulPass, packMatmul } from '../linear/webgpu-pass.js';
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
import { source as numbersSource } from './webgpu-depthwise-numbers.wgsl.gen.js';
import { source as vectorsSource } from './webgpu-depthwise-vectors.wgsl.gen.js';
import { source as depthwiseSource } from './webgpu-depthwise.wgsl.gen.js';

type Conv2d = OperationOf<'conv2d'>;

const common = mathSource + valuesSource + depthwiseSource;
const numbers: GpuShader = { name: 'depthwise, numbers', source: common + numbersSource };
const vectors: GpuShader = { name: 'depthwise, vectors', source: common + vectorsSource };

/** `[C, 1, k, k]` as `[taps][C padded to 4]`, then the bias. */
function packDepthwise(weight: Float32Array, bias: Float32Array | undefined, channels: number): Float32Array {
  const taps = weight.length / channels;
  const width = groupsOf(channels, 4) * 4;
  const packed = new Float32Array((taps + 1) * width);
  for (let channel = 0; channel < channels; channel++) {
    for (let tap = 0; tap < taps; tap++) {
      packed[tap * width + channel] = weight[channel * taps + tap] as number;
    }
  }
  packed.set(bias ?? [], taps * width);
  return packed;
}

function depthwisePass({ operation, inputs, output, weight }: PassContext<Conv2d>): GpuPass {
  const x = gpuInput(inputs, 0);
  const perPixel = groupsOf(output.channels, 4);
  const isAligned = [x.start, x.stride, x.channels].every((count) => count % 4 === 0);
  return {
    shader: isAligned ? vectors : numbers,
    entry: 'main',
    constants: { KERNEL: operation.kernelSize, X16: flag(x.isHalf), Y16: flag(output.isHalf) },
    params: [output.height, output.width, output.channels, perPixel, x.start, x.stride, output.stride],
    bindings: [reads(x.buffer), reads(weight(0)), writes(output.buffer)],
    workgroups: groupsOf(pixelsOf(output) * perPixel, 128),
  };
}

/** A dense convolution is the linear layers' kernel with neighbours for inputs. */
export const conv2dWebgpu: WebgpuKernel<Conv2d> = {
  pack({ weight, bias, kernelSize, depthwise }, read, inputs) {
    const [values, offsets] = [read(weight), bias && read(bias)];
    return [depthwise ? packDepthwise(values, offsets, inputs) : packMatmul(values, offsets, { inputs, kernelSize })];
  },
  weighsInHalves: ({ depthwise }) => !depthwise,
  writesHalves: () => true,
  passes: (context) =>
    context.operation.depthwise ? [depthwisePass(context)] : [matmulPass(context, context.operation.kernelSize)],
};

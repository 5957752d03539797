import type { OperationOf } from '../cpu-kernel.js';
import type { WebgpuKernel } from '../webgpu-kernel.js';
import { matmulPass, packMatmul } from './webgpu-pass.js';

export const linearWebgpu: WebgpuKernel<OperationOf<'linear'>> = {
  pack: ({ weight, bias }, read, inputs) => [packMatmul(read(weight), bias && read(bias), { inputs, kernelSize: 1 })],
  weighsInHalves: () => true,
  writesHalves: () => true,
  passes: (context) => [matmulPass(context, 1)],
};

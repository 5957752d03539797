import type { Operation, OperationName } from '../graph/graph.js';
import { activationWebgpu } from './activation/webgpu.js';
import { conv2dWebgpu } from './conv2d/webgpu.js';
import type { OperationOf } from './cpu-kernel.js';
import {
  addWebgpu,
  affineWebgpu,
  gateWebgpu,
  multiplyWebgpu,
  scaleAddWebgpu,
  scaleChannelsWebgpu,
} from './elementwise/webgpu.js';
import { inputWebgpu } from './input/webgpu.js';
import { layerNormWebgpu } from './layer-norm/webgpu.js';
import { linearWebgpu } from './linear/webgpu.js';
import { matmulPass } from './linear/webgpu-pass.js';
import { pixelShuffleWebgpu } from './pixel-shuffle/webgpu.js';
import { routeWebgpu } from './route/webgpu.js';
import { selectiveScanWebgpu } from './selective-scan/webgpu.js';
import { sortByClassWebgpu } from './sort-by-class/webgpu.js';
import { upsampleNearestWebgpu } from './upsample-nearest/webgpu.js';
import type { WebgpuKernel } from './webgpu-kernel.js';
import { windowAttentionWebgpu } from './window-attention/webgpu.js';

/** A view costs nothing: its place is its value. */
const viewWebgpu: WebgpuKernel<OperationOf<'sliceChannels'>> = { pack: () => [], passes: () => [] };

const kernels: { readonly [N in OperationName]: WebgpuKernel<OperationOf<N>> } = {
  input: inputWebgpu,
  affine: affineWebgpu,
  conv2d: conv2dWebgpu,
  linear: linearWebgpu,
  layerNorm: layerNormWebgpu,
  activation: activationWebgpu,
  add: addWebgpu,
  multiply: multiplyWebgpu,
  scaleChannels: scaleChannelsWebgpu,
  sliceChannels: viewWebgpu,
  windowAttention: windowAttentionWebgpu,
  route: routeWebgpu,
  sortByClass: sortByClassWebgpu,
  selectiveScan: selectiveScanWebgpu,
  pixelShuffle: pixelShuffleWebgpu,
  upsampleNearest: upsampleNearestWebgpu,
};

/** The WebGPU kernel of an op: the one list of them. */
export function webgpuKernelOf(operation: Operation): WebgpuKernel<Operation> {
  // Sound because the table is keyed by the op's own name.
  return kernels[operation.op] as unknown as WebgpuKernel<Operation>;
}

/** The passes of `second(first(x), other)` run as one: inputs x and other, weights the first's. */
export type FusedWebgpuKernel = Pick<WebgpuKernel<Operation>, 'passes'>;

/** The kernel that runs two ops as one, if there is one. */
export function fusedWebgpuKernelOf(first: Operation, second: Operation): FusedWebgpuKernel | undefined {
  const isProduct = first.op === 'linear' || (first.op === 'conv2d' && !first.depthwise);
  if (isProduct && (second.op === 'add' || second.op === 'activation')) {
    const kernelSize = first.op === 'conv2d' ? first.kernelSize : 1;
    return { passes: (context) => [matmulPass(context, kernelSize, second)] };
  }
  if (first.op === 'scaleChannels' && second.op === 'add') {
    return scaleAddWebgpu;
  }
  const isGate = first.op === 'activation' && first.function === 'sigmoid' && second.op === 'multiply';
  return isGate ? gateWebgpu : undefined;
}

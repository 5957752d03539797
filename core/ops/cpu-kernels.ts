import type { Operation, OperationName } from '../graph/graph.js';
import { activationCpu } from './activation/cpu.js';
import { conv2dCpu } from './conv2d/cpu.js';
import type { CpuKernel, OperationOf } from './cpu-kernel.js';
import { type FusedCpuKernel, gateCpu, linearAddCpu, scaleAddCpu } from './elementwise/fused-cpu.js';
import { addCpu, affineCpu, multiplyCpu, scaleChannelsCpu } from './elementwise/cpu.js';
import { inputCpu } from './input/cpu.js';
import { layerNormCpu } from './layer-norm/cpu.js';
import { linearCpu } from './linear/cpu.js';
import { pixelShuffleCpu } from './pixel-shuffle/cpu.js';
import { routeCpu } from './route/cpu.js';
import { selectiveScanCpu } from './selective-scan/cpu.js';
import { sortByClassCpu } from './sort-by-class/cpu.js';
import { upsampleNearestCpu } from './upsample-nearest/cpu.js';
import { windowAttentionCpu } from './window-attention/cpu.js';

/** A view costs nothing: its placement is its value. */
const viewCpu: CpuKernel<OperationOf<'sliceChannels'>> = { pack: () => [], bind: () => () => undefined };

const kernels: { readonly [N in OperationName]: CpuKernel<OperationOf<N>> } = {
  input: inputCpu,
  affine: affineCpu,
  conv2d: conv2dCpu,
  linear: linearCpu,
  layerNorm: layerNormCpu,
  activation: activationCpu,
  add: addCpu,
  multiply: multiplyCpu,
  scaleChannels: scaleChannelsCpu,
  sliceChannels: viewCpu,
  windowAttention: windowAttentionCpu,
  route: routeCpu,
  sortByClass: sortByClassCpu,
  selectiveScan: selectiveScanCpu,
  pixelShuffle: pixelShuffleCpu,
  upsampleNearest: upsampleNearestCpu,
};

/** The CPU kernel of an op: the one list of them. */
export function cpuKernelOf(operation: Operation): CpuKernel<Operation> {
  // Sound because the table is keyed by the op's own name.
  return kernels[operation.op] as unknown as CpuKernel<Operation>;
}

/** The kernel for `second(first(x), other)`, if there is one. */
export function fusedCpuKernelOf(first: Operation, second: Operation): FusedCpuKernel | undefined {
  if (second.op === 'add') {
    return first.op === 'linear' ? linearAddCpu : first.op === 'scaleChannels' ? scaleAddCpu : undefined;
  }
  const isGate = second.op === 'multiply' && first.op === 'activation' && first.function === 'sigmoid';
  return isGate ? gateCpu : undefined;
}

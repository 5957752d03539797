import type { Operation } from '../../graph/graph.js';
import { type OperationOf, padded } from '../cpu-kernel.js';
import { gpuInput, type WebgpuKernel } from '../webgpu-kernel.js';
import { elementwisePass } from './webgpu-pass.js';

function binary<N extends 'add' | 'multiply'>(name: N): WebgpuKernel<OperationOf<N>> {
  return {
    pack: () => [],
    writesHalves: () => true,
    passes: ({ inputs, output }) => [
      elementwisePass(name, { x: gpuInput(inputs, 0), other: gpuInput(inputs, 1), output }),
    ],
  };
}

export const addWebgpu = binary('add');
export const multiplyWebgpu = binary('multiply');

/** Scales, then offsets, each padded to whole vectors. */
function factorsOf(scale: Float32Array, offset: Float32Array): Float32Array {
  return Float32Array.from([...padded(scale, 4), ...padded(offset, 4)]);
}

export const affineWebgpu: WebgpuKernel<OperationOf<'affine'>> = {
  pack: ({ scale, offset }) => [factorsOf(Float32Array.from(scale), Float32Array.from(offset))],
  writesHalves: () => true,
  passes: ({ inputs, output, weight }) => [
    elementwisePass('affine', { x: gpuInput(inputs, 0), output, factors: weight(0) }),
  ],
};

export const scaleChannelsWebgpu: WebgpuKernel<OperationOf<'scaleChannels'>> = {
  pack({ weight }, read) {
    const scale = read(weight);
    return [factorsOf(scale, new Float32Array(scale.length))];
  },
  writesHalves: () => true,
  passes: ({ inputs, output, weight }) => [
    elementwisePass('affine', { x: gpuInput(inputs, 0), output, factors: weight(0) }),
  ],
};

/** other + x·scale[c], in one pass. */
export const scaleAddWebgpu: Pick<WebgpuKernel<Operation>, 'passes'> = {
  passes: ({ inputs, output, weight }) => [
    elementwisePass('scaleAdd', { x: gpuInput(inputs, 0), other: gpuInput(inputs, 1), output, factors: weight(0) }),
  ],
};

/** other · sigmoid(x), in one pass. */
export const gateWebgpu: Pick<WebgpuKernel<Operation>, 'passes'> = {
  passes: ({ inputs, output }) => [
    elementwisePass('gate', { x: gpuInput(inputs, 0), other: gpuInput(inputs, 1), output }),
  ],
};

import type { Operation } from '../../graph/graph.js';
import { elementwisePass } from '../elementwise/webgpu-pass.js';
import type { OperationOf } from '../cpu-kernel.js';
import { gpuInput, type WebgpuKernel } from '../webgpu-kernel.js';

/** Numbers of `activate` in webgpu-math.wgsl; 0 is none. */
const numbers = { gelu: 1, silu: 2, sigmoid: 3, leakyRelu: 4 } as const;

/** The constants that choose an activation in a shader; `undefined` chooses none. */
export function activationConstants(operation: Operation | undefined): Record<'ACTIVATION' | 'SLOPE_BITS', number> {
  const isActivation = operation?.op === 'activation';
  const slope = Float32Array.of(isActivation ? (operation.slope ?? 0) : 0);
  const [slopeBits = 0] = new Uint32Array(slope.buffer);
  return { ACTIVATION: isActivation ? numbers[operation.function] : 0, SLOPE_BITS: slopeBits };
}

export const activationWebgpu: WebgpuKernel<OperationOf<'activation'>> = {
  pack: () => [],
  writesHalves: () => true,
  passes: ({ operation, inputs, output }) => [
    elementwisePass('activation', { x: gpuInput(inputs, 0), output, constants: activationConstants(operation) }),
  ],
};

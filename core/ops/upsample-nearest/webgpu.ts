import type { OperationOf } from '../cpu-kernel.js';
import { enlargingPass } from '../pixel-shuffle/webgpu.js';
import type { WebgpuKernel } from '../webgpu-kernel.js';

/** The kernel of pixel shuffle, which reads one channel instead of factor². */
export const upsampleNearestWebgpu: WebgpuKernel<OperationOf<'upsampleNearest'>> = {
  pack: () => [],
  writesHalves: () => true,
  passes: ({ operation: { factor }, inputs, output }) => [enlargingPass(factor, { inputs, output, isShuffle: false })],
};

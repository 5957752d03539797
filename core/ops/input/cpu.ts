import type { CpuKernel, OperationOf } from '../cpu-kernel.js';

export const inputCpu: CpuKernel<OperationOf<'input'>> = {
  pack: () => [],
  bind({ operation: { channels }, output: y, kernels, run }) {
    return (first, count) => {
      kernels.planarToTokens(
        run.inputAddress,
        channels,
        run.inputHeight,
        run.inputWidth,
        y.width,
        first,
        count,
        y.at(first),
        y.strideBytes,
      );
    };
  },
};

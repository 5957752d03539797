import { type CpuKernel, inputOf, type OperationOf } from '../cpu-kernel.js';

export const pixelShuffleCpu: CpuKernel<OperationOf<'pixelShuffle'>> = {
  pack: () => [],
  bind({ operation: { factor }, inputs, output: out, kernels }) {
    const x = inputOf(inputs, 0);
    return (first, count) => {
      kernels.pixelShuffle(
        x.at(first),
        x.strideBytes,
        x.width,
        first,
        count,
        out.channels,
        factor,
        out.at(0),
        out.strideBytes,
      );
    };
  },
};

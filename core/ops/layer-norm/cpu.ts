import { type CpuKernel, inputOf, type OperationOf, padded } from '../cpu-kernel.js';

export const layerNormCpu: CpuKernel<OperationOf<'layerNorm'>> = {
  pack: ({ weight, bias }, read) => [padded(read(weight), 4), padded(read(bias), 4)],
  bind({ inputs, output: y, packed: [weight = 0, bias = 0], kernels }) {
    const x = inputOf(inputs, 0);
    return (first, count) => {
      kernels.layerNorm(x.at(first), x.strideBytes, y.at(first), y.strideBytes, count, x.channels, weight, bias);
    };
  },
};

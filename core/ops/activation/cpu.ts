import { type CpuKernel, inputOf, type OperationOf, vectorsOf } from '../cpu-kernel.js';

export const activationCpu: CpuKernel<OperationOf<'activation'>> = {
  pack: () => [],
  bind({ operation, inputs, output: y, kernels }) {
    const x = inputOf(inputs, 0);
    const vectors = vectorsOf(y.channels);
    const kernel = kernels[operation.function];
    const slope = operation.slope ?? 0;
    return (first, count) => {
      kernel(x.at(first), x.strideBytes, y.at(first), y.strideBytes, count, vectors, slope);
    };
  },
};

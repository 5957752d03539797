import { type CpuKernel, inputOf, type OperationOf } from '../cpu-kernel.js';

export const sortByClassCpu: CpuKernel<OperationOf<'sortByClass'>> = {
  pack: () => [],
  scratchBytes: ({ classes }) => classes * 4,
  bind({ operation: { classes }, inputs, output: order, kernels, scratch }) {
    const classOf = inputOf(inputs, 0);
    return () => {
      kernels.sortByClass(classOf.at(0), order.height * order.width, classes, order.at(0), scratch);
    };
  },
};

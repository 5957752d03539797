import type { Operation } from '../../graph/graph.js';
import { type BindContext, type BoundKernel, inputOf, vectorsOf } from '../cpu-kernel.js';
import { panelWidth } from '../linear/cpu.js';

/**
 * A kernel for `second(first(x), other)`: inputs x and other, output the second's, packed weights the first's. It
 * computes what the two would one after the other, without the pass over memory in between.
 */
export interface FusedCpuKernel {
  bind(context: BindContext<Operation>): BoundKernel;
}

/** other + linear(x): the residual joins as the sums are stored. */
export const linearAddCpu: FusedCpuKernel = {
  bind({ inputs, output: y, packed: [weights = 0, bias = 0], kernels }) {
    const x = inputOf(inputs, 0);
    const other = inputOf(inputs, 1);
    const panels = Math.ceil(y.channels / panelWidth);
    return (first, count) => {
      kernels.gemm(
        x.at(first),
        x.strideBytes,
        y.at(first),
        y.strideBytes,
        count,
        x.channels,
        1,
        0,
        panels,
        weights,
        bias,
        other.at(first),
        other.strideBytes,
      );
    };
  },
};

/** other + x·scale[c]. */
export const scaleAddCpu: FusedCpuKernel = {
  bind({ inputs, output: y, packed: [scale = 0], kernels }) {
    const x = inputOf(inputs, 0);
    const other = inputOf(inputs, 1);
    const vectors = vectorsOf(y.channels);
    return (first, count) => {
      kernels.scaleAdd(
        x.at(first),
        x.strideBytes,
        other.at(first),
        other.strideBytes,
        y.at(first),
        y.strideBytes,
        count,
        vectors,
        scale,
      );
    };
  },
};

/** other · sigmoid(x). */
export const gateCpu: FusedCpuKernel = {
  bind({ inputs, output: y, kernels }) {
    const x = inputOf(inputs, 0);
    const other = inputOf(inputs, 1);
    const vectors = vectorsOf(y.channels);
    return (first, count) => {
      kernels.gate(
        x.at(first),
        x.strideBytes,
        other.at(first),
        other.strideBytes,
        y.at(first),
        y.strideBytes,
        count,
        vectors,
      );
    };
  },
};

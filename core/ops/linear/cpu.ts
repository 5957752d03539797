import { type CpuKernel, inputOf, type OperationOf, padded } from '../cpu-kernel.js';

/** Outputs of a tile of the `gemm` kernel. */
export const panelWidth = 8;

/**
 * Weights [outputs, k] → panels [outputs / 8][k][8], zero beyond the last output. `kOrder` gives the place in a row
 * of the source of the k-th value in the kernel's order.
 */
export function packPanels(
  weight: Float32Array,
  outputs: number,
  k: number,
  kOrder: (at: number) => number = (at) => at,
): Float32Array {
  const panels = Math.ceil(outputs / panelWidth);
  const packed = new Float32Array(panels * k * panelWidth);
  for (let at = 0; at < k; at++) {
    const source = kOrder(at);
    for (let output = 0; output < outputs; output++) {
      const panel = Math.floor(output / panelWidth);
      packed[(panel * k + at) * panelWidth + (output % panelWidth)] = weight[output * k + source] as number;
    }
  }
  return packed;
}

/** Undoes {@link packPanels}: panels → `matrix` [k, outputs], outputs padded to whole panels. */
export function unpackPanels(panels: Float32Array, k: number, matrix: Float32Array): void {
  const stride = panels.length / k;
  let from = 0;
  for (let column = 0; column < stride; column += panelWidth) {
    for (let to = column; to < k * stride; to += stride) {
      // Written out: twice as fast as a loop of eight, and done for every layer in every run.
      matrix[to] = panels[from] as number;
      matrix[to + 1] = panels[from + 1] as number;
      matrix[to + 2] = panels[from + 2] as number;
      matrix[to + 3] = panels[from + 3] as number;
      matrix[to + 4] = panels[from + 4] as number;
      matrix[to + 5] = panels[from + 5] as number;
      matrix[to + 6] = panels[from + 6] as number;
      matrix[to + 7] = panels[from + 7] as number;
      from += panelWidth;
    }
  }
}

/** Bias padded to whole panels; zeros when there is none. */
export function packBias(bias: Float32Array | undefined, outputs: number): Float32Array {
  return padded(bias ?? new Float32Array(outputs), panelWidth);
}

export const linearCpu: CpuKernel<OperationOf<'linear'>> = {
  pack({ weight, bias }, read, k) {
    const values = read(weight);
    const outputs = values.length / k;
    return [packPanels(values, outputs, k), packBias(bias && read(bias), outputs)];
  },
  bind({ inputs, output: y, packed: [weights = 0, bias = 0], kernels }) {
    const x = inputOf(inputs, 0);
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
        0,
        0,
      );
    };
  },
};

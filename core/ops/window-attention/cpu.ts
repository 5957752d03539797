import { type CpuKernel, inputOf, type OperationOf } from '../cpu-kernel.js';

const log2e = Math.LOG2E;

/** Values of one head's table, the three readable ones behind it that the kernel's vectors touch, and the largest. */
function tableLength(windowSize: number): number {
  return Math.ceil(((2 * windowSize - 1) ** 2 + 4) / 4) * 4;
}

export const windowAttentionCpu: CpuKernel<OperationOf<'windowAttention'>> = {
  pack({ biasTable, windowSize, heads }, read) {
    // [(2ws−1)², heads] → [head][(2ws−1)²], in powers of two.
    const source = read(biasTable);
    const length = tableLength(windowSize);
    const table = new Float32Array(heads * length);
    for (let head = 0; head < heads; head++) {
      let largest = 0;
      for (let at = 0; at < (2 * windowSize - 1) ** 2; at++) {
        const bias = (source[at * heads + head] as number) * log2e;
        table[head * length + at] = bias;
        largest = Math.max(largest, Math.abs(bias));
      }
      // Rounded up: it bounds.
      table[(head + 1) * length - 1] = largest * (1 + 2 ** -20);
    }
    return [table];
  },
  scratchBytes({ windowSize, heads }, inputs) {
    // K, V, Q, the scores of a panel of queries; rows in both maps, bias offset and region of every place of the window.
    const headSize = (inputs[0]?.channels ?? 0) / 3 / heads;
    const padded = Math.ceil(windowSize ** 2 / 4) * 4;
    const headPadded = Math.ceil(headSize / 4) * 4;
    const panels = Math.ceil((windowSize * Math.ceil(windowSize / 4)) / 2);
    return (headSize * padded + padded * headPadded + panels * headSize * 8 + padded * 8 + 4 * (padded + 4)) * 4;
  },
  bind({ operation: { windowSize, heads, shift }, inputs, output: out, packed: [table = 0], kernels, scratch }) {
    const qkv = inputOf(inputs, 0);
    const scale = Math.sqrt(heads / out.channels) * log2e;
    return (first, count) => {
      const columns = count * windowSize;
      for (let window = first; window < first + count; window++) {
        const local = (window - first) * windowSize;
        kernels.windowAttention(
          qkv.at(qkv.isLocal ? local : 0),
          qkv.strideBytes,
          qkv.isLocal ? columns : 0,
          out.at(out.isLocal ? local : 0),
          out.strideBytes,
          out.isLocal ? columns : 0,
          out.height,
          out.width,
          out.channels,
          heads,
          windowSize,
          shift,
          window,
          scale,
          table,
          tableLength(windowSize) * 4,
          scratch,
        );
      }
    };
  },
};

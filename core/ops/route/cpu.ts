import { type CpuKernel, inputOf, type OperationOf } from '../cpu-kernel.js';

/** Multiplier of the seed in the hash's fourth word (2³² divided by the golden ratio). */
const golden = 0x9e3779b9;

export const routeCpu: CpuKernel<OperationOf<'route'>> = {
  pack: () => [],
  scratchBytes: ({ tokens }) => Math.ceil(tokens / 16) * 64,
  bind({ operation: { block, tokens }, inputs, output: classOf, kernels, run, scratch }) {
    const logits = inputOf(inputs, 0);
    return (first, count) => {
      const data = run.routeData[block] ?? 0;
      switch (run.routing) {
        case 'seeded':
          kernels.routeSeeded(
            logits.at(first),
            logits.strideBytes,
            count,
            tokens,
            classOf.at(first),
            first,
            classOf.width,
            run.originX,
            run.originY,
            (Math.imul(run.seed, golden) + block) | 0,
            scratch,
          );
          break;
        case 'argmax':
          kernels.routeArgmax(logits.at(first), logits.strideBytes, count, tokens, classOf.at(first));
          break;
        case 'replay':
          kernels.routeReplay(
            logits.at(first),
            logits.strideBytes,
            data + first * tokens * 4,
            count,
            tokens,
            classOf.at(first),
          );
          break;
        case 'forced':
          kernels.copyIndices(data + first * 4, classOf.at(first), count);
          break;
      }
    };
  },
};

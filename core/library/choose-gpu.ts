import type { GpuReport, GpuReports } from './describe-gpus.js';

/** The GPU that `auto` would take, and why, or why none: a sentence. */
export interface GpuChoice {
  readonly gpu?: GpuReport;
  readonly reason: string;
}

/** Best first; what says nothing of itself is more often a card than a part of a processor. */
const ranks = ['discrete', 'unknown', 'integrated'] as const;

/**
 * The best GPU that is one: a card before a part of the processor, and of two ways to the same the one that the system
 * lists first. A CPU that plays a GPU is never taken, since the device `cpu` computes the same much faster.
 */
export function chooseGpu({ gpus, problem }: GpuReports): GpuChoice {
  for (const kind of ranks) {
    const gpu = gpus.find((each) => each.kind === kind);
    if (gpu !== undefined) {
      const others = gpus.filter((each) => each.kind !== 'software').length - 1;
      const isOnly = others === 0 ? 'the only GPU' : kind === 'discrete' ? 'a card of its own' : 'the best GPU';
      return { gpu, reason: `${gpu.name} (${gpu.device}) is ${isOnly} here` };
    }
  }
  const [software] = gpus;
  return software === undefined
    ? { reason: `there is no GPU: ${problem ?? 'none was found'}` }
    : { reason: `${software.name} is a CPU that plays a GPU: right, and far slower than the device cpu` };
}

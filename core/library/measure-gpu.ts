import { recognise } from '../architectures/architectures.js';
import { countMacs } from '../benchmark/count-macs.js';
import { testPicture } from '../benchmark/random-weights.js';
import type { Network, PrecisionChoice } from '../executors/executor.js';
import type { GpuReport } from './describe-gpus.js';
import { openGpu } from './executors.js';
import { readModelSource } from './model-source.js';
import { unlessAborted } from './unless-aborted.js';

/** How fast a GPU runs a small embedded network. */
export interface GpuSpeed {
  /** The GPU's device. */
  readonly device: GpuReport['device'];
  /** The network. */
  readonly model: string;
  /** Side of the largest square picture that was run, in pixels. */
  readonly side?: number;
  /** Of the fastest run with that picture, from pixels in to pixels out. */
  readonly seconds?: number;
  /** Billions of floating-point operations a second in it, two for a multiply-add. */
  readonly gflops?: number;
  /** How it stored the numbers, and why so. */
  readonly precision?: PrecisionChoice;
  /** A CPU that plays a GPU says nothing of GPUs. */
  readonly isMeaningless: boolean;
  /** Why there is no figure. */
  readonly problem?: string;
}

/** What is run: small, and in every installation. */
const model = 'tiny-x2';
/** Time for the runs that count. */
const measuredMs = 2000;
/** Time for all, the start of the driver and its compiler included; less where the figure says nothing. */
const mostSeconds = { hardware: 15, software: 5 } as const;
const sides = { first: 32, last: 512 } as const;
/** A run that takes longer is large enough to tell the speed. */
const longMs = 200;

/** Measures one GPU for two seconds, after it has compiled its kernels; never much longer than fifteen. Never throws. */
export async function measureGpu(gpu: GpuReport, options: { readonly signal?: AbortSignal } = {}): Promise<GpuSpeed> {
  const most = mostSeconds[gpu.isSoftware ? 'software' : 'hardware'];
  const end = AbortSignal.timeout(most * 1000);
  const signal = options.signal === undefined ? end : AbortSignal.any([end, options.signal]);
  const about = { device: gpu.device, model, isMeaningless: gpu.isSoftware };
  try {
    const { tensors } = (await readModelSource(model, {})).checkpoint;
    const { graph } = recognise(tensors);
    const executor = await openGpu(gpu.index);
    try {
      const network = await unlessAborted(signal, executor.load(graph, tensors));
      const { precision } = network;
      const run = { ...about, ...(precision === undefined ? {} : { precision }) };
      const best = await fastest(network, signal);
      if (best === undefined) {
        return { ...run, problem: `no picture was done within ${most} seconds` };
      }
      const { side, seconds } = best;
      return { ...run, side, seconds, gflops: (2 * countMacs(graph, side, side)) / seconds / 1e9 };
    } finally {
      await executor.dispose();
    }
  } catch (error) {
    return { ...about, problem: (error as Error).message };
  }
}

/** The fastest run of the largest picture there was time for. */
async function fastest(network: Network, signal: AbortSignal): Promise<{ side: number; seconds: number } | undefined> {
  let best: { side: number; seconds: number } | undefined;
  const run = async (side: number): Promise<number> => {
    const { inputChannels } = network;
    const input = { shape: [1, inputChannels, side, side], data: testPicture(inputChannels, side, side) };
    const began = performance.now();
    await unlessAborted(signal, network.run(input, { routing: { kind: 'seeded', seed: 0 }, signal }));
    return performance.now() - began;
  };
  try {
    let side: number = sides.first;
    // Compiles; a driver without a compiler's cache takes seconds.
    await run(side);
    for (const stop = performance.now() + measuredMs; performance.now() < stop; ) {
      const took = await run(side);
      if (best?.side !== side || took < best.seconds * 1000) {
        best = { side, seconds: took / 1000 };
      }
      if (took < longMs && side < sides.last) {
        side *= 2;
      }
    }
  } catch (error) {
    if (!signal.aborted) {
      throw error;
    }
  }
  return best;
}

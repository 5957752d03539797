import { createHash } from 'node:crypto';
import { countMacs } from '../benchmark/count-macs.js';
import { testPicture } from '../benchmark/random-weights.js';
import type { Network } from '../executors/executor.js';
import type { Graph } from '../graph/graph.js';
import type { GpuVerdict } from './gpu-notes.js';
import { unlessAborted } from './unless-aborted.js';

/** Multiply-adds of the test picture: a tenth of a second for two cores. */
const testMacs = 3e9;
const sides = { least: 32, most: 128 } as const;

/**
 * How far a GPU's test picture may be from the CPU's, ‖a − b‖ / ‖b‖. Kernels that are right stay below 2e-5 on all
 * fixtures of the official code; one pixel that takes another class costs up to 1e-4. A wrong one is far beyond.
 */
const mostDistance = 5e-4;
/** The same where the GPU stores halves: two and a half times of what 58 dB are, within which it has to stay anyway. */
const mostDistanceOfHalves = 5e-3;

/** A driver that needs longer for the test picture, compiling included, is broken. */
const timeoutMs = 60_000;

/** Tells networks apart that run other kernels or sizes of them: weights do not matter. */
export function structureOf(graph: Graph): string {
  return createHash('sha256').update(JSON.stringify(graph)).digest('hex').slice(0, 16);
}

/**
 * Runs a small test picture through a network on a GPU and on the CPU: fit is a GPU that gives the same picture sooner.
 * A GPU that fails is not fit; what the CPU throws is thrown.
 */
export async function checkGpu(
  graph: Graph,
  networks: { readonly gpu: Network; readonly cpu: Network },
  limits: { readonly timeoutMs?: number } = {},
): Promise<GpuVerdict> {
  const { gpu, cpu } = networks;
  const side = Math.round(Math.sqrt(testMacs / countMacs(graph, 64, 64)) * 64);
  const bounded = Math.min(Math.max(side, sides.least), sides.most);
  // Not square, and no multiple of anything: edges are computed, too.
  const [height, width] = [bounded - 3, bounded + 1];
  const input = {
    shape: [1, gpu.inputChannels, height, width],
    data: testPicture(gpu.inputChannels, height, width),
  };
  const routing = { kind: 'seeded', seed: 0 } as const;
  let given: Timed;
  let again: Timed;
  try {
    const signal = AbortSignal.timeout(limits.timeoutMs ?? timeoutMs);
    given = await unlessAborted(
      signal,
      timed(() => gpu.run(input, { routing, signal })),
    );
    again = await unlessAborted(
      signal,
      timed(() => gpu.run(input, { routing, signal })),
    );
  } catch (error) {
    return { outcome: 'broken', reason: `it failed on a test picture: ${(error as Error).message}` };
  }
  const expected = await timed(() => cpu.run(input, { routing }));
  const warm = await timed(() => cpu.run(input, { routing }));
  const distance = relativeDistance(given.data, expected.data);
  const most = gpu.precision?.name === 'f16' ? mostDistanceOfHalves : mostDistance;
  const isSame = given.data.every((value, at) => value === again.data[at]);
  if (!(distance <= most)) {
    return {
      outcome: 'broken',
      reason: `it computes wrong values: its test picture is ${distance.toExponential(1)} from the CPU's (relative; ${most} at most)`,
    };
  }
  if (!isSame) {
    return { outcome: 'broken', reason: 'it computes wrong values: it gave two results for one test picture' };
  }
  const times = Math.min(expected.seconds, warm.seconds) / again.seconds;
  return times > 1
    ? {
        outcome: 'fit',
        reason: `${times.toFixed(1)} times as fast as the CPU on a test picture, and ${distance.toExponential(1)} from it`,
      }
    : {
        outcome: 'slow',
        reason: `it is slower than the CPU: ${(1 / times).toFixed(1)} times as long for a test picture`,
      };
}

interface Timed {
  readonly data: Float32Array;
  readonly seconds: number;
}

async function timed(run: () => ReturnType<Network['run']>): Promise<Timed> {
  const began = performance.now();
  const { output } = await run();
  return { data: output.data, seconds: (performance.now() - began) / 1000 };
}

/** ‖a − b‖ / ‖b‖; NaN where a value is not finite. */
function relativeDistance(a: Float32Array, b: Float32Array): number {
  let difference = 0;
  let norm = 0;
  for (let at = 0; at < b.length; at++) {
    difference += ((a[at] ?? Number.NaN) - b[at]!) ** 2;
    norm += b[at]! ** 2;
  }
  return Math.sqrt(difference / norm);
}

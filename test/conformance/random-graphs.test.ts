import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createCpuExecutor } from '../../core/executors/cpu/cpu-executor.js';
import type { Executor, RunOptions } from '../../core/executors/executor.js';
import { createReferenceExecutor } from '../../core/executors/reference/reference-executor.js';
import { distanceOf, routingOf } from '../op-harness.js';
import { randomGraph } from '../random-graph.js';
import { randomImage } from '../random-network.js';

/** A row of normalisations can magnify float32 rounding; a value read from the wrong place is off by about 1. */
const bound = 2e-3;

describe('the cpu computes graphs that no network has', () => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await createCpuExecutor({ build: 'plain', threads: 2 });
  });
  afterAll(() => executor.dispose());

  const problems = Array.from({ length: 12 }, (_, seed) => ({
    seed,
    // Every fourth has rows longer than a strip.
    height: seed % 4 === 3 ? 1 : 1 + ((seed * 5) % 13),
    width: seed % 4 === 3 ? 300 + seed : 1 + ((seed * 7) % 17),
  }));

  it.each(problems)('graph $seed on $height × $width pixels', async ({ seed, height, width }) => {
    const { graph, tensors } = randomGraph(seed, 30);
    const channels = graph.nodes[0]?.type.channels ?? 0;
    const input = randomImage([1, channels, height, width], seed);
    const padded = (size: number) => Math.ceil(size / 4) * 4;
    // Classes are given, for a rounding may turn one into another.
    const routing = routingOf(graph, { kind: 'forced' }, padded(height) * padded(width));
    const taps = graph.nodes.map(({ name }) => name);
    const run = async (on: Executor, options: RunOptions) => {
      const network = await on.load(graph, tensors);
      const nothing = { shape: input.shape, data: new Float32Array(input.data.length).fill(Number.NaN) };
      await network.run(nothing, options);
      const result = await network.run(input, options);
      await network.dispose();
      return result;
    };
    const expected = await run(createReferenceExecutor(), { routing, taps });
    const tapped = await run(executor, { routing, taps });
    const plain = await run(executor, { routing });

    const far = taps.filter(
      (tap) => !(distanceOf(tapped.taps.get(tap)?.data ?? [], expected.taps.get(tap)?.data ?? []).relative <= bound),
    );
    expect(far).toEqual([]);
    // Kept values are neither fused nor strip-local; in the plain build that changes no bit.
    expect([...plain.output.data]).toEqual([...tapped.output.data]);
  });
});

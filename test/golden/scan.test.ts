import { readFile } from 'node:fs/promises';
import { expect, it } from '@jest/globals';
import { createCpuExecutor } from '../../core/executors/cpu/cpu-executor.js';
import type { Executor } from '../../core/executors/executor.js';
import { createGpuExecutor } from '../../core/library/gpu-adapters.js';
import type { Draw, OpCase } from '../../core/ops/op-case.js';
import { parseSafetensors } from '../../core/tensor/safetensors.js';
import { runCases } from '../op-harness.js';
import { describeWithGpu } from '../gpu.js';
import { describeWithShared, sharedPath } from '../shared.js';
import { relativeDistance, stored, toFloat64 } from './golden-cases.js';

const name = 'mambairv2-unit-scan';

/** One item of a fixture's scan. The Δ of each channel stands for its low-rank form, with the identity as weight. */
interface Item {
  readonly opCase: OpCase;
  /** `[D, L]`. */
  readonly expected: Float64Array;
}

async function loadItems(): Promise<readonly Item[]> {
  const file = sharedPath(`golden/${name}.safetensors`) ?? name;
  const { tensors } = parseSafetensors(await readFile(file), name);
  const items: Item[] = [];
  for (let index = 0; tensors.has(`case${index}.u`); index += 1) {
    const tensor = (part: string) => stored(tensors, `case${index}.${part}`);
    const numbers = (part: string) => toFloat64(tensor(part));
    const [batch = 0, channels = 0, length = 0] = tensor('u').shape;
    const states = tensor('A').shape[1] ?? 0;
    const [A, D, deltaBias] = [numbers('A'), numbers('D'), numbers('delta_bias')];
    for (let item = 0; item < batch; item += 1) {
      const of = (part: string) => {
        const all = numbers(part);
        return all.subarray((item * all.length) / batch, ((item + 1) * all.length) / batch);
      };
      const image = ['u', 'delta', 'B', 'C'].flatMap((part) => [...of(part)]);
      const given =
        (values: Float64Array): Draw =>
        (_, { pixel }) =>
          values[pixel] as number;
      items.push({
        expected: of('y'),
        opCase: {
          id: `case ${index}, item ${item}`,
          why: 'the official scan',
          height: 1,
          width: length,
          channels: 2 * channels + 2 * states,
          values: (_, { channel, pixel }) => image[channel * length + pixel] as number,
          build: ({ graph, image: x, name: nameOf, weight }) => {
            const u = graph.sliceChannels(nameOf('u'), x, { start: 0, channels });
            const rest = graph.sliceChannels(nameOf('rest'), x, { start: channels, channels: channels + 2 * states });
            return graph.selectiveScan(nameOf('y'), [u, rest], {
              stateSize: states,
              dtRank: channels,
              dtWeight: weight('dtWeight', [1, channels, channels], (_, { pixel }) => +(pixel % (channels + 1) === 0)),
              dtBias: weight('dtBias', [1, channels], given(deltaBias)),
              aLogs: weight('aLogs', [channels, states], given(A.map((value) => Math.log(-value)))),
              skip: weight('skip', [channels], given(D)),
            });
          },
        },
      });
    }
  }
  return items;
}

describeWithShared('the official scan, by the kernels', [`golden/${name}.safetensors`], () => {
  it.each(['plain', 'relaxed'] as const)('agrees on all cases (%s)', async (build) => {
    await expectOfficialScan(await createCpuExecutor({ build, threads: 2 }));
  });

  describeWithGpu('and on the GPU', () => {
    it('agrees on all cases', async () => {
      await expectOfficialScan(await createGpuExecutor());
    });
  });
});

async function expectOfficialScan(executor: Executor): Promise<void> {
  const items = await loadItems();
  const results = await runCases(
    executor,
    items.map(({ opCase }) => opCase),
  );
  await executor.dispose();
  for (const { opCase, expected } of items) {
    const found = results.get(opCase.id)?.data ?? new Float32Array();
    const [length, channels] = [opCase.width, expected.length / opCase.width];
    const inOrder = expected.map(
      (_, place) => found[(place % length) * channels + Math.floor(place / length)] as number,
    );
    const isZero = expected.every((value) => value === 0);
    const distance = isZero ? Math.max(...inOrder.map(Math.abs)) : relativeDistance(inOrder, expected);
    // The fixture's bounds: of float32, and of its case of hardly any decay.
    const bound = isZero ? 0 : opCase.id.startsWith('case 5') ? 2e-5 : 2e-6;
    expect({ id: opCase.id, distance, isClose: distance <= bound }).toEqual({
      id: opCase.id,
      distance,
      isClose: true,
    });
  }
  expect(items.length).toBeGreaterThanOrEqual(7);
}

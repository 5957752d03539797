import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fakeNetwork, repeatNetwork, toyNetwork } from '../../test/fake-networks.js';
import { goldenTensor, readGoldenTensors } from '../../test/golden-tensors.js';
import { describeWithShared, sharedPath } from '../../test/shared.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Progress, RestoreOptions } from './options.js';
import { restoreTensor } from './restore-tensor.js';
import { selfEnsemble } from './self-ensemble.js';

const seeded = { routing: 'seeded' } as const;

/** The input of the tiling fixtures, by their formula. */
function goldenInput(channels: number, height: number, width: number): Tensor {
  const data = new Float32Array(channels * height * width);
  let at = 0;
  for (let c = 0; c < channels; c += 1) {
    for (let y = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1) {
        data[at] = ((7 * y + 13 * x + 29 * c + ((y * x) % 11)) % 256) / 256;
        at += 1;
      }
    }
  }
  return { shape: [1, channels, height, width], data };
}

function smooth(channels: number, height: number, width: number): Tensor {
  const data = Float32Array.from({ length: channels * height * width }, (_, i) => (i % width) / width / 2 + 0.25);
  return { shape: [1, channels, height, width], data };
}

describeWithShared('official tiling of a toy network', ['golden/tiling'], () => {
  const golden = JSON.parse(readFileSync(sharedPath('golden/tiling/tiling.json')!, 'utf8')) as {
    cases: {
      name: string;
      channels: number;
      height: number;
      width: number;
      scale: number;
      tiles_row_major: [number, number, number, number][];
      output_shape: number[];
      output_sha256_f32le: string;
    }[];
  };

  it.each(golden.cases)('equals the official result of $name to the bit', async (golden) => {
    const network = toyNetwork(golden.channels, golden.scale);
    const input = goldenInput(golden.channels, golden.height, golden.width);
    const output = await restoreTensor(network, input, { tile: 'official', ...seeded });
    expect(output.shape).toEqual([1, ...golden.output_shape]);
    expect(createHash('sha256').update(output.data).digest('hex')).toBe(golden.output_sha256_f32le);
    const tiles = network.runs.map(({ input: tile, options: { routing } }) => {
      const { originX = 0, originY = 0 } = routing as { originX?: number; originY?: number };
      return [originY, originX, originY + tile.shape[2]!, originX + tile.shape[3]!];
    });
    expect(tiles).toEqual(golden.tiles_row_major);
  });

  it('equals the official eight-fold self-ensemble to the bit', async () => {
    const tensors = readGoldenTensors(sharedPath('golden/tiling/self-ensemble-1x6x9-x2.safetensors')!);
    const input = goldenTensor<Float32Array>(tensors, 'input');
    const expected = goldenTensor<Float32Array>(tensors, 'output');
    const reports: Progress[] = [];
    const output = await selfEnsemble(
      toyNetwork(1, 2),
      { shape: [1, ...input.shape], data: input.data },
      {
        tile: 'official',
        ...seeded,
        progress: (progress) => reports.push(progress),
      },
    );
    expect(output.shape).toEqual([1, ...expected.shape]);
    expect(output.data).toEqual(expected.data);
    expect(reports.at(-1)).toEqual({ done: 8, total: 8, unit: 'tiles' });
  });
});

describe('restoreTensor', () => {
  it('joins the tiles of a local network without a trace, for any size, tile and overlap', async () => {
    const anyCase = fc.record({
      height: fc.integer({ min: 1, max: 120 }),
      width: fc.integer({ min: 1, max: 120 }),
      scale: fc.integer({ min: 1, max: 3 }),
      tile: fc.integer({ min: 32, max: 64 }),
      overlap: fc.integer({ min: 0, max: 16 }),
    });
    await fc.assert(
      fc.asyncProperty(anyCase, async ({ height, width, scale, tile, overlap }) => {
        const input = goldenInput(1, height, width);
        const network = repeatNetwork({ channels: 1, scale });
        const tiled = await restoreTensor(network, input, { tile, overlap, ...seeded });
        const whole = await restoreTensor(network, input, { tile: 'whole', ...seeded });
        expect(tiled.shape).toEqual(whole.shape);
        expect(Buffer.compare(Buffer.from(tiled.data.buffer), Buffer.from(whole.data.buffer))).toBe(0);
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  it('shows no step where neighbouring tiles disagree', async () => {
    // each tile is brighter than the one before by 0.2: a hard cut would step by that much
    let runs = 0;
    const network = fakeNetwork({
      channels: 1,
      compute: (input) => {
        const bias = 0.2 * runs;
        runs += 1;
        return { shape: input.shape, data: input.data.map((value) => value + bias) };
      },
    });
    const input = { shape: [1, 1, 32, 160], data: new Float32Array(32 * 160) };
    const { data } = await restoreTensor(network, input, { tile: 64, overlap: 32, ...seeded });
    const steps = Array.from({ length: 159 }, (_, x) => Math.abs(data[x + 1]! - data[x]!));
    expect(runs).toBeGreaterThan(2);
    // the steepest place of a raised cosine over 32 pixels
    expect(Math.max(...steps)).toBeLessThan((0.2 * Math.PI) / 2 / 32 + 1e-3);
  });

  it('tells seeded routing where the tile lies, and argmax nothing', async () => {
    const network = repeatNetwork({ channels: 1 });
    const input = smooth(1, 40, 60);
    await restoreTensor(network, input, { tile: 48, overlap: 8, routing: 'seeded', seed: 7 });
    await restoreTensor(network, input, { tile: 'whole', routing: 'argmax' });
    expect(network.runs.map(({ options }) => options.routing)).toEqual([
      { kind: 'seeded', seed: 7, originX: 0, originY: 0 },
      { kind: 'seeded', seed: 7, originX: 16, originY: 0 },
      { kind: 'argmax' },
    ]);
  });

  it('reports progress in tiles, moving within them', async () => {
    const reports: Progress[] = [];
    const options: RestoreOptions = { tile: 48, overlap: 8, ...seeded, progress: (report) => reports.push(report) };
    await restoreTensor(repeatNetwork({ channels: 1 }), smooth(1, 40, 60), options);
    expect(reports.map(({ done }) => done)).toEqual([0.5, 1, 1.5, 2]);
    expect(reports.every(({ total, unit }) => total === 2 && unit === 'tiles')).toBe(true);
  });

  it.each([
    ['another number of channels', [1, 1, 4, 4]],
    ['a batch', [2, 3, 4, 4]],
    ['no pixels', [1, 3, 0, 4]],
    ['three axes', [3, 4, 4]],
  ])('refuses %s', async (_, shape) => {
    const input = { shape, data: new Float32Array(shape.reduce((count, size) => count * size, 1)) };
    const result = restoreTensor(repeatNetwork(), input, { tile: 'whole', ...seeded });
    await expect(result).rejects.toMatchObject({ code: 'MAMBAIR_SHAPE_MISMATCH' });
  });

  it.each([
    { tile: 31 },
    { tile: 64.5 },
    { overlap: -1 },
    { tile: 64, overlap: 33 },
    { memoryBytes: 0 },
    { seed: -1 },
    { seed: 2 ** 32 },
  ])('refuses the options %j', async (wrong) => {
    const result = restoreTensor(repeatNetwork(), smooth(3, 4, 4), { tile: 'auto', ...seeded, ...wrong });
    await expect(result).rejects.toMatchObject({ code: 'MAMBAIR_OPTION_INVALID' });
  });

  it('refuses a network that is not about pictures', async () => {
    const result = restoreTensor(repeatNetwork({ channels: 4 }), smooth(4, 4, 4), { tile: 'auto', ...seeded });
    await expect(result).rejects.toMatchObject({ code: 'MAMBAIR_OPTION_INVALID' });
  });
});

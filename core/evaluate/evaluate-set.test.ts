import { describe, expect, it } from '@jest/globals';
import { readdirSync } from 'node:fs';
import { fakeNetwork, repeatNetwork } from '../../test/fake-networks.js';
import { describeWithShared, sharedPath } from '../../test/shared.js';
import type { BenchmarkImage } from '../image/benchmark-image.js';
import { readBenchmarkImage } from '../image/benchmark-image.js';
import type { PixelImage } from '../image/pixels.js';
import { tensorPlanes } from '../restore/tensor-tiles.js';
import type { EvaluationImage, ImageScores } from './evaluate-set.js';
import { evaluateSet } from './evaluate-set.js';
import { imresize } from './imresize.js';

const options = { tile: 'official', routing: 'seeded' } as const;

function picture(seed: number, channels: 1 | 3 = 3): BenchmarkImage {
  const data = Uint8Array.from({ length: 24 * 24 * channels }, (_, i) => 128 + 100 * Math.sin(i * seed));
  return { width: 24, height: 24, channels, data };
}

const keep = (gray: PixelImage): Promise<PixelImage> => Promise.resolve(gray);

describe('evaluateSet', () => {
  it('scores each picture as it is done, and gives the unweighted mean', async () => {
    const seen: ImageScores[] = [];
    const images: EvaluationImage[] = [1, 2, 3].map((seed) => ({ name: `picture ${seed}`, hr: picture(seed) }));
    const { mean, images: scored } = await evaluateSet(repeatNetwork(), images, {
      task: { kind: 'denoise', sigma: 25 },
      ...options,
      onImage: (scores) => seen.push(scores),
    });
    expect(seen).toEqual(scored);
    expect(scored.map(({ name }) => name)).toEqual(['picture 1', 'picture 2', 'picture 3']);
    expect(mean.psnrRgb).toBeCloseTo(scored.reduce((sum, { psnrRgb }) => sum + psnrRgb, 0) / 3, 12);
    // the noise itself, clamped and rounded
    expect(mean.psnrRgb).toBeGreaterThan(20);
    expect(mean.psnrRgb).toBeLessThan(21.5);
  });

  it('averages the eight symmetries when asked', async () => {
    const network = repeatNetwork({ channels: 1 });
    const task = { kind: 'denoise', sigma: 0 } as const;
    const { mean } = await evaluateSet(network, [{ name: 'gray', hr: picture(1, 1) }], {
      task,
      ...options,
      selfEnsemble: true,
    });
    expect(mean.psnrY).toBe(Number.POSITIVE_INFINITY);
    expect(network.runs).toHaveLength(8);
  });

  it('gives a colour network the gray picture in all channels, and compares the luma of its output', async () => {
    const network = fakeNetwork({
      scale: 1,
      channels: 3,
      compute: (input) => ({ ...input, data: input.data.map((value, at) => value + (at < 24 * 24 ? 0.1 : 0)) }),
    });
    const hr = { ...picture(1, 1), data: new Uint8Array(24 * 24).fill(100) };
    const { mean } = await evaluateSet(network, [{ name: 'gray', hr }], {
      task: { kind: 'jpeg', quality: 10, encode: keep },
      ...options,
    });
    // red is 25.5 too bright, so luma 0.299 times that, rounded to 8
    expect(mean.psnrY).toBeCloseTo(20 * Math.log10(255 / 8), 6);
    expect(mean.psnrRgb).toBe(mean.psnrY);
  });

  it.each([
    ['a scale of another task', repeatNetwork({ scale: 2 }), { kind: 'upscale', scale: 4 }],
    ['two channels', repeatNetwork({ channels: 2 }), { kind: 'denoise', sigma: 15 }],
  ] as const)('refuses %s', async (_, network, task) => {
    const result = evaluateSet(network, [{ name: 'one', hr: picture(1) }], { task, ...options });
    await expect(result).rejects.toMatchObject({ code: 'MAMBAIR_OPTION_INVALID' });
  });

  it('refuses an empty set', async () => {
    const result = evaluateSet(repeatNetwork(), [], { task: { kind: 'denoise', sigma: 15 }, ...options });
    await expect(result).rejects.toMatchObject({ code: 'MAMBAIR_OPTION_INVALID' });
  });
});

/** A "network" that is bicubic interpolation rounded to 8 bit, the baseline of every table. */
function bicubicNetwork(scale: number) {
  return fakeNetwork({
    scale,
    compute: (input) => {
      const [, channels = 0, height = 0, width = 0] = input.shape;
      const data = new Float32Array(input.data.length * scale * scale);
      for (const [c, plane] of tensorPlanes(input).entries()) {
        const bytes = new Uint8Array(plane.map((value) => Math.fround(value * 255) + 0.5));
        const large = imresize({ width, height, channels: 1, data: bytes }, { scale });
        data.set(
          Float32Array.from(large.data, (value) => value / 255),
          c * large.data.length,
        );
      }
      return { shape: [1, channels, height * scale, width * scale], data };
    },
  });
}

describeWithShared('bicubic interpolation on Set5', ['testsets/Set5'], () => {
  it.each([
    [2, 33.6734, 0.93029],
    [3, 30.4033, 0.86891],
    [4, 28.429, 0.81114],
  ])('scores at ×%i what the official functions measure', async (scale, psnrY, ssimY) => {
    const folder = sharedPath('testsets/Set5')!;
    const images: EvaluationImage[] = [];
    for (const file of readdirSync(`${folder}/HR`)) {
      images.push({ name: file, hr: await readBenchmarkImage(`${folder}/HR/${file}`, 'colour') });
    }
    const { mean } = await evaluateSet(bicubicNetwork(scale), images, {
      task: { kind: 'upscale', scale },
      tile: 'whole',
      routing: 'argmax',
    });
    expect(mean.psnrY).toBeCloseTo(psnrY, 4);
    expect(mean.ssimY).toBeCloseTo(ssimY, 5);
  });
});

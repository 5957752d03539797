import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { goldenTensor, readGoldenTensors } from '../../test/golden-tensors.js';
import { describeWithShared, sharedPath } from '../../test/shared.js';
import { readBenchmarkImage } from '../image/benchmark-image.js';
import { Mt19937 } from './mt19937.js';
import { noisyInput } from './noise.js';

describe('Mt19937', () => {
  it('gives the published sequence of seed 5489', () => {
    // "tempered" output 10 000 of the C++ standard, [rand.predef]
    const generator = new Mt19937(5489);
    const words = Array.from({ length: 10_000 }, () => generator.nextUint32());
    expect(words.at(-1)).toBe(4123659995);
  });
});

describeWithShared('the denoising input', ['golden/denoise-noise'], () => {
  const folder = sharedPath('golden/denoise-noise')!;
  const golden = JSON.parse(readFileSync(`${folder}/denoise-noise.json`, 'utf8')) as Record<string, number[]>;
  const tensors = readGoldenTensors(`${folder}/noise.safetensors`);

  it('draws the words, doubles and normals of NumPy', () => {
    const words = new Mt19937(0);
    expect(golden['u32_first16']!.map(() => words.nextUint32())).toEqual(golden['u32_first16']);
    const doubles = new Mt19937(0);
    expect(golden['double_first16']!.map(() => doubles.nextDouble())).toEqual(golden['double_first16']);
    const normals = new Mt19937(0);
    for (const wanted of golden['standard_normal_first16']!) {
      expect(Math.abs(normals.nextNormal() - wanted)).toBeLessThan(1e-15);
    }
  });

  it.each([15, 25, 50])('equals the official input at sigma %i', async (sigma) => {
    const made = noisyInput(await readBenchmarkImage(`${folder}/gt-24x17.png`, 'colour'), sigma);
    const wanted = goldenTensor<Float32Array>(tensors, `lq_chw_rgb_sigma${sigma}`);
    expect(made.shape).toEqual([1, ...wanted.shape]);
    expect(made.data).toEqual(wanted.data);
  });

  it('equals the official gray input', async () => {
    const made = noisyInput(await readBenchmarkImage(`${folder}/gt-gray-24x17.png`, 'gray'), 25);
    const wanted = goldenTensor<Float32Array>(tensors, 'lq_1hw_gray_sigma25');
    expect(made.shape).toEqual([1, ...wanted.shape]);
    expect(made.data).toEqual(wanted.data);
  });

  it('refuses what the protocol does not define', () => {
    const image = { width: 1, height: 1, channels: 1, data: new Uint8Array(1) } as const;
    const refusal = expect.objectContaining({ code: 'MAMBAIR_OPTION_INVALID' });
    expect(() => noisyInput(image, Number.NaN)).toThrow(refusal);
    expect(() => noisyInput({ ...image, data: new Uint16Array(1) }, 15)).toThrow(refusal);
  });
});

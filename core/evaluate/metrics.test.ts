import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { describeWithShared, sharedPath } from '../../test/shared.js';
import { readBenchmarkImage } from '../image/benchmark-image.js';
import type { PixelImage } from '../image/pixels.js';
import { psnr, psnrB, ssim } from './metrics.js';

interface Values {
  readonly psnr_rgb: number | 'Infinity';
  readonly psnr_y: number | 'Infinity';
  readonly ssim_rgb: number | null;
  readonly ssim_y: number | null;
}

interface MetricCase {
  readonly name: string;
  readonly channels: number;
  readonly ref: string;
  readonly test: string;
  readonly expected: readonly { readonly crop_border: number; readonly float64: Values }[];
  readonly psnrb_border0?: number;
}

describeWithShared('metrics on the golden pairs', ['golden/metrics'], () => {
  const folder = sharedPath('golden/metrics')!;
  const { cases } = JSON.parse(readFileSync(`${folder}/metrics.json`, 'utf8')) as { cases: MetricCase[] };
  const all = cases.flatMap((pair) =>
    pair.expected.flatMap(({ crop_border: cropBorder, float64 }) =>
      (['rgb', 'y'] as const).map((channel) => ({
        ...pair,
        options: { channel, cropBorder },
        wantedPsnr: Number(float64[`psnr_${channel}`]),
        wantedSsim: float64[`ssim_${channel}`],
        title: `${pair.name}, ${channel}, border ${cropBorder}`,
      })),
    ),
  );
  const read = (pair: MetricCase): Promise<[PixelImage, PixelImage]> =>
    Promise.all([
      readBenchmarkImage(`${folder}/${pair.test}`, pair.channels === 1 ? 'gray' : 'colour'),
      readBenchmarkImage(`${folder}/${pair.ref}`, pair.channels === 1 ? 'gray' : 'colour'),
    ]);

  it.each(all)('gives the PSNR of $title', async (pair) => {
    const measured = psnr(...(await read(pair)), pair.options);
    expect(measured === pair.wantedPsnr ? 0 : Math.abs(measured - pair.wantedPsnr)).toBeLessThan(1e-9);
  });

  it.each(all.filter((pair) => pair.wantedSsim !== null))('gives the SSIM of $title', async (pair) => {
    const measured = ssim(...(await read(pair)), pair.options);
    expect(Math.abs(measured - pair.wantedSsim!)).toBeLessThan(1e-9);
  });

  it.each(all.filter((pair) => pair.wantedSsim === null))('has no SSIM for $title', async (pair) => {
    const images = await read(pair);
    expect(() => ssim(...images, pair.options)).toThrow(expect.objectContaining({ code: 'MAMBAIR_METRIC_UNDEFINED' }));
  });

  it.each(cases.filter((pair) => pair.psnrb_border0 !== undefined))('gives the PSNR-B of $name', async (pair) => {
    const measured = psnrB(...(await read(pair)));
    expect(Math.abs(measured - pair.psnrb_border0!)).toBeLessThan(1e-9);
  });
});

describe('metrics', () => {
  const gray = (width: number, height: number): PixelImage => ({
    width,
    height,
    channels: 1,
    data: new Uint8Array(width * height),
  });
  const options = { channel: 'rgb', cropBorder: 0 } as const;

  it('refuses images of different sizes', () => {
    expect(() => psnr(gray(4, 4), gray(4, 5), options)).toThrow(
      expect.objectContaining({ code: 'MAMBAIR_SHAPE_MISMATCH' }),
    );
  });

  it.each([
    ['16-bit images', { width: 2, height: 2, channels: 1, data: new Uint16Array(4) }, options],
    ['alpha', { width: 2, height: 2, channels: 2, data: new Uint8Array(8) }, options],
    ['a border that leaves nothing', gray(4, 9), { channel: 'rgb', cropBorder: 2 }],
  ] as const)('has no value for %s', (_, image, metricOptions) => {
    expect(() => psnr(image, image, metricOptions)).toThrow(
      expect.objectContaining({ code: 'MAMBAIR_METRIC_UNDEFINED' }),
    );
  });

  it('has no PSNR-B for one block or colour', () => {
    expect(() => psnrB(gray(8, 8), gray(8, 8))).toThrow(expect.objectContaining({ code: 'MAMBAIR_METRIC_UNDEFINED' }));
    const colour: PixelImage = { width: 16, height: 16, channels: 3, data: new Uint8Array(768) };
    expect(() => psnrB(colour, colour)).toThrow(expect.objectContaining({ code: 'MAMBAIR_METRIC_UNDEFINED' }));
  });
});

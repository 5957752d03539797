import type { Task } from '../architecture.js';
import type { MambaIRv2Config } from './config.js';

/** A configuration the authors trained or gave training options for. */
export interface PublishedConfiguration {
  /** Name of the authors' option file, e.g. `lightSR_x4`. */
  readonly name: string;
  /** The released weights' file name; undefined where none was released. */
  readonly fileName: string | undefined;
  readonly task: Task;
  readonly config: MambaIRv2Config;
}

const common = {
  inChans: 3,
  windowSize: 16,
  convffnKernelSize: 5,
  qkvBias: true,
  patchNorm: true,
  resiConnection: '1conv',
  imgRange: 1,
} as const;

function light(upscale: number): PublishedConfiguration {
  return {
    name: `lightSR_x${upscale}`,
    fileName: `mambairv2_lightSR_x${upscale}.pth`,
    task: 'upscale',
    config: {
      ...common,
      variant: 'light',
      embedDim: 48,
      depths: [5, 5, 5, 5],
      numHeads: [4, 4, 4, 4],
      dInner: 48,
      dState: 8,
      dtRank: 3,
      numTokens: 64,
      innerRank: 32,
      ffnDim: 48,
      upsampler: 'pixelshuffledirect',
      upscale,
      headFeatures: 0,
    },
  };
}

/** What all classic networks share: mlp_ratio 2, so that the scan and feed-forwards are twice as wide as a token. */
function classic(embedDim: number, depths: readonly number[], heads: number) {
  return {
    ...common,
    variant: 'classic',
    embedDim,
    depths,
    numHeads: depths.map(() => heads),
    dInner: 2 * embedDim,
    dState: 16,
    dtRank: Math.ceil((2 * embedDim) / 16),
    numTokens: 128,
    innerRank: 64,
    ffnDim: 2 * embedDim,
  } as const;
}

function classicSR(
  size: 'Small' | 'Base' | 'Large',
  shape: ReturnType<typeof classic>,
  upscale: number,
): PublishedConfiguration {
  return {
    name: `SR${size === 'Base' ? '' : size}_x${upscale}`,
    fileName: `mambairv2_classicSR_${size}_x${upscale}.pth`,
    task: 'upscale',
    config: { ...shape, upsampler: 'pixelshuffle', upscale, headFeatures: 64 },
  };
}

function restoration(name: string, fileName: string | undefined, task: Task, inChans: number): PublishedConfiguration {
  return {
    name,
    fileName,
    task,
    config: { ...base, inChans, upsampler: '', upscale: 1, headFeatures: 0 },
  };
}

const small = classic(132, [4, 4, 4, 4, 4, 4], 4);
const base = classic(174, [6, 6, 6, 6, 6, 6], 6);
const large = classic(174, [6, 6, 6, 6, 6, 6, 6, 6, 6], 6);

/** The 18 configurations of the authors' option files (csguoh/MambaIR, `options/train/mambairv2`). */
export const publishedConfigurations: readonly PublishedConfiguration[] = [
  ...[2, 3, 4].map(light),
  ...[2, 3, 4].map((upscale) => classicSR('Small', small, upscale)),
  ...[2, 3, 4].map((upscale) => classicSR('Base', base, upscale)),
  ...[2, 3, 4].map((upscale) => classicSR('Large', large, upscale)),
  restoration('ColorDN_level15', 'mambairv2_ColorDN_15.pth', 'denoise', 3),
  restoration('ColorDN_level25', undefined, 'denoise', 3),
  restoration('ColorDN_level50', undefined, 'denoise', 3),
  ...[10, 30, 40].map((quality) => restoration(`CAR_q${quality}`, `mambairv2_jpeg_q${quality}.pth`, 'jpeg', 1)),
];

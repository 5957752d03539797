import type { ModelEntry } from './model-entry.js';

/** Release v1.0 of the authors' GitHub repository, and their mirror of it. */
const sources = [
  'https://github.com/csguoh/MambaIR/releases/download/v1.0',
  'https://huggingface.co/cguoh/MambaIR/resolve/main/MambaIRv2_ckpt',
];

/** The authors publish no checksums; these were computed from files known to be theirs byte for byte. */
const knownChecksums: Readonly<Record<string, string>> = {
  'mambairv2_lightSR_x3.pth': '01f418f30a7205eeee6e48ebf7151556c22f7cd615d8824cb2221ed285f011e9',
};

function published(entry: Omit<ModelEntry, 'origin' | 'urls' | 'sha256' | 'license'>): ModelEntry {
  const sha256 = knownChecksums[entry.file];
  return {
    ...entry,
    origin: 'official',
    license: 'Apache-2.0',
    urls: sources.map((source) => `${source}/${entry.file}`),
    ...(sha256 === undefined ? {} : { sha256 }),
  };
}

function superResolution(size: 'light' | 'Small' | 'Base' | 'Large', description: string): readonly ModelEntry[] {
  const stem = size === 'light' ? 'lightSR' : `classicSR_${size}`;
  const configuration = size === 'light' ? 'lightSR' : `SR${size === 'Base' ? '' : size}`;
  return [2, 3, 4].map((scale) =>
    published({
      id: `mambairv2-${size.toLowerCase()}-x${scale}`,
      task: 'upscale',
      scale,
      channels: 3,
      file: `mambairv2_${stem}_x${scale}.pth`,
      description,
      configuration: `${configuration}_x${scale}`,
    }),
  );
}

function jpegRepair(quality: number): ModelEntry {
  return published({
    id: `mambairv2-jpeg-${quality}`,
    task: 'jpeg',
    scale: 1,
    channels: 1,
    file: `mambairv2_jpeg_q${quality}.pth`,
    description: `MambaIRv2 JPEG repair (luma), quality ${quality}, 23 M parameters`,
    configuration: `CAR_q${quality}`,
    quality,
  });
}

/**
 * The checkpoints of MambaIRv2 (Guo et al., CVPR 2025) that its authors released. For denoising at σ 25 and 50 there
 * are training options, but no released file.
 */
export const officialModels: readonly ModelEntry[] = [
  ...superResolution('light', 'MambaIRv2-light, 0.8 M parameters'),
  ...superResolution('Small', 'MambaIRv2-S, 9.7 M parameters'),
  ...superResolution('Base', 'MambaIRv2-B, 23 M parameters'),
  ...superResolution('Large', 'MambaIRv2-L, 34 M parameters'),
  published({
    id: 'mambairv2-denoise-15',
    task: 'denoise',
    scale: 1,
    channels: 3,
    file: 'mambairv2_ColorDN_15.pth',
    description: 'MambaIRv2 colour denoising, Gaussian noise of σ = 15, 23 M parameters',
    configuration: 'ColorDN_level15',
    sigma: 15,
  }),
  ...[10, 30, 40].map(jpegRepair),
];

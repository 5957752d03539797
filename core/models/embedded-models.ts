import type { ModelEntry } from './model-entry.js';

/**
 * The models that ship with the package, best first: for a task and scale the first match is the default.
 * Weights: `models/<id>.safetensors`; card: `models/<id>.md`. Adding a model is adding those files and one entry here.
 */
export const embeddedModels: readonly ModelEntry[] = [
  {
    id: 'tiny-real-x2',
    origin: 'embedded',
    task: 'upscale',
    scale: 2,
    channels: 3,
    file: 'tiny-real-x2.safetensors',
    description: 'small and quick; for photos and frames as they come: soft, noisy, compressed',
    license: 'Apache-2.0',
  },
  {
    id: 'tiny-x2',
    origin: 'embedded',
    task: 'upscale',
    scale: 2,
    channels: 3,
    file: 'tiny-x2.safetensors',
    description: 'small and quick; for pictures that were reduced cleanly (bicubic)',
    license: 'Apache-2.0',
  },
  {
    id: 'tiny-x3',
    origin: 'embedded',
    task: 'upscale',
    scale: 3,
    channels: 3,
    file: 'tiny-x3.safetensors',
    description: 'small and quick; for pictures that were reduced cleanly (bicubic)',
    license: 'Apache-2.0',
  },
  {
    id: 'tiny-real-x4',
    origin: 'embedded',
    task: 'upscale',
    scale: 4,
    channels: 3,
    file: 'tiny-real-x4.safetensors',
    description: 'small and quick; for photos and frames as they come: soft, noisy, compressed',
    license: 'Apache-2.0',
  },
  {
    id: 'tiny-x4',
    origin: 'embedded',
    task: 'upscale',
    scale: 4,
    channels: 3,
    file: 'tiny-x4.safetensors',
    description: 'small and quick; for pictures that were reduced cleanly (bicubic)',
    license: 'Apache-2.0',
  },
  {
    id: 'tiny-denoise',
    origin: 'embedded',
    task: 'denoise',
    scale: 1,
    channels: 3,
    file: 'tiny-denoise.safetensors',
    description: 'small and quick; Gaussian noise up to sigma 50, found out by itself',
    license: 'Apache-2.0',
  },
  {
    id: 'tiny-jpeg',
    origin: 'embedded',
    task: 'jpeg',
    scale: 1,
    channels: 3,
    file: 'tiny-jpeg.safetensors',
    description: 'small and quick; any JPEG quality from 10, colour',
    license: 'Apache-2.0',
  },
];

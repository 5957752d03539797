import type { ModelEntry } from './model-entry.js';

/**
 * The models that ship with the package, best first: for a task and scale the first match is the default.
 * Weights: `models/<id>.safetensors`; card: `models/<id>.md`. Adding a model is adding those files and one entry here.
 */
export const embeddedModels: readonly ModelEntry[] = [
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
];

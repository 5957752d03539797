import type { ModelEntry } from './model-entry.js';

/**
 * The models that ship with the package, best first: for a task and scale the first match is the default.
 * Weights: `models/<id>.safetensors`; card: `models/<id>.md`. Adding a model is adding those files and one entry here.
 */
export const embeddedModels: readonly ModelEntry[] = [];

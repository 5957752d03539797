import type { ModelEntry } from './model-entry.js';

const identity = (scale: number, description: string): ModelEntry => ({
  id: scale === 1 ? 'identity' : `identity-x${scale}`,
  origin: 'built-in',
  task: 'restore',
  scale,
  channels: 3,
  file: '',
  description,
  license: 'Apache-2.0',
});

/** Models without weights. They are never chosen for a task, only by name. */
export const builtInModels: readonly ModelEntry[] = [
  identity(1, 'changes nothing, to see that nothing else does'),
  identity(2, 'repeats every pixel'),
];

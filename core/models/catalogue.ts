import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { MambairError } from '../errors.js';
import { builtInModels } from './built-in-models.js';
import { embeddedModels } from './embedded-models.js';
import type { ModelEntry, RestorationTask } from './model-entry.js';
import { embeddedModelsFolder, pulledModelsFolder } from './models-folder.js';
import { officialModels } from './official-models.js';

/** A catalogue entry with its place on this machine. */
export interface ListedModel extends ModelEntry {
  /** Absolute path of the weights, whether they are there yet or not; empty for built-in models. */
  readonly path: string;
  /** True when the weights are on this machine. */
  readonly available: boolean;
}

/** What a model is wanted for. */
export interface ModelWish {
  readonly task: RestorationTask;
  /** For `upscale`; 1 for the other tasks. */
  readonly scale: number;
  /** Estimated JPEG quality of the picture, 1…100, for `jpeg`. */
  readonly quality?: number;
}

/** Every model known by name: embedded ones first (best first), then the official ones, then those without weights. */
export function listModels(folder: string = pulledModelsFolder()): readonly ListedModel[] {
  const withWeights = [...embeddedModels, ...officialModels].map((entry) => {
    const path = join(entry.origin === 'embedded' ? embeddedModelsFolder() : folder, entry.file);
    return { ...entry, path, available: existsSync(path) };
  });
  return [...withWeights, ...builtInModels.map((entry) => ({ ...entry, path: '', available: true }))];
}

/** The catalogue entry of an id, or undefined. */
export function findModel(id: string, folder?: string): ListedModel | undefined {
  return listModels(folder).find((entry) => entry.id === id);
}

/**
 * The model to take when the user names none: of those on this machine that do the task at that scale the first
 * (embedded before official, each best first); for JPEG repair the one trained nearest to the quality, or, where
 * the quality is unknown, for the mildest compression. A model for any quality comes before those for one.
 * @throws MAMBAIR_MODEL_NOT_PULLED, naming what to fetch, when none is on this machine; MAMBAIR_MODEL_UNKNOWN when
 * the catalogue has none at all.
 */
export function chooseModel(wish: ModelWish, models: readonly ListedModel[] = listModels()): ListedModel {
  const fitting = models.filter((entry) => entry.task === wish.task && entry.scale === wish.scale);
  const chosen = nearestQuality(
    fitting.filter((entry) => entry.available),
    wish.quality,
  );
  if (chosen !== undefined) {
    return chosen;
  }
  const purpose = wish.task === 'upscale' ? `upscaling ×${wish.scale}` : describeTask[wish.task];
  const fetchable = nearestQuality(fitting, wish.quality);
  if (fetchable !== undefined) {
    throw new MambairError(
      'MAMBAIR_MODEL_NOT_PULLED',
      `no model for ${purpose} is on this machine; fetch one with: mambair models pull ${fetchable.id}`,
      { detail: { id: fetchable.id } },
    );
  }
  const scales = [...new Set(models.filter((entry) => entry.task === wish.task).map((entry) => `×${entry.scale}`))];
  throw new MambairError(
    'MAMBAIR_MODEL_UNKNOWN',
    `no model for ${purpose} is known (there is ${scales.join(', ')}); name one of your own with --model FILE`,
  );
}

const describeTask: Readonly<Record<RestorationTask, string>> = {
  upscale: 'upscaling',
  denoise: 'denoising',
  jpeg: 'JPEG repair',
};

function nearestQuality(models: readonly ListedModel[], quality: number | undefined): ListedModel | undefined {
  const distance = (entry: ListedModel): number =>
    entry.quality === undefined ? -1 : Math.abs(entry.quality - (quality ?? 100));
  let best: ListedModel | undefined;
  for (const entry of models) {
    if (best === undefined || distance(entry) < distance(best)) {
      best = entry;
    }
  }
  return best;
}

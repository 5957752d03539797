import {
  chooseModel,
  MambairError,
  type LoadModelOptions,
  type Model,
  type RestoreFramesOptions,
} from '../../core/index.js';
import type { FilterOptions } from '../command/filter-options.js';

/** What a filter's options ask of the library. */
export interface FilterModel {
  /** A catalogue id or a file. */
  readonly source: string;
  readonly load: LoadModelOptions;
  readonly frames: RestoreFramesOptions;
}

/**
 * The model that a filter's options mean: the named one, else the best for task and scale on this machine.
 * @throws MAMBAIR_OPTION_INVALID, MAMBAIR_MODEL_NOT_PULLED, MAMBAIR_MODEL_UNKNOWN
 */
export function filterModel(options: FilterOptions): FilterModel {
  const { task = 'upscale', scale, quality, model, device, threads, tile, overlap, memory, routing, seed } = options;
  if (options.task !== undefined && task !== 'upscale' && (scale ?? 1) !== 1) {
    throw invalid(`scale=${scale} is for upscaling; task=${task} keeps the size`);
  }
  const wish = { task, scale: task === 'upscale' ? (scale ?? 2) : 1, ...(quality === undefined ? {} : { quality }) };
  return {
    source: model ?? chooseModel(wish).id,
    load: {
      ...(device === undefined ? {} : { device }),
      ...(threads === undefined ? {} : { threads }),
    },
    frames: {
      ...(tile === undefined ? {} : { tile }),
      ...(overlap === undefined ? {} : { overlap }),
      ...(memory === undefined ? {} : { memoryBytes: memory }),
      ...(routing === undefined ? {} : { routing }),
      ...(seed === undefined ? {} : { seed }),
    },
  };
}

/** @throws MAMBAIR_OPTION_INVALID when a loaded model does not do what the options ask */
export function requireFitting({ info }: Model, { scale, task }: Pick<FilterOptions, 'scale' | 'task'>): void {
  if (scale !== undefined && scale !== info.scale) {
    throw invalid(`scale=${scale} does not fit the model ${info.name}, which has scale ${info.scale}`);
  }
  if (task !== undefined && (task === 'upscale') !== info.scale > 1) {
    throw invalid(`task=${task} does not fit the model ${info.name}, which has scale ${info.scale}`);
  }
}

function invalid(message: string): MambairError {
  return new MambairError('MAMBAIR_OPTION_INVALID', message);
}

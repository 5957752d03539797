import { recognise } from '../architectures/architectures.js';
import type { Executor, LoadOptions, Network } from '../executors/executor.js';
import type { Graph } from '../graph/graph.js';
import { MambairError, throwIfCancelled } from '../errors.js';
import type { TensorMap } from '../tensor/tensor.js';
import { findModel } from '../models/catalogue.js';
import { createExecutor } from './executors.js';
import { type PlacedNetwork, placeNetwork, type PlaceOptions } from './place-network.js';
import { Recovery, type RecoveryWays, type Running } from './recovery.js';
import { loadIdentity } from './load-identity.js';
import { LoadedModel, type LoadedModelInfo, type Model } from './model.js';
import { readModelSource } from './model-source.js';

/** How {@link loadModel} reads and places a model. */
export interface LoadModelOptions extends PlaceOptions {
  /** What names and shapes of the tensors cannot tell, by the official option names, e.g. `{ img_range: '255' }`. */
  readonly set?: Readonly<Record<string, string>>;
  /** Which tensors of a checkpoint that holds several sets, e.g. `params_ema`. */
  readonly group?: string;
  /** Leave tensors aside that the network does not use. @default false */
  readonly allowExtra?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Loads a model once, for as many pictures as you like.
 *
 * ```ts
 * await using model = await loadModel('tiny-x2');
 * await model.restoreFile('photo.jpg', 'photo-x2.png');
 * ```
 * @param source a catalogue id such as `tiny-x2` (see {@link listModels}), the path of a `.safetensors` or PyTorch
 * file, or tensors by their official names
 * @throws MAMBAIR_MODEL_UNKNOWN, MAMBAIR_MODEL_NOT_PULLED, MAMBAIR_FILE_NOT_FOUND, MAMBAIR_ARCHITECTURE_UNKNOWN,
 * MAMBAIR_ARCHITECTURE_BROKEN, MAMBAIR_DEVICE_UNAVAILABLE, MAMBAIR_OPTION_INVALID, MAMBAIR_CANCELLED, and the codes of
 * broken checkpoints
 */
export async function loadModel(source: string | TensorMap, options: LoadModelOptions = {}): Promise<Model> {
  const listed = typeof source === 'string' ? findModel(source) : undefined;
  if (listed?.origin === 'built-in') {
    return loadIdentity(listed);
  }
  const { name, tensors, entry, warnings } = await resolveSource(source, options);
  throwIfCancelled(options.signal);
  const { architecture, config, graph, info } = recognise(tensors, {
    overrides: options.set,
    allowExtra: options.allowExtra,
  });
  const placed = await placeNetwork(graph, tensors, options);
  const { reason, warning } = placed;
  return new LoadedModel({
    info: {
      ...info,
      task: entry?.task ?? info.task,
      name,
      architecture,
      config,
      device: placed.executor.name,
      deviceDescription: placed.executor.description,
      ...(reason === undefined ? {} : { deviceReason: reason }),
      ...(warning === undefined ? {} : { deviceWarning: warning }),
      warnings,
      ...(entry === undefined ? {} : { entry }),
    },
    running: new Recovery(placed, recoveryWays(graph, tensors, options, placed)),
  });
}

async function resolveSource(
  source: string | TensorMap,
  options: LoadModelOptions,
): Promise<Pick<LoadedModelInfo, 'name' | 'warnings' | 'entry'> & { readonly tensors: TensorMap }> {
  if (typeof source !== 'string') {
    return { name: 'tensors', tensors: source, warnings: [] };
  }
  const { checkpoint, ...rest } = await readModelSource(source, options);
  return { ...rest, tensors: checkpoint.tensors, warnings: checkpoint.warnings };
}

/** How a network goes on when its device fails. */
function recoveryWays(
  graph: Graph,
  tensors: TensorMap,
  options: LoadModelOptions,
  { executor, reopen }: PlacedNetwork,
): RecoveryWays {
  const load = async (opened: Executor, how?: LoadOptions): Promise<Running> => {
    try {
      return { executor: opened, network: await opened.load(graph, tensors, how) };
    } catch (error) {
      await opened.dispose();
      throw error;
    }
  };
  const onCpu = async (build = options.build) =>
    load(await createExecutor({ ...options, device: 'cpu', ...(build === undefined ? {} : { build }) }));
  if (executor.name === 'reference') {
    return {};
  }
  return {
    ...(reopen === undefined
      ? {}
      : { reopen: async (like) => load(await sameDevice(reopen, like.executor), precisionOf(like.network)) }),
    exactly: async ({ executor: same, network }) =>
      network.precision?.name === 'f16'
        ? { executor: same, network: await same.load(graph, tensors, { precision: 'f32' }) }
        : undefined,
    onCpu,
    ...(options.build === 'plain' ? {} : { plainly: () => onCpu('plain') }),
  };
}

/** So that a network goes on as it ran. */
function precisionOf({ precision }: Network): LoadOptions | undefined {
  return precision && { precision: precision.name };
}

/** Another device would give other values, and a CPU that plays a GPU take for ever. @throws MAMBAIR_DEVICE_UNAVAILABLE */
async function sameDevice(reopen: () => Promise<Executor>, like: Executor): Promise<Executor> {
  const opened = await reopen();
  if (opened.description === like.description) {
    return opened;
  }
  await opened.dispose();
  throw new MambairError(
    'MAMBAIR_DEVICE_UNAVAILABLE',
    `${like.description} is gone, and ${opened.description} is another device`,
  );
}

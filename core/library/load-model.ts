import { recognise } from '../architectures/architectures.js';
import type { Executor, ExecutorName, Network } from '../executors/executor.js';
import type { Graph } from '../graph/graph.js';
import { throwIfCancelled } from '../errors.js';
import type { TensorMap } from '../tensor/tensor.js';
import { findModel } from '../models/catalogue.js';
import { createExecutor } from './executors.js';
import { placeNetwork, type PlaceOptions } from './place-network.js';
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
  const { executor, network, reason, warning } = await placeNetwork(graph, tensors, options);
  return new LoadedModel({
    info: {
      ...info,
      task: entry?.task ?? info.task,
      name,
      architecture,
      config,
      device: executor.name,
      deviceDescription: executor.description,
      ...(reason === undefined ? {} : { deviceReason: reason }),
      ...(warning === undefined ? {} : { deviceWarning: warning }),
      warnings,
      ...(entry === undefined ? {} : { entry }),
    },
    executor,
    network,
    loadSafer: executor.name === 'reference' ? undefined : () => loadSafer(graph, tensors, options, executor.name),
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

/**
 * The path for results that are not finite and for lost devices: after a GPU the CPU, after the CPU its plain kernels,
 * whose products are not fused.
 * Disposing of the network disposes of its executor too.
 */
async function loadSafer(
  graph: Graph,
  tensors: TensorMap,
  options: LoadModelOptions,
  failed: ExecutorName,
): Promise<Network> {
  const build = failed === 'cpu' ? 'plain' : (options.build ?? 'auto');
  const executor: Executor = await createExecutor({ ...options, device: 'cpu', build });
  const network = await executor.load(graph, tensors);
  return {
    scale: network.scale,
    inputChannels: network.inputChannels,
    outputChannels: network.outputChannels,
    plan: (height, width) => network.plan(height, width),
    run: (input, runOptions) => network.run(input, runOptions),
    dispose: () => executor.dispose(),
  };
}

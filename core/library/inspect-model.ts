import { recognise } from '../architectures/architectures.js';
import type { ModelInfo } from '../architectures/architecture.js';
import type { CheckpointFormat } from '../checkpoint/detect-format.js';
import { isMambairError, type MambairError } from '../errors.js';
import type { ListedModel } from '../models/catalogue.js';
import type { DType, TensorMap } from '../tensor/tensor.js';
import { readModelSource } from './model-source.js';

/** What a model file holds, found without running it. */
export interface ModelReport {
  /** The catalogue id or path that was asked for. */
  readonly name: string;
  /** The file that was read. */
  readonly path: string;
  /** How the file is written, found by its content. */
  readonly format: CheckpointFormat;
  /** Keys under which the tensors stood in a PyTorch file, outermost first. */
  readonly group: readonly string[];
  /** Further sets of tensors in the file, by their keys. */
  readonly otherGroups: readonly string[];
  /** Tensors of the group that was read. */
  readonly tensorCount: number;
  /** Bytes of all tensors. */
  readonly tensorBytes: number;
  /** Element types, with the number of tensors of each. */
  readonly dtypes: Readonly<Partial<Record<DType, number>>>;
  /** The `__metadata__` of a safetensors file. */
  readonly metadata: Readonly<Record<string, string>>;
  /** What was odd about the checkpoint, in sentences. */
  readonly warnings: readonly string[];
  /** Its catalogue entry, when it was asked for by id. */
  readonly entry?: ListedModel;
  /** The network, or why it is none that the engine knows. */
  readonly network:
    | { readonly architecture: string; readonly config: Readonly<Record<string, unknown>>; readonly info: ModelInfo }
    | { readonly problem: MambairError };
}

/**
 * Reads a checkpoint and recognises its network.
 * @throws as {@link loadModel}, but an unknown or broken network is reported in `network.problem`
 */
export async function inspectModel(
  source: string,
  options: {
    readonly group?: string;
    readonly set?: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal;
  } = {},
): Promise<ModelReport> {
  const { name, path, checkpoint, entry } = await readModelSource(source, options);
  const { tensors } = checkpoint;
  const dtypes: Partial<Record<DType, number>> = {};
  let tensorBytes = 0;
  for (const { dtype, bytes } of tensors.values()) {
    dtypes[dtype] = (dtypes[dtype] ?? 0) + 1;
    tensorBytes += bytes.length;
  }
  return {
    name,
    path,
    format: checkpoint.format,
    group: checkpoint.group,
    otherGroups: checkpoint.otherGroups,
    tensorCount: tensors.size,
    tensorBytes,
    dtypes,
    metadata: Object.fromEntries(checkpoint.metadata),
    warnings: checkpoint.warnings,
    ...(entry === undefined ? {} : { entry }),
    network: recogniseOrExplain(tensors, options.set),
  };
}

function recogniseOrExplain(
  tensors: TensorMap,
  overrides: Readonly<Record<string, string>> | undefined,
): ModelReport['network'] {
  try {
    const { architecture, config, info } = recognise(tensors, { overrides });
    return { architecture, config, info };
  } catch (error) {
    if (isMambairError(error) && error.code.startsWith('MAMBAIR_ARCHITECTURE_')) {
      return { problem: error };
    }
    throw error;
  }
}

import { stat } from 'node:fs/promises';
import { readCheckpoint, type Checkpoint } from '../checkpoint/read-checkpoint.js';
import { MambairError } from '../errors.js';
import { findModel, type ListedModel } from '../models/catalogue.js';
import { requireWeights, unknownModel } from '../models/pull.js';

/** A checkpoint and where it came from. */
export interface ModelSource {
  /** The catalogue id or the path that was asked for. */
  readonly name: string;
  readonly path: string;
  readonly checkpoint: Checkpoint;
  /** The catalogue entry when it was asked for by id. */
  readonly entry?: ListedModel;
}

/**
 * Reads the checkpoint that a caller means: a catalogue id or a path. An id comes before a file of the same name; write
 * `./name` for the file.
 * @throws MAMBAIR_MODEL_UNKNOWN, MAMBAIR_MODEL_NOT_PULLED, MAMBAIR_OPTION_INVALID, MAMBAIR_FILE_NOT_FOUND and what a checkpoint can raise
 */
export async function readModelSource(
  name: string,
  options: { readonly group?: string | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<ModelSource> {
  const entry = findModel(name);
  if (entry !== undefined) {
    requireWeights(entry);
  }
  if (entry !== undefined && !entry.available) {
    throw notPulled(entry);
  }
  if (entry === undefined && !(await exists(name))) {
    throw missing(name);
  }
  const path = entry?.path ?? name;
  const checkpoint = await readCheckpoint(path, options);
  return { name, path, checkpoint, ...(entry === undefined ? {} : { entry }) };
}

function notPulled(entry: ListedModel): MambairError {
  const message =
    entry.origin === 'embedded'
      ? `the file of the embedded model ${entry.id} is missing (${entry.path}); install the package again`
      : `the model ${entry.id} is not on this machine yet; fetch it with: mambair models pull ${entry.id}`;
  return new MambairError('MAMBAIR_MODEL_NOT_PULLED', message, { detail: { id: entry.id, path: entry.path } });
}

/** A word without slash or dot is more likely a mistyped id than a file that is not there. */
function missing(name: string): MambairError {
  if (!/[/\\.]/.test(name)) {
    return unknownModel(name);
  }
  return new MambairError('MAMBAIR_FILE_NOT_FOUND', `there is no model file ${name}`, { detail: { path: name } });
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

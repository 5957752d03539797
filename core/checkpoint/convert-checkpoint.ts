import { MambairError, throwIfCancelled } from '../errors.js';
import type { FloatDType } from '../tensor/convert.js';
import { countNonFinite, fromFloat32, isFloat, toFloat32 } from '../tensor/convert.js';
import { excerpt, fileError } from '../tensor/file-error.js';
import { encodeSafetensors } from '../tensor/safetensors.js';
import type { StoredTensor } from '../tensor/tensor.js';
import { refuseExisting, writeAside } from '../write-aside.js';
import type { CheckpointFormat } from './detect-format.js';
import type { ReadOptions } from './read-checkpoint.js';
import { readCheckpoint } from './read-checkpoint.js';

/** How to convert a checkpoint. */
export interface ConvertOptions extends ReadOptions {
  /** Type of the floating-point tensors in the result; `keep` leaves each as it is. Default `keep`. */
  readonly dtype?: FloatDType | 'keep' | undefined;
  /** Replace an existing file. Default false. */
  readonly overwrite?: boolean | undefined;
}

/** What a conversion did. */
export interface Conversion {
  /** What the source turned out to be. */
  readonly sourceFormat: CheckpointFormat;
  /** Keys under which the tensors stood, outermost first. */
  readonly group: readonly string[];
  readonly tensorCount: number;
  /** Size of the file written. */
  readonly byteCount: number;
  /** What was odd about the source, in sentences. */
  readonly warnings: readonly string[];
}

/**
 * Writes the weights of any readable checkpoint as a safetensors file. Its metadata keep the source's own and add
 * `source_format` and `source_group`. Integer tensors keep their type.
 * @throws MAMBAIR_OPTION_INVALID when `output` is not called `.safetensors`; MAMBAIR_TENSOR_INVALID when a value is
 * beyond the range of `dtype`; MAMBAIR_FILE_EXISTS, MAMBAIR_FILE_WRITE, and what {@link readCheckpoint} throws
 */
export async function convertCheckpoint(
  input: string,
  output: string,
  options: ConvertOptions = {},
): Promise<Conversion> {
  const { dtype = 'keep', overwrite, signal } = options;
  if (!output.toLowerCase().endsWith('.safetensors')) {
    throw new MambairError(
      'MAMBAIR_OPTION_INVALID',
      `${output}: a checkpoint is written as safetensors; give the file a name that ends in .safetensors`,
      { detail: { file: output } },
    );
  }
  if (overwrite !== true) {
    await refuseExisting(output);
  }
  const checkpoint = await readCheckpoint(input, options);
  const tensors = new Map<string, StoredTensor>();
  for (const [name, stored] of checkpoint.tensors) {
    throwIfCancelled(signal);
    tensors.set(name, dtype === 'keep' ? stored : convertTensor(stored, dtype, { input, name }));
  }
  const metadata = new Map(checkpoint.metadata).set('format', 'pt').set('source_format', checkpoint.format);
  if (checkpoint.group.length > 0) {
    metadata.set('source_group', checkpoint.group.join('.'));
  }
  const bytes = encodeSafetensors(tensors, metadata);
  throwIfCancelled(signal);
  await writeAside(output, bytes, { overwrite });
  return {
    sourceFormat: checkpoint.format,
    group: checkpoint.group,
    tensorCount: tensors.size,
    byteCount: bytes.length,
    warnings: checkpoint.warnings,
  };
}

function convertTensor(
  stored: StoredTensor,
  dtype: FloatDType,
  { input, name }: { readonly input: string; readonly name: string },
): StoredTensor {
  if (!isFloat(stored.dtype) || stored.dtype === dtype) {
    return stored;
  }
  const converted = fromFloat32(toFloat32(stored), stored.shape, dtype);
  const overflown = countNonFinite(converted) - countNonFinite(stored);
  if (overflown > 0) {
    throw fileError(
      'MAMBAIR_TENSOR_INVALID',
      input,
      `tensor ${excerpt(name)} has ${overflown} values that ${dtype} cannot hold; keep ${stored.dtype} or choose F32`,
      { tensor: name.slice(0, 200) },
    );
  }
  return converted;
}

import { MambairError } from '../errors.js';
import type { TensorMap } from '../tensor/tensor.js';
import type { Architecture, RecogniseOptions, RecognisedModel } from './architecture.js';
import { firstFew, quoted } from './checkpoint-problems.js';
import { foreignNetwork } from './foreign.js';
import { mambairv2 } from './mambairv2/mambairv2.js';

/** Every architecture the engine runs. A new one is a folder and a line here. */
export const architectures: readonly Architecture[] = [mambairv2];

/**
 * Finds out which network a checkpoint holds, from names and shapes of its tensors alone, and builds its graph.
 * Weights may be F64, F32, F16 or BF16. Wrappers (`params`, `module.`) must have been taken off before.
 * @throws MAMBAIR_ARCHITECTURE_UNKNOWN naming the closest architecture and what is missing;
 * MAMBAIR_ARCHITECTURE_BROKEN naming the tensors at fault; MAMBAIR_OPTION_INVALID for an override it does not know.
 */
export function recognise(tensors: TensorMap, options: RecogniseOptions = {}): RecognisedModel {
  const architecture = architectures.find((candidate) => candidate.matches(tensors));
  if (architecture === undefined) {
    throw unknownArchitecture(tensors);
  }
  const foreignOption = Object.keys(options.overrides ?? {}).find((name) => !architecture.overridable.includes(name));
  if (foreignOption !== undefined) {
    throw new MambairError(
      'MAMBAIR_OPTION_INVALID',
      `${architecture.title} has no setting ${quoted(foreignOption)}; it has: ${architecture.overridable.join(', ')}`,
      { detail: { option: foreignOption } },
    );
  }
  return architecture.recognise(tensors, options);
}

/** A key with its numbers left out: the same layer of any block. */
function pattern(key: string): string {
  return key.replace(/\d+/g, '#');
}

function unknownArchitecture(tensors: TensorMap): MambairError {
  const found = new Set([...tensors.keys()].map(pattern));
  let closest = { title: '', share: -1, missing: [] as string[] };
  for (const architecture of architectures) {
    for (const keys of architecture.typicalKeys()) {
      const examples = new Map([...keys].map((key) => [pattern(key), key]).reverse() as [string, string][]);
      const missing = [...examples].filter(([name]) => !found.has(name)).map(([, key]) => key);
      const share = 1 - missing.length / examples.size;
      if (share > closest.share) {
        closest = { title: architecture.title, share, missing: missing.reverse() };
      }
    }
  }
  const foreign = foreignNetwork(tensors);
  const percent = Math.round(100 * closest.share);
  return new MambairError(
    'MAMBAIR_ARCHITECTURE_UNKNOWN',
    `${foreign === undefined ? 'no known network has these tensors' : `this looks like ${foreign}, which is not supported`}; ` +
      `the closest architecture is ${closest.title} (${percent} % of its layers are there); ` +
      `missing: ${firstFew(closest.missing.map(quoted))}. ` +
      `Supported: ${architectures.map(({ title }) => title).join(', ')}`,
    {
      detail: {
        closest: closest.title,
        missing: closest.missing,
        ...(foreign === undefined ? {} : { foreign }),
      },
    },
  );
}

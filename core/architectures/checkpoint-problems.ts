import { MambairError } from '../errors.js';
import type { TensorMap } from '../tensor/tensor.js';

const floatTypes = new Set(['F64', 'F32', 'F16', 'BF16']);

/** How many problems a message spells out; the error's detail names all. */
const shown = 5;

/** A tensor name for a message: in quotes, invisible and control characters escaped, not endless. */
export function quoted(key: string): string {
  const escaped = (character: string) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  return JSON.stringify(key.length > 120 ? `${key.slice(0, 117)}...` : key).replace(/\p{C}/gu, escaped);
}

/** A sentence part that lists the first few of many. */
export function firstFew(items: readonly string[]): string {
  const rest = items.length - shown;
  return items.slice(0, shown).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

/** What is wrong with a checkpoint, by tensor. */
export interface CheckpointProblems {
  readonly missing: readonly string[];
  /** `"key" has shape [2], expected [3]` and the like. */
  readonly misshaped: readonly string[];
  readonly unknown: readonly string[];
}

/**
 * Compares a file's tensors with the list its architecture asks for. Weights may be of any floating-point type.
 * `ignored` are names of tensors that may be there and are not used.
 */
export function findProblems(
  tensors: TensorMap,
  expected: ReadonlyMap<string, readonly number[]>,
  ignored: ReadonlySet<string>,
): CheckpointProblems {
  const missing: string[] = [];
  const misshaped: string[] = [];
  for (const [key, shape] of expected) {
    const found = tensors.get(key);
    if (found === undefined) {
      missing.push(key);
    } else if (found.shape.join() !== shape.join()) {
      misshaped.push(`${quoted(key)} has shape [${found.shape.join(', ')}], expected [${shape.join(', ')}]`);
    } else if (!floatTypes.has(found.dtype)) {
      misshaped.push(`${quoted(key)} holds ${found.dtype}, expected floating-point numbers`);
    }
  }
  const unknown = [...tensors.keys()].filter((key) => !expected.has(key) && !ignored.has(key));
  return { missing, misshaped, unknown };
}

/** True when anything is wrong. */
export function hasProblems({ missing, misshaped, unknown }: CheckpointProblems): boolean {
  return missing.length + misshaped.length + unknown.length > 0;
}

/** The error of a checkpoint that claims to be of an architecture and is not complete. */
export function brokenCheckpoint(title: string, problems: Partial<CheckpointProblems> & { readonly reason?: string }) {
  const { reason, missing = [], misshaped = [], unknown = [] } = problems;
  const parts = [
    ...(reason === undefined ? [] : [reason]),
    ...(missing.length > 0 ? [`missing: ${firstFew(missing.map(quoted))}`] : []),
    ...(misshaped.length > 0 ? [`wrong: ${firstFew(misshaped)}`] : []),
    ...(unknown.length > 0 ? [`not part of the network: ${firstFew(unknown.map(quoted))}`] : []),
  ];
  return new MambairError(
    'MAMBAIR_ARCHITECTURE_BROKEN',
    `the checkpoint looks like ${title} but is not a complete one (${parts.join('; ')}); get the file again or check how it was written`,
    { detail: { architecture: title, missing, misshaped, unknown } },
  );
}

import { MambairError } from '../errors.js';
import { excerpt, excerptList, fileError } from '../tensor/file-error.js';
import type { PickleDict, PickleTensor, PickleValue } from './pickle-values.js';
import { describeValue, ofKind } from './pickle-values.js';

/** The tensors chosen from the object that a PyTorch file holds. */
export interface TensorGroup {
  /** Keys that lead to the tensors: one name, or none when they stand at the top level. */
  readonly path: readonly string[];
  readonly tensors: ReadonlyMap<string, PickleTensor>;
  /** Names of the other groups that hold tensors. */
  readonly otherGroups: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Names under which training code keeps weights, the one to prefer first. The official test scripts of MambaIR read
 * `params`; `params_ema` holds a moving average of them.
 */
const preferredGroups = ['params', 'params_ema', 'state_dict', 'model_state_dict', 'model'];

/** What the caller writes to ask for the tensors at the top level. */
const topLevel = '';

/**
 * Chooses the tensors of a file: those at the top level when there is nothing else, else a named group one level below.
 * Deeper levels are never searched. `group` is the caller's choice; `''` means the top level.
 * @throws MAMBAIR_NO_TENSORS when there are none; MAMBAIR_OPTION_INVALID when `group` names none, or several groups
 * remain and the caller must choose
 */
export function selectGroup(root: PickleValue, fileName: string, group?: string): TensorGroup {
  const dict = ofKind(root, 'dict');
  if (dict === undefined) {
    throw fileError(
      'MAMBAIR_NO_TENSORS',
      fileName,
      `expected a dict of named tensors, but the file holds ${describeValue(root)}; save a state_dict()`,
    );
  }
  const groups = findGroups(dict);
  const name = group ?? choose(groups, dict, fileName);
  const chosen = groups.get(name);
  if (chosen === undefined) {
    throw new MambairError(
      'MAMBAIR_OPTION_INVALID',
      `${fileName}: has no tensors in group ${excerpt(name)}; ${listGroups(groups)}`,
      { detail: { file: fileName, group: name } },
    );
  }
  const path = name === topLevel ? [] : [name];
  const otherGroups = [...groups.keys()].filter((other) => other !== name && other !== topLevel);
  return { path, otherGroups, ...takeTensors(chosen, path) };
}

function findGroups(root: PickleDict): ReadonlyMap<string, PickleDict> {
  // One dict can stand under many names: look into each only once.
  const known = new Map<PickleDict, boolean>();
  const isGroup = (dict: PickleDict): boolean => {
    const holds = known.get(dict) ?? holdsTensors(dict);
    known.set(dict, holds);
    return holds;
  };
  const groups = new Map<string, PickleDict>();
  for (const [name, value] of root.entries) {
    const dict = ofKind(value, 'dict');
    if (dict !== undefined && name !== topLevel && isGroup(dict)) {
      groups.set(name, dict);
    }
  }
  if (isGroup(root)) {
    groups.set(topLevel, root);
  }
  return groups;
}

function holdsTensors(dict: PickleDict): boolean {
  for (const value of dict.entries.values()) {
    if (ofKind(value, 'tensor') !== undefined) {
      return true;
    }
  }
  return false;
}

function choose(groups: ReadonlyMap<string, PickleDict>, root: PickleDict, fileName: string): string {
  const preferred = preferredGroups.find((name) => groups.has(name));
  if (preferred !== undefined) {
    return preferred;
  }
  const [only, ...others] = groups.keys();
  if (only === undefined) {
    const names = root.entries.size === 0 ? 'is empty' : `has the keys ${excerptList([...root.entries.keys()])}`;
    throw fileError(
      'MAMBAIR_NO_TENSORS',
      fileName,
      `expected named tensors at the top level or one level below, but the top level ${names} and they hold none`,
    );
  }
  if (others.length > 0) {
    throw new MambairError('MAMBAIR_OPTION_INVALID', `${fileName}: choose a group; ${listGroups(groups)}`, {
      detail: { file: fileName },
    });
  }
  return only;
}

function listGroups(groups: ReadonlyMap<string, PickleDict>): string {
  return groups.size === 0 ? 'the file has none' : `the file has ${excerptList([...groups.keys()])}`;
}

function takeTensors(dict: PickleDict, path: readonly string[]): Pick<TensorGroup, 'tensors' | 'warnings'> {
  const tensors = new Map<string, PickleTensor>();
  const skipped: string[] = [];
  for (const [name, value] of dict.entries) {
    const tensor = ofKind(value, 'tensor');
    if (tensor === undefined) {
      skipped.push(name);
    } else {
      tensors.set(name, tensor);
    }
  }
  const count = skipped.length + dict.otherKeys;
  const where = path.length === 0 ? 'the top level' : `group ${excerpt(path.join('.'))}`;
  const names = skipped.length === 0 ? 'their keys are not text' : excerptList(skipped);
  const warnings = count === 0 ? [] : [`skipped ${count} entries of ${where} that are no named tensors: ${names}`];
  return { tensors, warnings };
}

/**
 * Removes the `module.` that DataParallel puts before every name.
 * @throws MAMBAIR_TENSOR_INVALID when two names become equal
 */
export function stripModulePrefix<Value>(named: ReadonlyMap<string, Value>, fileName: string): Map<string, Value> {
  const prefix = 'module.';
  const stripped = new Map<string, Value>();
  for (const [name, value] of named) {
    const bare = name.startsWith(prefix) ? name.slice(prefix.length) : name;
    if (stripped.has(bare)) {
      throw fileError(
        'MAMBAIR_TENSOR_INVALID',
        fileName,
        `tensor ${excerpt(bare)} stands in the file twice, with and without the prefix ${prefix}`,
      );
    }
    stripped.set(bare, value);
  }
  return stripped;
}

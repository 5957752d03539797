import { readdir, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { imageFormatOfPath, MambairError } from '../core/index.js';

/** A file to work on. */
export interface InputFile {
  /** As it should be shown and opened. */
  readonly path: string;
  /** Its place below the folder or glob it was found by, kept in an output folder; the bare name for a named file. */
  readonly relative: string;
  /** True when the user named this very file. */
  readonly named: boolean;
}

/** What the arguments of a command come to. */
export interface Inputs {
  readonly files: readonly InputFile[];
  /** Arguments that led to nothing, with the reason. */
  readonly failures: readonly { readonly path: string; readonly error: MambairError }[];
}

/**
 * Resolves files, folders (searched to any depth) and globs (`*`, `?`, `[a-z]`, `{a,b}`, `**`) to picture files, each
 * once, in the order of the arguments and sorted within one. Hidden entries are skipped, and so is `exclude`, the
 * output folder: a second run must not take the results of the first for inputs.
 */
export async function findInputs(args: readonly string[], exclude?: string): Promise<Inputs> {
  const files = new Map<string, InputFile>();
  const failures: { path: string; error: MambairError }[] = [];
  const excluded = exclude === undefined ? undefined : resolve(exclude);
  for (const argument of args) {
    const found = await findOne(argument, excluded);
    for (const file of found) {
      files.set(resolve(file.path), files.get(resolve(file.path)) ?? file);
    }
    if (found.length === 0) {
      failures.push({ path: argument, error: await nothingFound(argument) });
    }
  }
  return { files: [...files.values()], failures };
}

async function findOne(argument: string, excluded: string | undefined): Promise<InputFile[]> {
  const kind = await kindOf(argument);
  if (kind === 'file') {
    return [{ path: argument, relative: baseName(argument), named: true }];
  }
  if (kind === 'folder') {
    return walk(argument, argument, excluded, (name) => isPicture(name));
  }
  if (!/[*?[{]/.test(argument)) {
    return [];
  }
  const base = globBase(argument);
  const pattern = globPattern(argument.slice(base === '.' ? 0 : base.length + 1).replaceAll('\\', '/'));
  return walk(base, base, excluded, (name) => pattern.test(name) && isPicture(name));
}

async function nothingFound(argument: string): Promise<MambairError> {
  const kind = await kindOf(argument);
  const message =
    kind === 'folder'
      ? `the folder ${argument} holds no picture (PNG, JPEG, WebP, TIFF, AVIF, GIF)`
      : /[*?[{]/.test(argument)
        ? `no picture matches ${argument}`
        : `there is no file or folder ${argument}`;
  return new MambairError('MAMBAIR_FILE_NOT_FOUND', message, { detail: { path: argument } });
}

async function kindOf(path: string): Promise<'file' | 'folder' | 'none'> {
  return stat(path).then(
    (entry) => (entry.isDirectory() ? 'folder' : 'file'),
    () => 'none',
  );
}

async function walk(
  folder: string,
  root: string,
  excluded: string | undefined,
  fits: (relativePath: string) => boolean,
): Promise<InputFile[]> {
  if (folder !== root && resolve(folder) === excluded) {
    return [];
  }
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const found: InputFile[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.name.startsWith('.')) {
      continue;
    }
    if (entry.isDirectory()) {
      found.push(...(await walk(path, root, excluded, fits)));
    } else {
      const below = relative(root, path).split(sep).join('/');
      if (fits(below)) {
        found.push({ path, relative: below, named: false });
      }
    }
  }
  return found;
}

function baseName(path: string): string {
  return path.slice(path.length - relative(dirname(path), path).length);
}

/** Whether a file found in a folder is meant; one that is named outright may have any name. */
function isPicture(name: string): boolean {
  return imageFormatOfPath(name) !== undefined;
}

/** The folder above the first part that holds a wildcard. */
function globBase(glob: string): string {
  const parts = glob.split(/[/\\]/);
  const fixed = parts.slice(
    0,
    parts.findIndex((part) => /[*?[{]/.test(part)),
  );
  return fixed.length === 0 ? '.' : fixed.join('/');
}

function globPattern(glob: string): RegExp {
  const source = glob.replaceAll(
    /\*\*\/|\*\*|\*|\?|\[[^\]]+\]|\{[^}]*\}|[.+^${}()|[\]\\]/g,
    (token) =>
      globTokens[token] ??
      (token.startsWith('[') && token.length > 2
        ? token.replace('[!', '[^').replaceAll('\\', '\\\\')
        : token.startsWith('{')
          ? `(?:${token.slice(1, -1).split(',').map(escape).join('|')})`
          : `\\${token}`),
  );
  return new RegExp(`^${source}$`, process.platform === 'win32' ? 'i' : '');
}

const globTokens: Readonly<Record<string, string>> = { '**/': '(?:.*/)?', '**': '.*', '*': '[^/]*', '?': '[^/]' };

function escape(literal: string): string {
  return literal.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll(String.raw`\*`, '[^/]*');
}

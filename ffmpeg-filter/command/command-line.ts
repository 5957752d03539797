import { bareName, optionKind } from './ffmpeg-options.js';

/** One option as it stands in a command line. */
export interface Option {
  /** Without the leading `-`, with its specifier: `c:v:0`. */
  readonly name: string;
  /** What follows the first `:` of the name, `''` without one. */
  readonly specifier: string;
  readonly value: string | undefined;
  /** The words it was read from, in order. */
  readonly words: readonly string[];
  /** Place of the first of them. */
  readonly at: number;
}

/** An input or output: its options, then its address. */
export interface FileGroup {
  readonly options: readonly Option[];
  readonly url: string;
  /** `-i url`, `url`, or `-- url`, where the address may start with `-`. */
  readonly words: readonly string[];
  readonly at: number;
}

/** A command line of ffmpeg, without the program's name. */
export interface Command {
  /** Options that hold for all files, wherever they stood. */
  readonly globals: readonly Option[];
  readonly inputs: readonly FileGroup[];
  readonly outputs: readonly FileGroup[];
  /** Loopback decoders (`-dec`, ffmpeg 7.1 on). */
  readonly decoders: readonly FileGroup[];
  /** Options after the last file: ffmpeg warns of them and goes on. */
  readonly trailing: readonly Option[];
}

/** Reads a command line as ffmpeg does (fftools, `split_commandline`). Never fails: what ffmpeg refuses it says itself. */
export function parseCommand(argv: readonly string[]): Command {
  const globals: Option[] = [];
  const groups = { input: [] as FileGroup[], output: [] as FileGroup[], decoder: [] as FileGroup[] };
  let pending: Option[] = [];
  const close = (kind: keyof typeof groups, url: string, at: number, taken: readonly string[]): void => {
    groups[kind].push({ options: pending, url, words: taken, at });
    pending = [];
  };
  for (let at = 0; at < argv.length; ) {
    const word = argv[at] ?? '';
    const next = argv[at + 1];
    if (!word.startsWith('-') || word === '-') {
      close('output', word, at, [word]);
      at += 1;
    } else if (word === '--' && next !== undefined) {
      close('output', next, at, [word, next]);
      at += 2;
    } else if ((word === '-i' || word === '-dec') && next !== undefined) {
      close(word === '-i' ? 'input' : 'decoder', next, at, [word, next]);
      at += 2;
    } else {
      const name = word.slice(1);
      const { takes, scope } = optionKind(name);
      const value = takes === 'nothing' ? undefined : next;
      const taken = value === undefined ? [word] : [word, value];
      const option = { name, specifier: name.slice(bareName(name).length + 1), value, words: taken, at };
      (scope === 'file' ? pending : globals).push(option);
      at += taken.length;
    }
  }
  return {
    globals,
    inputs: groups.input,
    outputs: groups.output,
    decoders: groups.decoder,
    trailing: pending,
  };
}

/** Everything of a command in the order in which it was written: options and files alike. */
export function commandParts(command: Command): readonly { readonly words: readonly string[]; readonly at: number }[] {
  const files = [...command.inputs, ...command.outputs, ...command.decoders];
  return [...command.globals, ...command.trailing, ...files, ...files.flatMap(({ options }) => options)]
    .map(({ words, at }) => ({ words, at }))
    .sort((one, other) => one.at - other.at);
}

/** The last value of an option of a file, by any of its names; undefined when it is not given. */
export function lastValue(file: FileGroup, ...names: readonly string[]): string | undefined {
  return file.options.findLast(({ name }) => names.includes(name))?.value;
}

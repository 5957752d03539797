import { flag, parseOptions, usageError } from './options.js';
import type { OptionTable, OptionValues } from './options.js';
import type { ExitCode } from './exit-codes.js';

/** A stream that text goes to; `isTTY` and `columns` as Node's terminals have them. */
export interface TextStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** What a command sees of the process around it. */
export interface CommandContext {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborted on Ctrl-C. */
  readonly signal: AbortSignal;
  /** Asks for so much time between Ctrl-C and the end of the process, to leave files in order. */
  readonly takeTimeToStop?: (milliseconds: number) => void;
}

/** A command as the table of commands holds it; options are typed inside {@link defineCommand}. */
export interface Command {
  /** The words after `mambair`, e.g. `models pull`. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What follows the name, e.g. `<files…> -o <file|folder> [options]`. */
  readonly usage: string;
  /** Paragraphs below the options, e.g. examples. */
  readonly notes?: string;
  readonly options: OptionTable;
  /** True when every word after the name is the command's own, `--help` and `--version` behind others too. */
  readonly takesAllWords?: true;
  /** Parses the arguments after the name and runs; gives the exit code, as {@link ExitCode} lists them or a program's. */
  readonly run: (args: readonly string[], context: CommandContext) => Promise<number>;
}

/** Options that every command has; the dispatcher acts on them before a command runs. */
export const commonOptions = {
  help: flag('show this help', 'h'),
  version: flag('show the version'),
} as const;

/** What a command's own part is given. */
export interface CommandInput<Table extends OptionTable> {
  readonly options: OptionValues<Table>;
  readonly positionals: readonly string[];
  readonly context: CommandContext;
}

/** Makes a command from its description and a function with typed options. */
export function defineCommand<Table extends OptionTable>(description: {
  readonly name: string;
  readonly summary: string;
  readonly usage: string;
  readonly notes?: string;
  readonly options: Table;
  /** How many positional arguments fit. */
  readonly positionals: { readonly least: number; readonly most: number; readonly missing: string };
  readonly run: (input: CommandInput<Table>) => Promise<ExitCode>;
}): Command {
  const { run, positionals: count, ...rest } = description;
  return {
    ...rest,
    run: async (args, context) => {
      const { options, positionals } = parseOptions({ ...description.options, ...commonOptions }, args);
      if (positionals.length < count.least) {
        throw usageError(`${count.missing}; usage: mambair ${rest.name} ${rest.usage}`);
      }
      if (positionals.length > count.most) {
        throw usageError(
          `"${positionals[count.most]}" is one argument too many; usage: mambair ${rest.name} ${rest.usage}`,
        );
      }
      // The common options are in the parsed values too; commands do not look at them.
      return run({ options: options as unknown as OptionValues<Table>, positionals, context });
    },
  };
}

import { parseArgs } from 'node:util';
import { MambairError, nearestName } from '../core/index.js';

/** One command-line option: how its value is written, shown and read. */
export interface Option<Value> {
  /** Stands for the value in help, e.g. `FILE`; absent for flags, which take none. */
  readonly placeholder?: string;
  readonly help: string;
  readonly short?: string;
  /** May be given several times; the values are collected. */
  readonly repeatable: boolean;
  /** Value when the option is not given. */
  readonly initial: Value;
  /** Adds one written value (`''` for a flag) to what was collected so far. Throws a plain Error that says what fits. */
  read(this: void, text: string, soFar: Value): Value;
}

/** The options of a command by their long names. */
export type OptionTable = Readonly<Record<string, Option<unknown>>>;

/** The values of an option table. */
export type OptionValues<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends Option<infer Value> ? Value : never;
};

/** `--quiet` */
export function flag(help: string, short?: string): Option<boolean> {
  return { help, ...(short === undefined ? {} : { short }), repeatable: false, initial: false, read: () => true };
}

/** `--model FILE`, with an optional reader that refuses what does not fit by throwing. */
export function text(placeholder: string, help: string, short?: string): Option<string | undefined> {
  return value(placeholder, help, (written) => written, short);
}

/** `--device auto|cpu|reference` */
export function choice<const Name extends string>(names: readonly Name[], help: string): Option<Name | undefined> {
  return value(names.join('|'), help, (written) => oneOf(names, written));
}

/** `--seed N`: a whole number in a range, both ends included. */
export function integer(
  range: { readonly least: number; readonly most: number },
  help: string,
): Option<number | undefined> {
  return value('N', help, (written) => wholeNumber(written, range));
}

/** An option with one value, read by a function of its own. */
export function value<Value>(
  placeholder: string,
  help: string,
  read: (written: string) => Value,
  short?: string,
): Option<Value | undefined> {
  return { placeholder, help, ...(short === undefined ? {} : { short }), repeatable: false, initial: undefined, read };
}

/** An option that may be repeated. */
export function list(placeholder: string, help: string): Option<readonly string[]> {
  return {
    placeholder,
    help,
    repeatable: true,
    initial: [],
    read: (written, soFar) => [...soFar, written],
  };
}

/** Reads one of some names. Throws a plain Error that lists them. */
export function oneOf<Name extends string>(names: readonly Name[], written: string): Name {
  const name = names.find((each) => each === written);
  if (name === undefined) {
    const nearest = nearestName(written, names);
    throw new Error(`one of ${names.join(', ')}${nearest === undefined ? '' : ` (did you mean ${nearest}?)`}`);
  }
  return name;
}

/** Reads a whole number in a range. Throws a plain Error that tells the range. */
export function wholeNumber(written: string, range: { readonly least: number; readonly most: number }): number {
  const number = Number(written);
  if (!/^[+-]?\d+$/.test(written) || !Number.isSafeInteger(number) || number < range.least || number > range.most) {
    throw new Error(`a whole number from ${range.least} to ${range.most}`);
  }
  return number;
}

/** A wrong command line: exit code 2. */
export function usageError(message: string): MambairError {
  return new MambairError('MAMBAIR_OPTION_INVALID', message);
}

/**
 * Reads the arguments after the command's name by its option table.
 * @throws MAMBAIR_OPTION_INVALID for an unknown option (naming the nearest), a missing or a wrong value.
 */
export function parseOptions<Table extends OptionTable>(
  table: Table,
  args: readonly string[],
): { readonly options: OptionValues<Table>; readonly positionals: readonly string[] } {
  const config = Object.fromEntries(
    Object.entries(table).map(([name, option]) => [
      name,
      {
        type: option.placeholder === undefined ? ('boolean' as const) : ('string' as const),
        multiple: true,
        ...(option.short === undefined ? {} : { short: option.short }),
      },
    ]),
  );
  const { tokens } = parseArgs({
    args: [...args],
    options: config,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values: Record<string, unknown> = Object.fromEntries(
    Object.entries(table).map(([name, option]) => [name, option.initial]),
  );
  const seen = new Set<string>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') {
      positionals.push(token.value);
    } else if (token.kind === 'option') {
      const option = Object.hasOwn(table, token.name) ? table[token.name] : undefined;
      if (option === undefined) {
        throw unknownOption(token.rawName, Object.keys(table));
      }
      if (seen.has(token.name) && !option.repeatable && option.placeholder !== undefined) {
        throw usageError(`${token.rawName} may be given only once`);
      }
      seen.add(token.name);
      values[token.name] = readValue(option, token.rawName, token.value, values[token.name]);
    }
  }
  // The reader of each option returned what its type says.
  return { options: values as OptionValues<Table>, positionals };
}

function readValue(option: Option<unknown>, name: string, written: string | undefined, soFar: unknown): unknown {
  if (option.placeholder === undefined) {
    if (written !== undefined) {
      throw usageError(`${name} takes no value, but "${written}" was given`);
    }
    return option.read('', soFar);
  }
  if (written === undefined || written === '') {
    throw usageError(`${name} needs a value: ${name} ${option.placeholder}`);
  }
  try {
    return option.read(written, soFar);
  } catch (error) {
    throw usageError(`${name} should be ${(error as Error).message}, not "${written}"`);
  }
}

function unknownOption(rawName: string, names: readonly string[]): MambairError {
  const nearest = nearestName(rawName.replace(/^-+/, ''), names);
  const hint = nearest === undefined ? 'see --help' : `did you mean --${nearest}?`;
  return usageError(`there is no option ${rawName}; ${hint}`);
}

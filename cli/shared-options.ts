import { flag, list, usageError } from './options.js';

/** Options that several commands have, in one wording. */
export const setOption = list('KEY=VALUE', 'what the file cannot tell, by official option name, e.g. img_range=255');
export const jsonOption = flag('one JSON object a line on standard output (docs/json.md)');
export const quietOption = flag('print nothing but errors', 'q');

/** Reads `KEY=VALUE` pairs. @throws MAMBAIR_OPTION_INVALID */
export function readSettings(pairs: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, key, setting] = /^([^=]+)=(.*)$/.exec(pair) ?? [];
      if (key === undefined || setting === undefined) {
        throw usageError(`--set should be KEY=VALUE, not "${pair}"`);
      }
      return [key, setting];
    }),
  );
}

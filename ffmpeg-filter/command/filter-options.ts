import { MambairError, nearestName } from '../../core/index.js';
import { splitArguments } from './filter-graph.js';

/** The names under which our filter stands in a graph; they mean the same. */
export const filterNames = ['mambairv2', 'mambair', 'mair'] as const;

/** What the options of the filter say; what was not given is absent. */
export interface FilterOptions {
  readonly scale?: number;
  readonly model?: string;
  readonly task?: 'upscale' | 'denoise' | 'jpeg';
  readonly quality?: number;
  readonly device?: 'auto' | 'cpu' | 'webgpu' | 'reference';
  readonly threads?: number;
  readonly tile?: 'auto' | 'whole' | 'official' | number;
  readonly overlap?: number;
  readonly memory?: number;
  readonly routing?: 'seeded' | 'argmax';
  readonly seed?: number;
}

/** One row of the option table. */
export interface FilterOption {
  readonly name: keyof FilterOptions;
  /** As ffmpeg's help names types. */
  readonly type: 'int' | 'string' | 'int64';
  readonly help: string;
  /** Whole numbers it takes, beside `values`. */
  readonly range?: readonly [least: number, most: number];
  /** Words it takes, each with what it means. */
  readonly values?: Readonly<Record<string, string>>;
}

/** Every option of the filter; values without a name are taken in this order (`mambairv2=2:tiny-x2`). */
export const filterOptions: readonly FilterOption[] = [
  { name: 'scale', type: 'int', help: 'how many times larger (default 2, or what the model does)', range: [1, 8] },
  { name: 'model', type: 'string', help: 'a model of "mambair models list", or a .safetensors or .pth file' },
  {
    name: 'task',
    type: 'string',
    help: 'what to do when no model is named (default upscale)',
    values: { upscale: 'make larger', denoise: 'remove noise', jpeg: 'repair compression' },
  },
  { name: 'quality', type: 'int', help: 'JPEG quality of the source, for task=jpeg', range: [1, 100] },
  {
    name: 'device',
    type: 'string',
    help: 'where to run (default auto)',
    values: {
      auto: 'the fastest that works',
      cpu: 'WebAssembly on all cores',
      webgpu: 'a GPU',
      reference: 'plain loops, very slow',
    },
  },
  { name: 'threads', type: 'int', help: 'threads of the cpu device (default: all cores)', range: [1, 64] },
  {
    name: 'tile',
    type: 'int',
    help: 'largest side of a tile in pixels (default auto)',
    range: [32, 100_000],
    values: { auto: 'whole where it fits', whole: 'never cut', official: 'tiles of the papers' },
  },
  { name: 'overlap', type: 'int', help: 'pixels that neighbouring tiles share (default 32)', range: [0, 4096] },
  { name: 'memory', type: 'int64', help: 'bytes to plan for, e.g. 800M or 2G (default 1G)', range: [1, 2 ** 40] },
  {
    name: 'routing',
    type: 'string',
    help: 'how MambaIRv2 routes pixels (default seeded)',
    values: { seeded: 'noise by position, the same in every frame', argmax: 'no noise' },
  },
  { name: 'seed', type: 'int64', help: 'seed of the routing noise (default 0)', range: [0, 2 ** 32 - 1] },
];

/** Letters behind a number, as ffmpeg reads them: powers of 1000, with `i` of 1024. */
const units: Readonly<Record<string, number>> = {
  '': 1,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
};

/**
 * Reads the filter's arguments, already freed of the graph's level of quotes ({@link Filter.arguments}).
 * @throws MAMBAIR_OPTION_INVALID naming the option and what it takes
 */
export function readFilterOptions(text: string | undefined): FilterOptions {
  const read: Record<string, string | number> = {};
  for (const [place, { key, value }] of splitArguments(text).entries()) {
    const option = key === undefined ? filterOptions[place] : filterOptions.find(({ name }) => name === key);
    if (option === undefined) {
      throw unknownOption(key, value);
    }
    if (option.name in read) {
      throw invalid(option, `${option.name} is given twice`);
    }
    read[option.name] = readValue(option, value);
  }
  // Each value was read by the row of its name, and the rows hold the types of FilterOptions.
  return read as FilterOptions;
}

/** What `-h filter=NAME` prints, in the form of ffmpeg's own help. */
export function filterHelp(name: string): string {
  const rows = filterOptions.flatMap((option) => {
    const range = option.range === undefined ? '' : ` (from ${option.range[0]} to ${option.range[1]})`;
    const values = Object.entries(option.values ?? {});
    return [
      `   ${option.name.padEnd(17)} ${`<${option.type}>`.padEnd(12)} ..FV....... ${option.help}${range}`,
      ...values.map(([value, meaning]) => `     ${value.padEnd(28)} ..FV....... ${meaning}`),
    ];
  });
  return [
    `Filter ${name}`,
    '  Restore every frame with a network of the MambaIR family.',
    `  The same filter under each name: ${filterNames.join(', ')}.`,
    '    Inputs:',
    '       #0: default (video)',
    '    Outputs:',
    '       #0: default (video)',
    `${name} AVOptions:`,
    ...rows,
    '',
  ].join('\n');
}

function readValue(option: FilterOption, text: string): string | number {
  if (option.values !== undefined && Object.hasOwn(option.values, text)) {
    return text;
  }
  if (option.range === undefined) {
    if (option.values !== undefined || text === '') {
      throw invalid(option, `not "${text}"`);
    }
    return text;
  }
  const [, digits, unit] = /^(\d+(?:\.\d+)?)((?:[KMG]i?)?)B?$/.exec(text) ?? [];
  const number = Number(digits) * (units[unit ?? ''] ?? Number.NaN);
  const [least, most] = option.range;
  if (!(Number.isInteger(number) && number >= least && number <= most)) {
    throw invalid(option, `not "${text}"`);
  }
  return number;
}

function invalid(option: FilterOption, came: string): MambairError {
  const words = Object.keys(option.values ?? {}).join(', ');
  const numbers = option.range === undefined ? '' : `a whole number from ${option.range[0]} to ${option.range[1]}`;
  const expected = [words, numbers].filter((part) => part !== '').join(' or ') || 'a name or a file';
  return new MambairError('MAMBAIR_OPTION_INVALID', `filter option ${option.name} takes ${expected}; ${came}`, {
    detail: { option: option.name },
  });
}

function unknownOption(key: string | undefined, value: string): MambairError {
  const names = filterOptions.map(({ name }) => name);
  if (key === undefined) {
    return new MambairError(
      'MAMBAIR_OPTION_INVALID',
      `the filter takes ${names.length} values, and "${value}" is one too many; write values as name=value`,
    );
  }
  const near = nearestName(key, names);
  return new MambairError(
    'MAMBAIR_OPTION_INVALID',
    `the filter has no option "${key}"${near === undefined ? '' : `; did you mean ${near}?`} (it has ${names.join(', ')})`,
    { detail: { option: key } },
  );
}

import type { Device, LoadModelOptions, ModelWish, RestorationTask, RestorePictureOptions } from '../core/index.js';
import { choice, flag, integer, list, oneOf, text, usageError, value, wholeNumber } from './options.js';

/** Options that several commands have, in one wording. */
export const modelOption = text('ID|FILE', 'a model of `mambair models list`, or a .safetensors or .pth file', 'm');
export const deviceOption = value(
  'auto|cpu|webgpu|webgpu:N|reference',
  'where to run (default auto);\nwebgpu is a GPU, webgpu:N the one that `mambair doctor` numbers so',
  readDevice,
);
export const threadsOption = integer({ least: 1, most: 64 }, 'threads of the cpu device (default: all cores)');
export const precisionOption = choice(
  ['auto', 'f32', 'f16'],
  'how a GPU stores numbers (default auto: halves where they suit device and model)',
);
export const seedOption = integer({ least: 0, most: 2 ** 32 - 1 }, 'seed of the routing noise (default 0)');
export const setOption = list('KEY=VALUE', 'what the file cannot tell, by official option name, e.g. img_range=255');
export const jsonOption = flag('one JSON object a line on standard output (docs/json.md)');
export const quietOption = flag('print nothing but errors', 'q');

/** How pictures are cut into tiles and routed. */
export const tileOptions = {
  tile: value(
    'auto|whole|official|N',
    'whole picture where it fits (auto), always whole, the papers’ tiles,\nor tiles of at most N pixels a side',
    readTile,
  ),
  overlap: integer({ least: 0, most: 4096 }, 'pixels that neighbouring tiles share (default 32)'),
  memory: value('SIZE', 'memory to plan for, e.g. 800MB or 2GiB (default 1GiB)', readBytes),
  routing: choice(['seeded', 'argmax'], 'how MambaIRv2 routes pixels (default seeded)'),
  seed: seedOption,
} as const;

/** What is to be done, by which model and where: options of all commands that restore something. */
export const restoringOptions = {
  task: choice<RestorationTask>(['upscale', 'denoise', 'jpeg'], 'what to do (default upscale)'),
  scale: integer({ least: 1, most: 8 }, 'how many times larger, for upscale (default 2)'),
  model: modelOption,
  device: deviceOption,
  threads: threadsOption,
  precision: precisionOption,
  ...tileOptions,
  set: setOption,
} as const;

/** The model that `--task` and `--scale` ask for. @throws MAMBAIR_OPTION_INVALID */
export function wishOf(values: {
  readonly task: RestorationTask | undefined;
  readonly scale: number | undefined;
}): Pick<ModelWish, 'task' | 'scale'> {
  const { task = 'upscale', scale } = values;
  if (task !== 'upscale' && (scale ?? 1) !== 1) {
    throw usageError(`--scale ${scale} is for upscaling; ${task} keeps the size`);
  }
  return { task, scale: task === 'upscale' ? (scale ?? 2) : 1 };
}

/** Without what was not given. */
export function given<Values extends Readonly<Record<string, unknown>>>(
  values: Values,
): { [Name in keyof Values]?: Exclude<Values[Name], undefined> } {
  const kept = Object.entries(values).filter(([, each]) => each !== undefined);
  return Object.fromEntries(kept) as { [Name in keyof Values]?: Exclude<Values[Name], undefined> };
}

/** The values of {@link tileOptions}. */
export interface TileValues {
  readonly tile: RestorePictureOptions['tile'];
  readonly overlap: number | undefined;
  readonly memory: number | undefined;
  readonly routing: 'seeded' | 'argmax' | undefined;
  readonly seed: number | undefined;
}

/** Tile options as the library takes them: what was not given is left out. */
export function restoreOptions(values: TileValues): Omit<RestorePictureOptions, 'progress'> {
  const { tile, overlap, memory, routing, seed } = values;
  return given({ tile, overlap, memoryBytes: memory, routing, seed });
}

/** Device options as the library takes them. */
export function loadOptions(values: {
  readonly device: Device | undefined;
  readonly threads: number | undefined;
  readonly precision: 'auto' | 'f32' | 'f16' | undefined;
}): LoadModelOptions {
  return given({ device: values.device, threads: values.threads, precision: values.precision });
}

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

function readDevice(written: string): Device {
  return /^webgpu:\d{1,3}$/.test(written)
    ? (written as Device)
    : oneOf(['auto', 'cpu', 'webgpu', 'reference'] as const, written);
}

function readTile(written: string): 'auto' | 'whole' | 'official' | number {
  return /^\d+$/.test(written)
    ? wholeNumber(written, { least: 32, most: 100_000 })
    : oneOf(['auto', 'whole', 'official'] as const, written);
}

const units: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

function readBytes(written: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(written) ?? [];
  const bytes = Math.round(Number(number) * (units[(unit ?? '').toLowerCase()] ?? Number.NaN));
  if (!(bytes > 0)) {
    throw new Error('a size such as 800MB or 2GiB');
  }
  return bytes;
}

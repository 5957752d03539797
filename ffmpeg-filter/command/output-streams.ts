import { chooseStreams, containerOf, matchSpecifier, type ChosenStream, type Container } from './choose-streams.js';
import { lastValue, type FileGroup, type Option } from './command-line.js';
import { bareName } from './ffmpeg-options.js';
import type { ProbedInput, StreamKind } from './probed-input.js';
import { unsplittable } from './unsplittable.js';

/** A stream of an output: of an input, or out of a filter graph. */
export interface OutputStream {
  readonly kind: StreamKind;
  /** The `-map` that asked for it; undefined when ffmpeg chooses. */
  readonly map: Option | undefined;
  /** Undefined for what comes out of a graph. */
  readonly chosen: ChosenStream | undefined;
  /** The label in the graph; undefined for an unlabelled end, which belongs to the first output. */
  readonly label: string | undefined;
}

/** The streams of an output in the order in which they are written. */
export interface OutputPlan {
  readonly container: Container;
  readonly streams: readonly OutputStream[];
  readonly maps: readonly Option[];
}

/** What comes out of the command's filter graphs. */
export interface GraphEnds {
  readonly open: readonly StreamKind[];
  readonly kindOf: (label: string) => StreamKind;
}

/**
 * The streams that ffmpeg writes to an output: by its maps, or chosen.
 * @param ends of the graphs; an output that is not the first gets none of the open ones
 * @throws MAMBAIR_FFMPEG_UNSPLITTABLE for a map that cannot be told from ffprobe's list of streams
 */
export function planOutput(output: FileGroup, inputs: readonly ProbedInput[], ends: GraphEnds): OutputPlan {
  const wants = (flag: string): boolean => !output.options.some(({ name }) => name === flag);
  const container = containerOf(output.url, lastValue(output, 'f'));
  const maps = output.options.filter(({ name }) => name === 'map');
  const open = ends.open.map((kind) => ({ kind, map: undefined, chosen: undefined, label: undefined }));
  if (maps.length === 0) {
    const chosen = chooseStreams(inputs, {
      container,
      video: wants('vn') && !ends.open.includes('video'),
      audio: wants('an') && !ends.open.includes('audio'),
      subtitle: wants('sn'),
      hasSubtitleEncoder: lastValue(output, 'c:s', 'codec:s', 'scodec') !== undefined,
    });
    const streams = chosen.map((one) => ({ kind: one.stream.kind, map: undefined, chosen: one, label: undefined }));
    return { container, streams: [...open, ...streams], maps };
  }
  let mapped: readonly OutputStream[] = [];
  for (const map of maps) {
    const { isNegative, streams } = readMap(map, inputs, ends);
    mapped = isNegative
      ? mapped.filter(({ chosen }) => chosen === undefined || !streams.some((other) => isSame(other.chosen, chosen)))
      : [...mapped, ...streams];
  }
  const unwanted: Readonly<Partial<Record<StreamKind, string>>> = {
    video: 'vn',
    audio: 'an',
    subtitle: 'sn',
    data: 'dn',
  };
  return { container, streams: [...open, ...mapped.filter(({ kind }) => wants(unwanted[kind] ?? ''))], maps };
}

/** A map's input: its number, and the specifier behind it. */
export function mapTarget(
  value: string | undefined,
): { readonly input: number; readonly specifier: string } | undefined {
  const [, input, specifier] = /^-?(\d+)(?::([^,]*?))?\??$/.exec(value ?? '') ?? [];
  return input === undefined ? undefined : { input: Number(input), specifier: specifier ?? '' };
}

function readMap(
  map: Option,
  inputs: readonly ProbedInput[],
  ends: GraphEnds,
): { readonly isNegative: boolean; readonly streams: readonly OutputStream[] } {
  const value = map.value ?? '';
  const label = /^\[(.*)\]$/s.exec(value)?.[1];
  if (label !== undefined) {
    return { isNegative: false, streams: [{ kind: ends.kindOf(label), map, chosen: undefined, label }] };
  }
  const target = mapTarget(value);
  const streams = target && matchSpecifier(target.specifier, inputs[target.input]?.streams ?? []);
  if (target === undefined || streams === undefined) {
    throw unsplittable(
      'cannot-split',
      `which streams "-map ${value}" means cannot be told; map them by number, as in 0:v:0`,
    );
  }
  return {
    isNegative: value.startsWith('-'),
    streams: streams.map((stream) => ({
      kind: stream.kind,
      map,
      chosen: { input: target.input, stream },
      label: undefined,
    })),
  };
}

function isSame(one: ChosenStream | undefined, other: ChosenStream): boolean {
  return one !== undefined && one.input === other.input && one.stream.index === other.stream.index;
}

/** True when an output option's specifier (`''`, `v`, `v:0`, `2`) means the output's stream of this place. */
export function isMeant(specifier: string, streams: readonly OutputStream[], at: number): boolean {
  const numbered = /^\d+$/.test(specifier);
  if (numbered) {
    return Number(specifier) === at;
  }
  const [, letter, number] = /^([vVas])(?::(\d+))?$/.exec(specifier) ?? [];
  const kind = { v: 'video', V: 'video', a: 'audio', s: 'subtitle' }[letter ?? ''];
  if (specifier !== '' && kind === undefined) {
    return false;
  }
  return (
    kind === undefined || (streams[at]?.kind === kind && (number === undefined || Number(number) === rank(streams, at)))
  );
}

/** How many streams of the same kind stand before this one. */
export function rank(streams: readonly OutputStream[], at: number): number {
  return streams.slice(0, at).filter(({ kind }) => kind === streams[at]?.kind).length;
}

/** The encoder, the codec or `copy` that an output names for its stream of this place; undefined where it names none. */
export function codecOf(output: FileGroup, streams: readonly OutputStream[], at: number): string | undefined {
  return optionsFor(output, streams, at).get('c');
}

/**
 * The options of an output that hold for its stream of this place, by their names without specifiers; of several the last.
 * The names of `-c` (`-codec`, `-vcodec`) are taken for one.
 */
export function optionsFor(
  output: FileGroup,
  streams: readonly OutputStream[],
  at: number,
): ReadonlyMap<string, string> {
  const kind = streams[at]?.kind;
  const options = new Map<string, string>();
  for (const { name, specifier, value } of output.options) {
    const ofKind = kindOptions[name];
    if (value !== undefined && (ofKind === undefined ? isMeant(specifier, streams, at) : ofKind.kind === kind)) {
      options.set(ofKind?.name ?? (bareName(name) === 'codec' ? 'c' : bareName(name)), value);
    }
  }
  return options;
}

/** Options that mean the streams of one kind without a specifier. */
const kindOptions: Readonly<Record<string, { readonly kind: StreamKind; readonly name: string }>> = {
  vcodec: { kind: 'video', name: 'c' },
  acodec: { kind: 'audio', name: 'c' },
  scodec: { kind: 'subtitle', name: 'c' },
};

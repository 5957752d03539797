import type { ChosenStream } from './choose-streams.js';
import type { Command, FileGroup, Option } from './command-line.js';
import type { CutGraph } from './cut-graph.js';
import { bareName, isClockOption } from './ffmpeg-options.js';
import { printGraph } from './filter-graph.js';
import type { FoundFilter } from './find-filter.js';
import type { EncodedStream, HalfWord } from './half.js';
import { codecOf, mapTarget, optionsFor, rank, type OutputPlan, type OutputStream } from './output-streams.js';
import type { Ledger } from './placements.js';
import type { ProbedInput, StreamKind } from './probed-input.js';

/** Everything that the outputs of the encoding half are written from. */
export interface EncodePlan {
  readonly command: Command;
  readonly plans: readonly OutputPlan[];
  readonly inputs: readonly ProbedInput[];
  /** The number of each input in the encoding half; undefined for those that it does not read. */
  readonly numbers: readonly (number | undefined)[];
  readonly found: FoundFilter;
  readonly cut: CutGraph;
  /** The stream that a simple filter stands before; undefined for complex graphs. */
  readonly target: OutputStream | undefined;
  readonly ledger: Ledger;
}

/** The outputs of the encoding half, each with its maps, tags, filters and options. */
export function encodeOutputs(plan: EncodePlan): readonly HalfWord[] {
  return plan.command.outputs.flatMap((output, at) => {
    const streams = plan.plans[at]?.streams ?? [];
    const restored = streams.filter((stream) => isFrom(plan, plan.cut, stream, at));
    plan.ledger.place(output, 'encode');
    return [
      ...mapWords(plan, at),
      ...metadataWords(plan, output, at),
      ...filterWords(plan, at),
      ...timeBaseSlot(plan, at, restored),
      ...dispositionWords(plan, at),
      ...ownOptions(plan, output),
      ...restored
        .filter((stream) => isFrom(plan, plan.cut.owned, stream, at))
        .map((stream) => ({ slot: 'colour' as const, stream: encodedStream(plan, at, stream) })),
      { slot: 'output' as const, output: at, url: output.url },
    ];
  });
}

/** True for a stream of pictures that have come through our filter, by these ends of its graph. */
function isFrom(
  { target, found }: EncodePlan,
  { ends, hasOpenEnd }: CutGraph['owned'],
  stream: OutputStream,
  output: number,
): boolean {
  if (found.output !== undefined) {
    return stream === target;
  }
  const isOpenEnd = stream.chosen === undefined && stream.label === undefined && stream.kind === 'video';
  return isOpenEnd ? hasOpenEnd && output === 0 : stream.label !== undefined && ends.includes(stream.label);
}

function encodedStream(plan: EncodePlan, output: number, stream: OutputStream): EncodedStream {
  const { command, plans } = plan;
  const streams = plans[output]?.streams ?? [];
  const place = streams.indexOf(stream);
  const file = command.outputs[output];
  const options = file === undefined ? new Map<string, string>() : optionsFor(file, streams, place);
  return { output, video: rank(streams, place), codec: options.get('c'), options, staleTags: staleTags(plan, output) };
}

const kindLetters: Readonly<Record<StreamKind, string>> = {
  video: 'v',
  audio: 'a',
  subtitle: 's',
  data: 'd',
  attachment: 't',
};

/** The maps: ours from the pipe, the others from where they came, with the numbers of this half. */
function mapWords(plan: EncodePlan, at: number): readonly string[] {
  const { inputs, numbers, target, ledger } = plan;
  const { maps, streams } = plan.plans[at] ?? { maps: [], streams: [] };
  const isHere = target !== undefined && plan.found.output === at;
  if (maps.length === 0) {
    return streams.flatMap((stream) => {
      const { chosen } = stream;
      return chosen === undefined
        ? []
        : ['-map', isHere && stream === target ? '0:v:0' : byKind(chosen, inputs, numbers)];
    });
  }
  return maps.flatMap((map) => {
    const own = streams.filter((stream) => stream.map === map);
    const holdsTarget = isHere && own.includes(target);
    if (holdsTarget) {
      ledger.place(map, 'decode', { isRewritten: true });
    }
    ledger.place(map, 'encode', { isRewritten: true });
    if (holdsTarget) {
      return own.flatMap((stream) => ['-map', stream === target ? '0:v:0' : byIndex(stream.chosen, numbers)]);
    }
    const input = mapTarget(map.value)?.input;
    if (input === undefined) {
      return map.words;
    }
    return numbers[input] === undefined ? [] : ['-map', renumber(map.value ?? '', numbers)];
  });
}

function byKind(
  { input, stream }: ChosenStream,
  inputs: readonly ProbedInput[],
  numbers: EncodePlan['numbers'],
): string {
  const before = (inputs[input]?.streams ?? []).filter(
    ({ kind, index }) => kind === stream.kind && index < stream.index,
  );
  return `${numbers[input]}:${kindLetters[stream.kind]}:${before.length}`;
}

function byIndex(chosen: ChosenStream | undefined, numbers: EncodePlan['numbers']): string {
  return chosen === undefined ? '' : `${numbers[chosen.input]}:${chosen.stream.index}`;
}

/** Exchanges the number of an input at the head of a value: `-0:s`, `0:g`, `0.1.2`. */
function renumber(value: string, numbers: EncodePlan['numbers']): string {
  return value.replace(/^(-?)(\d+)(?=$|[:.?])/, (whole: string, sign: string, input: string) => {
    const number = numbers[Number(input)];
    return number === undefined ? whole : `${sign}${number}`;
  });
}

/**
 * Global tags and chapters from the original (input 0 is the pipe, which has none), and tags of every stream where the
 * pipe's would be missed: one such map switches off ffmpeg's own for all streams.
 */
function metadataWords(plan: EncodePlan, output: FileGroup, at: number): readonly string[] {
  const { inputs, numbers, ledger } = plan;
  const own = output.options.filter(({ name }) => /^map_(metadata|chapters)$/.test(bareName(name)));
  for (const option of own) {
    ledger.place(option, 'encode', { isRewritten: true });
  }
  const isGiven = (name: string, part: RegExp): boolean =>
    own.some(
      (option) => bareName(option.name) === name && (part.test(option.specifier) || part.test(readFrom(option))),
    );
  const withChapters = inputs.findIndex(({ chapters }, input) => chapters > 0 && numbers[input] !== undefined);
  const original = numbers[0];
  const chapters = withChapters < 0 ? original : numbers[withChapters];
  return [
    ...(original === undefined || isGiven('map_metadata', /^g?$/) ? [] : ['-map_metadata', String(original)]),
    ...(chapters === undefined || isGiven('map_chapters', /^/) ? [] : ['-map_chapters', String(chapters)]),
    ...streamTagWords(plan, at),
    ...own.flatMap((option) => [`-${option.name}`, renumber(option.value ?? '', numbers)]),
  ];
}

/** What of its input an option such as `-map_metadata 0:s:1` reads: `s:1`. */
function readFrom(option: Option): string {
  return (option.value ?? '').split(':').slice(1).join(':');
}

/** Tags of a video track that mp4 and its kin keep, and their values that mean nothing. */
const tagsOfMp4: Readonly<Record<string, string>> = {
  language: 'und',
  handler_name: 'VideoHandler',
  title: '',
  timecode: '',
  reel_name: '',
};

function streamTagWords(plan: EncodePlan, at: number): readonly string[] {
  const streams = mapsStreamTags(plan, at) ? (plan.plans[at]?.streams ?? []) : [];
  return streams.flatMap(({ chosen }, place) =>
    chosen === undefined ? [] : [`-map_metadata:s:${place}`, `${plan.numbers[chosen.input]}:s:${chosen.stream.index}`],
  );
}

function staleTags(plan: EncodePlan, at: number): EncodedStream['staleTags'] {
  const file = plan.command.outputs[at];
  const streams = plan.plans[at]?.streams ?? [];
  const isUsers = ({ name, value }: Option): boolean => /^metadata:s/.test(name) && /^encoder=/i.test(value ?? '');
  if (file === undefined || !mapsStreamTags(plan, at) || file.options.some(isUsers)) {
    return [];
  }
  return streams.flatMap(({ kind, chosen }, place) =>
    ['data', 'attachment'].includes(kind) || codecOf(file, streams, place) === 'copy'
      ? []
      : Object.keys(chosen?.stream.tags ?? {}).flatMap((tag) =>
          /^encoder$/i.test(tag) ? [[place, tag] as const] : [],
        ),
  );
}

/** True for an output that gets tags of streams from the original by maps of ours. */
function mapsStreamTags({ command, plans, numbers, found, target }: EncodePlan, at: number): boolean {
  const plan = plans[at];
  const source = target?.chosen;
  if (plan === undefined || source === undefined || found.output !== at || numbers[source.input] === undefined) {
    return false;
  }
  const isUsers = (command.outputs[at]?.options ?? []).some(
    (option) =>
      bareName(option.name) === 'map_metadata' && (/^s/.test(option.specifier) || /^s/.test(readFrom(option))),
  );
  return (
    !isUsers &&
    (plan.container.keepsStreamTags ||
      Object.entries(tagsOfMp4).some(([key, usual]) => (source.stream.tags[key] ?? usual) !== usual))
  );
}

/** Filters after ours, in the option in which ours stood. */
function filterWords({ found, cut }: EncodePlan, at: number): readonly string[] {
  return found.output === at && cut.after.chains.length > 0 ? [`-${found.inlineName}`, printGraph(cut.after)] : [];
}

function timeBaseSlot(
  { command, plans }: EncodePlan,
  at: number,
  restored: readonly OutputStream[],
): readonly HalfWord[] {
  const isUsers = [...command.globals, ...(command.outputs[at]?.options ?? [])].some(({ name }) => isClockOption(name));
  const file = command.outputs[at];
  const streams = plans[at]?.streams ?? [];
  const codecs = file === undefined ? [] : restored.map((stream) => codecOf(file, streams, streams.indexOf(stream)));
  return restored.length === 0 || isUsers ? [] : [{ slot: 'timeBase', output: at, codecs }];
}

/** The flags of the source's stream, which the pipe does not carry. The mp4 family enables a lone video by itself. */
function dispositionWords({ plans, found, target }: EncodePlan, at: number): readonly string[] {
  const plan = plans[at];
  const flags = target?.chosen?.stream.disposition ?? [];
  if (plan === undefined || target === undefined || found.output !== at || flags.length === 0) {
    return [];
  }
  const videos = plan.streams.filter(({ kind }) => kind === 'video').length;
  if (!plan.container.keepsStreamTags && videos < 2) {
    return [];
  }
  // One option of this kind switches off ffmpeg's own marking of a default stream of each kind, so do that as well.
  return plan.streams.flatMap((stream, place) => {
    if (stream === target) {
      return [`-disposition:${place}`, flags.join('+')];
    }
    const alike = plan.streams.filter(({ kind }) => kind === stream.kind);
    const hasDefault = alike.some(({ chosen }) => chosen?.stream.disposition.includes('default'));
    const isMarked =
      ['audio', 'subtitle'].includes(stream.kind) && alike.length > 1 && !hasDefault && alike[0] === stream;
    const others = stream.chosen?.stream.disposition ?? [];
    return isMarked ? [`-disposition:${place}`, ['default', ...others].join('+')] : [];
  });
}

/** The rest of an output's options as they stand. */
function ownOptions({ found, numbers, ledger }: EncodePlan, output: FileGroup): readonly string[] {
  return output.options.flatMap((option) => {
    const name = bareName(option.name);
    if (option === found.option || /^map(_metadata|_chapters)?$/.test(name)) {
      return [];
    }
    const isChannel = name === 'map_channel';
    ledger.place(option, 'encode', { isRewritten: isChannel });
    return isChannel ? [`-${option.name}`, renumber(option.value ?? '', numbers)] : option.words;
  });
}

import { matchSpecifier, type ChosenStream } from './choose-streams.js';
import type { Command } from './command-line.js';
import { cutComplex, cutSimple, followClock, refuseGpuFrames, type CutOptions } from './cut-command.js';
import { pictureLabel, type CutGraph } from './cut-graph.js';
import { inputAgain, numberInputs, whatEncodingReads } from './encode-inputs.js';
import { encodeOutputs } from './encode-outputs.js';
import { optionKind } from './ffmpeg-options.js';
import { printGraph, type Filter, type Graph } from './filter-graph.js';
import {
  changesChromaPlace,
  changesClock,
  changesColour,
  changesFields,
  changesLight,
  mayChangeColour,
} from './filter-traits.js';
import type { FoundFilter } from './find-filter.js';
import { findTarget, refuseCopies } from './find-target.js';
import { inputReferences, labelKind, openEnds, renumberInputs, videoLabel } from './graph-labels.js';
import type { Half, HalfWord } from './half.js';
import { planOutput, type OutputPlan, type OutputStream } from './output-streams.js';
import { Ledger, type Placement } from './placements.js';
import type { ProbedInput, Ratio, StreamKind } from './probed-input.js';
import { unsplittable } from './unsplittable.js';

/** A command in two halves with our engine between. */
export interface Split {
  readonly filter: Filter;
  /** Decodes, filters before ours, raw frames out. */
  readonly decode: Half;
  /** Raw frames in, filters after ours, encodes; everything else from the original. */
  readonly encode: Half;
  /** Where the pictures come from; undefined when no file is their source. */
  readonly source: ChosenStream | undefined;
  /** The time base of the frames that reach our filter; undefined when only ffmpeg can tell. */
  readonly timeBase: Ratio | undefined;
  /** Whether filters before, and after, ours give frames another rate or other times. */
  readonly changesClock: { readonly before: boolean; readonly after: boolean };
  /** Whether filters before, and after, ours give frames another matrix, range, transfer or primaries than the source's. */
  readonly changesColour: { readonly before: boolean; readonly after: boolean };
  /** Whether filters before ours may do so in ways that only ffmpeg can tell. */
  readonly mayChangeColour: boolean;
  /** Whether filters give frames another transfer or other primaries, so that what is said of the film's light is void. */
  readonly changesLight: boolean;
  /** Whether the graph behind our filter takes other inputs, too: ffmpeg then hands on what is said of none of them. */
  readonly mixesInputs: boolean;
  /** Whether filters after ours give frames another place of chroma. */
  readonly changesChromaPlace: boolean;
  /** Whether filters before ours give frames another order of fields than the source's, or none. */
  readonly changesFields: boolean;
  /** The streams that the command takes of each input, by their places in it. */
  readonly used: readonly ReadonlySet<number>[];
  /** Those of them that the encoding half takes. */
  readonly usedAgain: readonly ReadonlySet<number>[];
  /** What became of every word of the command. */
  readonly placements: readonly Placement[];
  /** Inputs that the encoding half does not read again: their global tags and chapters do not reach the output. */
  readonly unread: readonly string[];
}

/** What is known of an input that cannot be probed: a picture, and sound unless the command wants none. */
const unprobed: ProbedInput = {
  chapters: 0,
  format: '',
  startSeconds: undefined,
  durationSeconds: undefined,
  streams: (['video', 'audio'] as const).map((kind, index) => ({
    index,
    kind,
    codec: 'unknown',
    pixelFormat: undefined,
    id: undefined,
    timeBase: undefined,
    startSeconds: undefined,
    fieldOrder: undefined,
    width: 0,
    height: 0,
    channels: 0,
    disposition: [],
    tags: {},
    colour: {
      range: undefined,
      space: undefined,
      transfer: undefined,
      primaries: undefined,
      chromaLocation: undefined,
    },
    sideData: [],
  })),
};

/**
 * Cuts a command at our filter into a decoding and an encoding half. Times as plain ffmpeg has them: the decoding half
 * is to run with `-copyts`, so that the first frame's time tells the caller where the pipe starts.
 * @param probes of the inputs, in their order; undefined for those that cannot be opened twice
 * @throws MAMBAIR_FFMPEG_UNSPLITTABLE with the reason when the command cannot be cut
 */
export function splitCommand(
  command: Command,
  found: FoundFilter,
  probes: readonly (ProbedInput | undefined)[],
  known: CutOptions = {},
): Split {
  if (command.decoders.length > 0) {
    throw unsplittable('cannot-split', 'loopback decoders (-dec) cannot be taken apart; make two runs');
  }
  const inputs = command.inputs.map((_, number) => probes[number] ?? unprobed);
  const graphs = found.complex.map(({ graph }) => graph);
  const plans = planOutputs(command, graphs, inputs);
  const target = found.output === undefined ? undefined : findTarget(command, found, plans);
  const { cut, source } = target === undefined ? cutComplex(found, inputs, known) : cutSimple(found, target, known);
  refuseGpuFrames(command, cut, source);
  if (target === undefined) {
    refuseCopies(command, plans, cut);
  }
  const after = graphs.map((graph) => (graph === found.graph ? cut.after : graph));
  const reading = whatEncodingReads(command, { plans, target, graphs: after, inputs });
  const numbers = numberInputs(command, reading.inputs);

  const ledger = new Ledger(command);
  const globals = globalWords(command, ledger);
  const decode: HalfWord[] = [...globals.decode];
  const encode: HalfWord[] = [...globals.encode, { slot: 'pipe' }];
  for (const [number, input] of command.inputs.entries()) {
    decode.push(...input.options.flatMap(({ words }) => words), { slot: 'clock', input: number }, ...input.words);
    for (const part of [...input.options, input]) {
      ledger.place(part, 'decode');
    }
    if (numbers[number] !== undefined) {
      encode.push(...inputAgain(input, { input: number, numbers, showsPicture: reading.pictures.has(number), ledger }));
    }
  }
  decode.push(...decodeOutput(found, { cut, target, inputs }), { slot: 'raw' });
  for (const [at, { option, inlineName }] of found.complex.entries()) {
    const graph = after[at] ?? found.graph;
    encode.push(`-${inlineName}`, printGraph(renumberInputs(graph, numbers)));
    ledger.place(option, 'encode', { isRewritten: true });
  }
  encode.push(...encodeOutputs({ command, plans, inputs, numbers, found, cut, target, ledger }));
  for (const option of command.trailing) {
    encode.push(...option.words);
    ledger.place(option, 'encode');
  }
  for (const half of ['decode', 'engine', 'encode'] as const) {
    ledger.place(found.option, half, { isRewritten: true });
  }
  const streams = plans.flatMap((plan) => plan.streams);
  // Those of the command, without what stands in our place.
  const behind = cut.after.chains.flat().filter((filter) => found.graph.chains.flat().includes(filter));
  return {
    filter: found.filter,
    decode,
    encode,
    source,
    timeBase: followClock(cut.path, source?.stream),
    changesClock: { before: cut.path.some(changesClock), after: behind.some(changesClock) },
    changesColour: { before: cut.path.some(changesColour), after: behind.some(changesColour) },
    mayChangeColour: source !== undefined && cut.path.some((filter) => mayChangeColour(filter, source.stream)),
    changesLight: [...cut.path, ...behind].some(changesLight),
    mixesInputs: inputReferences(cut.after).length > 0,
    changesChromaPlace: behind.some(changesChromaPlace),
    changesFields: cut.path.some(changesFields),
    used: usedStreams({ streams, graphs, inputs, source }),
    usedAgain: usedStreams({
      streams: streams.filter((stream) => stream !== target),
      graphs: after,
      inputs,
      source: undefined,
    }),
    placements: ledger.close(),
    unread: command.inputs.flatMap(({ url }, number) => (numbers[number] === undefined ? [url] : [])),
  };
}

function usedStreams({
  streams,
  graphs,
  inputs,
  source,
}: {
  readonly streams: readonly OutputStream[];
  readonly graphs: readonly Graph[];
  readonly inputs: readonly ProbedInput[];
  readonly source: ChosenStream | undefined;
}): readonly ReadonlySet<number>[] {
  const used = inputs.map(() => new Set<number>());
  for (const chosen of [source, ...streams.map((stream) => stream.chosen)]) {
    if (chosen !== undefined) {
      used[chosen.input]?.add(chosen.stream.index);
    }
  }
  for (const { input, specifier } of graphs.flatMap((graph) => inputReferences(graph))) {
    // A graph takes the first of the streams that fit.
    const [stream] = matchSpecifier(specifier, inputs[input]?.streams ?? []) ?? [];
    if (stream !== undefined) {
      used[input]?.add(stream.index);
    }
  }
  return used;
}

function planOutputs(
  command: Command,
  graphs: readonly Graph[],
  inputs: readonly ProbedInput[],
): readonly OutputPlan[] {
  const ends = {
    open: graphs.flatMap(openEnds),
    kindOf: (label: string): StreamKind =>
      graphs.map((graph) => labelKind(graph, label)).find((kind) => kind !== undefined) ?? 'video',
  };
  return command.outputs.map((output, at) => planOutput(output, inputs, at === 0 ? ends : { ...ends, open: [] }));
}

function globalWords(
  command: Command,
  ledger: Ledger,
): { readonly decode: readonly string[]; readonly encode: readonly string[] } {
  const decode: string[] = [];
  const encode: string[] = [];
  for (const option of command.globals) {
    const { scope } = optionKind(option.name);
    if (scope === 'both') {
      decode.push(...option.words);
      ledger.place(option, 'decode');
    }
    if (scope !== 'graph') {
      encode.push(...option.words);
      ledger.place(option, 'encode');
    }
  }
  return { decode, encode };
}

/** What the decoding half maps and filters. */
function decodeOutput(
  found: FoundFilter,
  {
    cut,
    target,
    inputs,
  }: {
    readonly cut: CutGraph;
    readonly target: OutputStream | undefined;
    readonly inputs: readonly ProbedInput[];
  },
): readonly string[] {
  if (target?.chosen === undefined) {
    return [`-${found.inlineName}`, printGraph(cut.before), '-map', `[${pictureLabel}]`];
  }
  // The half has one video stream, whatever its number in the output.
  const name = found.inlineName.replace(/:.*/s, ':v');
  const filters = cut.before.chains.length === 0 ? [] : [`-${name}`, printGraph(cut.before)];
  return ['-map', videoLabel(target.chosen, inputs), ...filters];
}

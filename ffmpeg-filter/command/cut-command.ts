import type { ChosenStream } from './choose-streams.js';
import { lastValue, type Command } from './command-line.js';
import { cutGraph, type CutGraph } from './cut-graph.js';
import type { Filter } from './filter-graph.js';
import { bringsFromGpu, changesColour, changesFields, isSource, leavesOnGpu, timeBaseAfter } from './filter-traits.js';
import type { FfmpegVersion } from './ffmpeg-version.js';
import type { FoundFilter } from './find-filter.js';
import { firstUnusedPicture, inputReference, pictureOf, videoLabel } from './graph-labels.js';
import type { OutputStream } from './output-streams.js';
import { setparamsWords, type PictureFacts, type ProbedInput, type ProbedStream, type Ratio } from './probed-input.js';
import { unsplittable } from './unsplittable.js';

/** A graph cut at our filter, and the stream of an input that its pictures come from, if they come from one. */
export interface Cut {
  readonly cut: CutGraph;
  readonly source: ChosenStream | undefined;
}

/** What is known beside the command and its inputs. */
export interface CutOptions {
  /** What the colours of the frames are that reach our filter, where only ffmpeg could tell. */
  readonly seen?: PictureFacts | undefined;
  /** Of the ffmpeg that runs the halves; default 5.1. */
  readonly version?: Pick<FfmpegVersion, 'hasNegotiatedColour'> | undefined;
  /** True when times may come through the pipe rounded; the encoding half then brings them back. */
  readonly roundsTimes?: boolean | undefined;
}

/** Cuts the graph of `-vf` and its like. @throws MAMBAIR_FFMPEG_UNSPLITTABLE */
export function cutSimple(found: FoundFilter, target: OutputStream, known: CutOptions): Cut {
  const cut = cutGraph(found.graph, found.place, {
    kind: 'simple',
    roundsTimes: known.roundsTimes,
    timeBaseFilter: (path) => timeBaseFilter(path, target.chosen?.stream),
    entryFilters: (path) => tagFilters(path, target.chosen?.stream, known),
  });
  if (cut.after.chains.flat().some(({ inputs }) => inputs.includes('in'))) {
    throw unsplittable('cannot-split', `pictures of [in] go round ${found.filter.name}; make two runs`);
  }
  return { cut, source: target.chosen };
}

/** Cuts the graph of `-filter_complex`. @throws MAMBAIR_FFMPEG_UNSPLITTABLE */
export function cutComplex(found: FoundFilter, inputs: readonly ProbedInput[], known: CutOptions): Cut {
  const free = firstUnusedPicture(
    found.complex.map(({ graph }) => graph),
    inputs,
  );
  const sourceOf = (label: string | undefined): ChosenStream | undefined =>
    label === undefined ? free : pictureOf(label, inputs);
  const cut = cutGraph(found.graph, found.place, {
    kind: 'complex',
    roundsTimes: known.roundsTimes,
    unlabelled: free === undefined ? undefined : videoLabel(free, inputs),
    timeBaseFilter: (path, source) => timeBaseFilter(path, sourceOf(source)?.stream),
    entryFilters: (path, source) => tagFilters(path, sourceOf(source)?.stream, known),
  });
  const label = cut.source;
  if (label !== undefined && inputReference(label) === undefined) {
    throw unsplittable('cannot-split', `[${label}] comes from another -filter_complex; join the two graphs by ";"`);
  }
  const head = cut.path.at(-1);
  return { cut, source: head !== undefined && isSource(head) ? undefined : sourceOf(label) };
}

/** Follows the time base of a stream through filters, given nearest to ours first. */
export function followClock(path: readonly Filter[], stream: ProbedStream | undefined): Ratio | undefined {
  return path.reduceRight<Ratio | undefined>((before, filter) => timeBaseAfter(filter, before), stream?.timeBase);
}

function timeBaseFilter(path: readonly Filter[], stream: ProbedStream | undefined): string | undefined {
  const ticks = followClock(path, stream);
  return ticks === undefined ? undefined : `settb=${ticks.num}/${ticks.den}`;
}

/** Colour tags and field order of the frames where our filter stands: those of the source, as far as they still hold. */
function tagFilters(
  path: readonly Filter[],
  stream: ProbedStream | undefined,
  { seen, version }: CutOptions,
): readonly string[] {
  const hasOtherSource = path.some(isSource);
  if (stream === undefined || hasOtherSource) {
    return [];
  }
  const facts = seen ?? (path.some(changesColour) ? undefined : stream);
  const parameters = facts === undefined ? [] : setparamsWords(facts, version);
  const order = path.some(changesFields) ? undefined : interlacedOrder(stream);
  return [
    ...(parameters.length === 0 ? [] : [`setparams=${parameters.join(':')}`]),
    ...(order === undefined ? [] : [`setfield=${order}`]),
  ];
}

/** The order of the fields of an interlaced stream as `setfield` names it; undefined for whole frames. */
export function interlacedOrder(stream: ProbedStream): 'tff' | 'bff' | undefined {
  // tt, tb, bb, bt: whether the fields lie woven or apart is the second letter's business.
  const first = /^([tb])[tb]$/.exec(stream.fieldOrder ?? '')?.[1];
  return first === undefined ? undefined : first === 't' ? 'tff' : 'bff';
}

/** Refuses frames that reach our filter in GPU memory. @throws MAMBAIR_FFMPEG_UNSPLITTABLE */
export function refuseGpuFrames(command: Command, cut: CutGraph, source: ChosenStream | undefined): void {
  const input = source === undefined ? undefined : command.inputs[source.input];
  const format = input === undefined ? undefined : lastValue(input, 'hwaccel_output_format');
  const start = /^(cuda|vaapi|qsv|vulkan|opencl|d3d11|d3d12|dxva2_vld|videotoolbox_vld|drm_prime|mediacodec)$/.test(
    format ?? '',
  );
  const isOnGpu = cut.path.reduceRight(
    (before, filter) => (bringsFromGpu(filter) ? false : before || leavesOnGpu(filter)),
    start,
  );
  if (isOnGpu) {
    throw unsplittable(
      'frames-on-gpu',
      'frames lie in GPU memory where the filter stands; put "hwdownload,format=nv12,format=yuv420p" (or their own format, and one with planes) before it',
    );
  }
}

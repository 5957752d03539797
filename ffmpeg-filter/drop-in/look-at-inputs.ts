import { probeFirstFrames, type FirstFrames } from '../clip/probe-clip.js';
import { lastValue, type Command } from '../command/command-line.js';
import { comesOnce } from '../command/ffmpeg-options.js';
import type { FoundFilter } from '../command/find-filter.js';
import { openingWords, type ProbedInput, type SideData } from '../command/probed-input.js';
import { splitCommand } from '../command/split-command.js';
import { probeInputs } from './probe-inputs.js';

/** What is known of the inputs of a command before it runs. */
export interface SeenInputs {
  /** The probes, with the order of fields where the file does not tell it. */
  readonly probes: readonly (ProbedInput | undefined)[];
  /** Side data of the stream that is restored and of its first frames: none of it passes the pipes. */
  readonly sideData: readonly SideData[];
}

/**
 * Probes the inputs of a command, and the first frames of the stream that it restores where that can be opened.
 * @throws MAMBAIR_FILE_READ, MAMBAIR_FFMPEG_UNSPLITTABLE, MAMBAIR_CANCELLED
 */
export async function lookAtInputs(
  command: Command,
  found: FoundFilter,
  { ffprobe, signal }: { readonly ffprobe: string; readonly signal: AbortSignal | undefined },
): Promise<SeenInputs> {
  // Most commands restore the first video of their only input. To look there meanwhile saves the time that ffprobe takes to start.
  const guessed = guessFirstFrames(command, ffprobe, signal);
  const probes = await probeInputs(command, ffprobe, signal);
  const { source } = splitCommand(command, found, probes);
  const input = source === undefined ? undefined : command.inputs[source.input];
  const probed = source === undefined ? undefined : probes[source.input];
  if (source === undefined || input === undefined || probed === undefined) {
    return { probes, sideData: source?.stream.sideData ?? [] };
  }
  const { index, fieldOrder } = source.stream;
  const guess = await guessed;
  const opening = openingWords(input);
  const first =
    guess?.index === index ? guess : await probeFirstFrames(ffprobe, input.url, source.stream, { opening, signal });
  const { interlaced, topFieldFirst, sideData: ofFrames } = first;
  const sideData = [...ofFrames, ...source.stream.sideData];
  if (!interlaced || /^[tb][tb]$/.test(fieldOrder ?? '')) {
    return { probes, sideData };
  }
  const streams = probed.streams.map((stream) =>
    stream.index === index ? { ...stream, fieldOrder: topFieldFirst ? 'tt' : 'bb' } : stream,
  );
  return { probes: probes.map((each, at) => (at === source.input ? { ...probed, streams } : each)), sideData };
}

async function guessFirstFrames(
  { inputs }: Command,
  ffprobe: string,
  signal: AbortSignal | undefined,
): Promise<FirstFrames | undefined> {
  const [input] = inputs;
  return input === undefined || inputs.length > 1 || comesOnce(input.url, lastValue(input, 'f'))
    ? undefined
    : probeFirstFrames(ffprobe, input.url, { index: 'V:0' }, { opening: openingWords(input), signal });
}

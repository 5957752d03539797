import { repackedFormat } from '../clip/source-format.js';
import type { Command } from '../command/command-line.js';
import { isVideoDecodingOption } from '../command/ffmpeg-options.js';
import type { FfmpegVersion } from '../command/ffmpeg-version.js';
import type { FoundFilter } from '../command/find-filter.js';
import { fillHalf, pipeWords, rawWords, staleTagWords, timeBaseWords } from '../command/half.js';
import { hdrNumbers, staticHdr } from '../command/hdr-options.js';
import { chromaWords, type PictureFacts, type ProbedInput, type SideData } from '../command/probed-input.js';
import { splitCommand, type Split } from '../command/split-command.js';
import type { VideoHeader } from '../transport/video-stream.js';
import { fitsMatroska, type HdrNumbers } from '../transport/write-matroska.js';
import { commandClock } from './clock.js';
import { hasQuietLog, withErrors } from './log-level.js';
import type { OutputsAside } from './outputs-aside.js';
import { seeColours } from './see-colours.js';
import { askFfmpeg, planHdr, type HdrPlan } from './static-hdr.js';
import { takesStreamTimes } from './time-bases.js';
import type { ToldColours } from './told-colours.js';

/** What a command with our filter is, and what was found out about it. */
export interface SeenCommand {
  readonly command: Command;
  readonly found: FoundFilter;
  readonly probes: readonly (ProbedInput | undefined)[];
  readonly sideData: readonly SideData[];
  readonly ffmpeg: string;
  readonly version: FfmpegVersion;
}

/** A command in halves, with what is known of the colours of the frames between them. */
export interface SeenSplit {
  readonly split: Split;
  /** Of the frames that reach our filter; undefined when nothing is known. */
  readonly arriving: PictureFacts | undefined;
  readonly hdr: HdrPlan;
}

/**
 * Cuts a command, and looks at a first frame where only ffmpeg can tell what it is.
 * @throws MAMBAIR_FFMPEG_UNSPLITTABLE
 */
export async function splitSeen(seen: SeenCommand, signal: AbortSignal | undefined): Promise<SeenSplit> {
  const { command, found, probes, ffmpeg, version } = seen;
  const split = splitCommand(command, found, probes, { version, roundsTimes: hasHdr(seen) });
  const isToSee = split.mayChangeColour || decodesByOptions(command, split);
  // What comes once is not there to be looked at.
  const facts = isToSee && split.unread.length === 0 ? await seeColours(split, { ffmpeg, signal }) : undefined;
  return facts === undefined
    ? withHdr(seen, split, split.changesColour.before ? undefined : split.source?.stream)
    : splitTold(seen, facts);
}

/** Cuts a command whose frames are known. @throws MAMBAIR_FFMPEG_UNSPLITTABLE */
export function splitTold(seen: SeenCommand, arriving: PictureFacts): Promise<SeenSplit> {
  const { command, found, probes, version } = seen;
  const known = { seen: arriving, version, roundsTimes: hasHdr(seen) };
  return withHdr(seen, splitCommand(command, found, probes, known), arriving);
}

/** True where the frames may go to the encoding half in Matroska, for the sake of what is said of their light. */
const hasHdr = ({ sideData }: SeenCommand): boolean => hdrNumbers(staticHdr(sideData)) !== undefined;

async function withHdr(
  { command, sideData, ffmpeg, version }: SeenCommand,
  split: Split,
  arriving: PictureFacts | undefined,
): Promise<SeenSplit> {
  const chromaLocation = isPlaceToTell(split, version) ? arriving?.colour.chromaLocation : undefined;
  return { split, arriving, hdr: await planHdr(command, split, { sideData, chromaLocation, ask: askFfmpeg(ffmpeg) }) };
}

/** True where encoders are to be told the place of chroma, which frames do not have with them. */
function isPlaceToTell({ changesChromaPlace }: Split, { hasNegotiatedColour }: FfmpegVersion): boolean {
  return !changesChromaPlace && !hasNegotiatedColour;
}

/** True where options choose how the pictures are decoded, so that frames may not come as the probe says. */
function decodesByOptions({ inputs }: Command, { source }: Split): boolean {
  const options = source === undefined ? [] : (inputs[source.input]?.options ?? []);
  return options.some(({ name }) => isVideoDecodingOption(name));
}

/** What makes the words of both halves. */
export interface HalvesCall extends Pick<SeenCommand, 'command' | 'probes' | 'version'> {
  readonly outputs: OutputsAside;
}

/** The words of the decoding half. `told` listens to it, where it is the only one that knows its frames. */
export function decodeWords(
  { split, arriving }: SeenSplit,
  { command, probes, version }: HalvesCall,
  told: ToldColours | undefined,
): readonly string[] {
  const clock = commandClock(command, split, probes, version);
  const half = fillHalf(split.decode, {
    raw: named(version, [...clock.raw, ...repackWords(arriving), ...rawWords(split.timeBase)]),
    clock: clock.decodeInput,
  });
  const words = ['-nostdin', '-nostats', ...clock.decodeGlobals, ...heard(command, half)];
  return told === undefined ? words : told.loud(words);
}

/** HDR10's static data that goes to the encoding half with the frames, in Matroska; undefined: they go in NUT. */
export function carriedBy({ hdr }: Pick<SeenSplit, 'hdr'>, header: VideoHeader): HdrNumbers | undefined {
  return fitsMatroska(header) ? hdr.carried : undefined;
}

/** The words of the encoding half, once the frames are there. */
export function encodeWords(
  { split, arriving, hdr }: SeenSplit,
  { command, probes, version, outputs }: HalvesCall,
  { header, firstPts }: { readonly header: VideoHeader; readonly firstPts: number },
): readonly string[] {
  const clock = commandClock(command, split, probes, version);
  // Everything else of the colours goes along with the frames.
  const place = isPlaceToTell(split, version) ? arriving : undefined;
  const half = fillHalf(split.encode, {
    pipe: pipeWords(clock.pipeStart(header, firstPts), carriedBy({ hdr }, header) === undefined ? 'nut' : 'matroska'),
    clock: clock.encodeInput,
    timeBase: (output, codecs) =>
      named(version, timeBaseWords(takesStreamTimes(command, output, codecs) ? split.timeBase : undefined)),
    colour: (stream) => [
      ...staleTagWords(stream, version),
      ...(place === undefined ? [] : chromaWords(place, stream.video, stream.options)),
      ...hdr.words(stream),
    ],
    output: (url, output) => outputs.address(url, output),
  });
  return ['-hide_banner', ...heard(command, half)];
}

/** What makes the decoding half hand frames over in a format that is read here, with the same samples. */
function repackWords(arriving: PictureFacts | undefined): readonly string[] {
  const format = arriving?.pixelFormat === undefined ? undefined : repackedFormat(arriving.pixelFormat);
  return format === undefined ? [] : ['-pix_fmt', format];
}

/** Before 5.1 the option had another name. */
function named(version: FfmpegVersion, words: readonly string[]): readonly string[] {
  return version.hasFpsMode ? words : words.map((word) => (word === '-fps_mode' ? '-vsync' : word));
}

/** Errors are heard also where the command asks for none. */
function heard(command: Command, words: readonly string[]): readonly string[] {
  return hasQuietLog(command) ? withErrors(words) : words;
}

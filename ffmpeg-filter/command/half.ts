import type { FfmpegVersion } from './ffmpeg-version.js';
import type { Ratio } from './probed-input.js';

/**
 * A word of a command line, or a place that is filled when the facts are there:
 * - `raw`: the decoding half's output;
 * - `pipe`: the encoding half's first input;
 * - `clock`: options of the input of number `input` in the command, behind its own;
 * - `timeBase`: how the encoding half takes frame times over, for the encoders or codecs that the command names in an output;
 * - `colour`: what the pipe does not carry of the pictures of one stream: colour tags, HDR10's data;
 * - `output`: an output file.
 */
export type HalfWord =
  | string
  | { readonly slot: 'raw' | 'pipe' }
  | { readonly slot: 'clock'; readonly input: number }
  | { readonly slot: 'timeBase'; readonly output: number; readonly codecs: readonly (string | undefined)[] }
  | { readonly slot: 'colour'; readonly stream: EncodedStream }
  | { readonly slot: 'output'; readonly output: number; readonly url: string };

/** A stream of restored pictures in an output, as the command describes it. */
export interface EncodedStream {
  readonly output: number;
  /** Its number among the output's video streams. */
  readonly video: number;
  /** The encoder or codec that the command names; undefined where it leaves that to ffmpeg. */
  readonly codec: string | undefined;
  /** Tags that tell of an encoder in the source, and come along by maps of ours: of which stream of the output, and their names. */
  readonly staleTags: readonly (readonly [stream: number, tag: string])[];
  /** The options of the output that hold for it, by their names without specifiers; of several the last. */
  readonly options: ReadonlyMap<string, string>;
}

/** A command line of ffmpeg with such places, without the program's name. */
export type Half = readonly HalfWord[];

/** The options that take such tags away, so that ffmpeg writes them anew. */
export function staleTagWords(
  { staleTags }: EncodedStream,
  { writesEncoderTagFirst }: Pick<FfmpegVersion, 'writesEncoderTagFirst'>,
): readonly string[] {
  return (writesEncoderTagFirst ? [] : staleTags).flatMap(([stream, tag]) => [`-metadata:s:${stream}`, `${tag}=`]);
}

/** Puts words where a half has places. `output` may give an output another address, to write aside and rename. */
export function fillHalf(
  half: Half,
  fill: {
    readonly raw?: readonly string[];
    readonly pipe?: readonly string[];
    readonly clock?: (input: number) => readonly string[];
    readonly timeBase?:
      | readonly string[]
      | ((output: number, codecs: readonly (string | undefined)[]) => readonly string[]);
    readonly colour?: (stream: EncodedStream) => readonly string[];
    readonly output?: (url: string, output: number) => string;
  },
): readonly string[] {
  return half.flatMap((word) => {
    if (typeof word === 'string') {
      return [word];
    }
    if (word.slot === 'colour') {
      return fill.colour?.(word.stream) ?? [];
    }
    if (word.slot === 'output') {
      const url = fill.output?.(word.url, word.output) ?? word.url;
      return url.startsWith('-') && url !== '-' ? ['--', url] : [url];
    }
    if (word.slot === 'clock') {
      return fill.clock?.(word.input) ?? [];
    }
    if (word.slot === 'timeBase') {
      return (typeof fill.timeBase === 'function' ? fill.timeBase(word.output, word.codecs) : fill.timeBase) ?? [];
    }
    return fill[word.slot] ?? [];
  });
}

/**
 * The options that carry frame times over without touching them, in ticks of a time base of the caller's choice;
 * undefined leaves the encoder's own, one tick a frame.
 */
export function timeBaseWords(timeBase: Ratio | undefined): readonly string[] {
  const ticks = timeBase === undefined ? [] : ['-enc_time_base', `${timeBase.num}/${timeBase.den}`];
  return ['-fps_mode', 'passthrough', ...ticks];
}

/** The decoding half's output: raw frames in NUT on standard output; undefined takes the time base of the filters. */
export function rawWords(timeBase: Ratio | undefined): readonly string[] {
  const ticks = timeBase === undefined ? '0' : `${timeBase.num}/${timeBase.den}`;
  // Frames are long: copied into ffmpeg's buffer for output first, they would cost more.
  const direct = ['-avioflags', 'direct'];
  return ['-fps_mode', 'passthrough', '-enc_time_base', ticks, '-c:v', 'rawvideo', ...direct, '-f', 'nut', 'pipe:1'];
}

/** The encoding half's first input: frames on standard input, the first of which belongs at `startSeconds`. */
export function pipeWords(startSeconds: number, format: 'nut' | 'matroska' = 'nut'): readonly string[] {
  return ['-itsoffset', startSeconds.toFixed(6), '-f', format, '-i', 'pipe:0'];
}

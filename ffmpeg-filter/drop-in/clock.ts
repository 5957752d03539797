import { lastValue, type Command } from '../command/command-line.js';
import type { FfmpegVersion } from '../command/ffmpeg-version.js';
import type { ProbedInput } from '../command/probed-input.js';
import type { Split } from '../command/split-command.js';
import type { VideoHeader } from '../transport/video-stream.js';

/** What both halves are told, so that the output's times are those of the command in one piece. */
export interface CommandClock {
  /** Options of the decoding half as a whole. */
  readonly decodeGlobals: readonly string[];
  /** Options of an input of the decoding half, and of the encoding half, behind its own. */
  readonly decodeInput: (input: number) => readonly string[];
  readonly encodeInput: (input: number) => readonly string[];
  /** Options of the decoding half's output. */
  readonly raw: readonly string[];
  /** Where the pipe's first frame belongs, once its time is known. */
  readonly pipeStart: (header: VideoHeader, firstPts: number) => number;
}

/**
 * Where ffmpeg finds that it has taken exactly a file's start off its times, it corrects that by the streams in use
 * (fftools, `process_input`), which in either half are others than in the command. A microsecond keeps it from that.
 */
const nudge = 0.000001;

/** Demuxers whose times may jump: ffmpeg takes the first of the streams in use for their start, not the file's. */
const jumping = /^(mpegts|mpegtsraw|mpeg|mpegvideo|hls|rtsp|rtp|sdp|sbg|vobsub|concat)\b/;

/**
 * ffmpeg counts output times from the start of each input and its `-ss`. The decoding half keeps the times of the file,
 * counted from its start; the encoding half, which sees the pipe's first frame only, is told where that belongs.
 */
export function commandClock(
  command: Command,
  { source, used, usedAgain }: Split,
  probes: readonly (ProbedInput | undefined)[],
  { correctsStarts }: Pick<FfmpegVersion, 'correctsStarts'>,
): CommandClock {
  const given = (name: string): boolean => command.globals.some((option) => option.name === name);
  if (given('copyts')) {
    // The times of the file all the way; NUT has none below 0.
    const lowest = Math.min(0, ...probes.map((probed) => probed?.startSeconds ?? 0));
    const lift = Math.ceil(-lowest);
    return {
      decodeGlobals: [],
      decodeInput: () => [],
      encodeInput: () => [],
      raw: lift === 0 ? [] : ['-output_ts_offset', String(lift)],
      pipeStart: () => (lift === 0 ? 0 : -lift),
    };
  }
  const starts = probes.map((probed, input) => (probed === undefined ? undefined : startsOf(probed, used[input])));
  const isSimple = starts.every((start) => start === undefined || !start.isJumping);
  const shift = (input: number): number => {
    const words = command.inputs[input];
    return words === undefined ? 0 : (readTime(lastValue(words, 'itsoffset')) ?? 0);
  };
  const seek = (input: number): number => seekOf(command, input, probes[input]);
  /** Where ffmpeg counts from, which it corrects by the streams in use; a seek goes from the file's start. */
  const origin = (input: number, start: Starts): number =>
    correctsStarts ? Math.max(start.ofFile + seek(input), start.effective) : start.effective + seek(input);
  const sought = (input: number): number => {
    const start = starts[input];
    return start === undefined ? seek(input) : origin(input, start) - start.effective;
  };
  return {
    decodeGlobals: ['-copyts', ...(isSimple ? ['-start_at_zero'] : [])],
    decodeInput: (input) =>
      isSimple ? [] : ['-itsoffset', seconds(shift(input) - (starts[input]?.effective ?? 0) + nudge)],
    encodeInput: (input) => {
      const start = starts[input];
      if (start?.isJumping !== true) {
        return [];
      }
      const probed = probes[input];
      if (!correctsStarts || probed === undefined) {
        return ['-itsoffset', seconds(shift(input) + start.ofFile - start.effective + nudge)];
      }
      const again = startsOf(probed, usedAgain[input]);
      return ['-itsoffset', seconds(shift(input) + origin(input, again) - origin(input, start))];
    },
    raw: [],
    pipeStart: ({ timeBase: [numerator, denominator] }, firstPts) =>
      (firstPts * numerator) / denominator - (source === undefined ? 0 : sought(source.input)),
  };
}

interface Starts {
  readonly isJumping: boolean;
  readonly ofFile: number;
  /** What ffmpeg counts from. */
  readonly effective: number;
}

function startsOf(probed: ProbedInput, used: ReadonlySet<number> | undefined): Starts {
  const ofFile = probed.startSeconds ?? 0;
  const isJumping = jumping.test(probed.format);
  const ofStreams = probed.streams.flatMap(({ index, startSeconds }) =>
    used?.has(index) === true && startSeconds !== undefined ? [startSeconds] : [],
  );
  return { isJumping, ofFile, effective: isJumping && ofStreams.length > 0 ? Math.min(...ofStreams) : ofFile };
}

/** How far into its input a command starts to read. */
function seekOf(command: Command, input: number, probed: ProbedInput | undefined): number {
  const words = command.inputs[input];
  const fromStart = words === undefined ? undefined : readTime(lastValue(words, 'ss'));
  const fromEnd = words === undefined ? undefined : readTime(lastValue(words, 'sseof'));
  if (fromStart !== undefined) {
    return fromStart;
  }
  return fromEnd === undefined ? 0 : Math.max(0, (probed?.durationSeconds ?? 0) + fromEnd);
}

const units: Readonly<Record<string, number>> = { '': 1, s: 1, ms: 1e-3, us: 1e-6 };

/** Seconds of a time as ffmpeg writes it: `12.5`, `-3`, `1:02:03.5`, `200ms`; undefined for anything else. */
export function readTime(text: string | undefined): number | undefined {
  const [, sign, hours, minutes, rest, unit] =
    /^(-?)(?:(\d+):)??(?:(\d+):)?(\d+(?:\.\d*)?|\.\d+)(s|ms|us|)$/.exec(text ?? '') ?? [];
  if (rest === undefined) {
    return undefined;
  }
  const whole = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60 + Number(rest);
  return (sign === '-' ? -1 : 1) * whole * (units[unit ?? ''] ?? 1);
}

const seconds = (value: number): string => value.toFixed(6);

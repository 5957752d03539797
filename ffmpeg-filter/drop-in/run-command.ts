import { readFileSync } from 'node:fs';
import { loadModel, MambairError, type FrameRestorer } from '../../core/index.js';
import { lostByFrames } from '../clip/losses.js';
import { repackedFormat } from '../clip/source-format.js';
import { parseCommand, type Command } from '../command/command-line.js';
import { interlacedOrder } from '../command/cut-command.js';
import { isVideoDecodingOption } from '../command/ffmpeg-options.js';
import type { FfmpegVersion } from '../command/ffmpeg-version.js';
import { readFilterOptions } from '../command/filter-options.js';
import { findOurFilter, type FoundFilter } from '../command/find-filter.js';
import { readVersion, type FoundFfmpeg } from '../command/find-ffmpeg.js';
import { fillHalf, pipeWords, rawWords, staleTagWords, timeBaseWords } from '../command/half.js';
import { chromaWords, type PictureFacts, type ProbedInput } from '../command/probed-input.js';
import { splitCommand, type Split } from '../command/split-command.js';
import { frameColour } from '../pipeline/frame-colour.js';
import type { StreamProgress } from '../pipeline/frame-progress.js';
import { runPipeline, type PipelineResult } from '../pipeline/run-pipeline.js';
import type { VideoStream } from '../transport/video-stream.js';
import { commandClock } from './clock.js';
import { decodeLines, encodeLines } from './console-lines.js';
import { filterModel, requireFitting } from './filter-model.js';
import { lookAtInputs } from './look-at-inputs.js';
import { hasQuietLog, hidesNotes, withErrors } from './log-level.js';
import { OutputsAside } from './outputs-aside.js';
import { seeColours } from './see-colours.js';
import { askFfmpeg, planHdr, type HdrPlan } from './static-hdr.js';
import { takesStreamTimes } from './time-bases.js';

/** A command with our filter, taken apart as far as its words tell. */
export interface OurCommand {
  readonly command: Command;
  readonly found: FoundFilter;
}

/** How a command with our filter is run. */
export interface RunCommandOptions {
  readonly programs: Omit<FoundFfmpeg, 'version'>;
  readonly signal?: AbortSignal | undefined;
  /** Told what one ffmpeg would write to standard error, with the ends of the lines. */
  readonly write: (text: string) => void;
  /** Asks whether files may be replaced; absent: they may not unless the command says so (`-y`). */
  readonly mayReplace?: ((path: string) => Promise<boolean>) | undefined;
  readonly progress?: ((progress: StreamProgress) => void) | undefined;
}

/**
 * The command when our filter stands in it; undefined when it is ffmpeg's alone.
 * @throws MAMBAIR_FFMPEG_UNSPLITTABLE, MAMBAIR_OPTION_INVALID
 */
export function readCommand(argv: readonly string[]): OurCommand | undefined {
  const command = parseCommand(argv);
  const found = findOurFilter(command, (path) => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      // ffmpeg will say that it cannot read it.
      return '';
    }
  });
  return found === undefined ? undefined : { command, found };
}

/**
 * Runs an ffmpeg command with our filter: two ffmpegs and the model between them. Its files appear under their names once
 * all is complete; until then, and if anything fails, they are called `name.partial.ext`.
 * @throws MAMBAIR_FFMPEG_UNSUPPORTED, MAMBAIR_FFMPEG_UNSPLITTABLE, MAMBAIR_OPTION_INVALID, MAMBAIR_FILE_READ, MAMBAIR_FILE_EXISTS, MAMBAIR_FILE_WRITE,
 *   MAMBAIR_FFMPEG_DECODE, MAMBAIR_FFMPEG_ENCODE, MAMBAIR_VIDEO_UNSUPPORTED, MAMBAIR_CANCELLED, and what loading and running
 *   a model raise
 */
export async function runCommand(
  { command, found }: OurCommand,
  { programs, signal, write, mayReplace, progress }: RunCommandOptions,
): Promise<PipelineResult> {
  const options = readFilterOptions(found.filter.arguments);
  const { ffmpeg, ffprobe } = programs;
  const [version, { probes, sideData }] = await Promise.all([
    readVersion(programs),
    lookAtInputs(command, found, { ffprobe, signal }),
  ]);
  const { split, arriving } = await splitSeen({ command, found }, probes, { ffmpeg, signal });
  // Everything else of the colours goes along with the frames of the encoding half.
  const leaving = split.changesChromaPlace ? undefined : arriving;
  const { chromaLocation } = leaving?.colour ?? {};
  const hdr = await planHdr(command, split, { sideData, chromaLocation, ask: askFfmpeg(ffmpeg) });
  const outputs = new OutputsAside(command);
  await requireFreeNames(command, outputs, mayReplace);
  for (const note of hidesNotes(command) ? [] : notes(split, [...hdr.lost, ...lostByFrames(sideData)])) {
    write(`mambair: ${note}\n`);
  }
  const { source, load, frames } = filterModel(options);
  const model = await loadModel(source, { ...load, ...(signal === undefined ? {} : { signal }) });
  try {
    requireFitting(model, options);
    refuseFields(command, split, model.info);
    await outputs.clear();
    const halves = fillHalves(command, split, { probes, version, outputs, hdr, arriving, leaving });
    const show = { decode: decodeLines(), encode: encodeLines() };
    const isQuiet = hasQuietLog(command);
    const writer =
      (half: 'decode' | 'encode') =>
      (line: string): void => {
        if (!isQuiet && show[half].shows(line)) {
          write(line.endsWith('\r') ? line : `${line}\n`);
        }
      };
    const result = await runPipeline({
      program: ffmpeg,
      decodeArgs: halves.decode,
      encodeArgs: ({ header }, firstPts) => halves.encode(header, firstPts),
      restorersFor: async (stream: VideoStream): Promise<readonly FrameRestorer[]> => {
        const colour = frameColour(stream.header, arriving);
        return [
          await model.createFrameRestorer(stream.layout, colour, {
            ...frames,
            ...(signal === undefined ? {} : { signal }),
            warn: (_code, message) => write(`mambair: ${message}\n`),
          }),
        ];
      },
      signal,
      progress,
      stdin: split.unread.length > 0 ? 'inherit' : 'ignore',
      stdout: 'inherit',
      onDecodeLine: writer('decode'),
      onEncodeLine: writer('encode'),
    });
    await outputs.finish();
    return result;
  } catch (error) {
    for (const path of outputs.partials) {
      write(`mambair: what was written before the end is in ${path}\n`);
    }
    throw error;
  } finally {
    await model.dispose();
  }
}

function notes(split: Split, lost: readonly string[]): readonly string[] {
  return [
    ...split.unread.map((url) => `${url} is read once, so its global tags and chapters do not reach the output`),
    ...lost,
  ];
}

/** A command in halves, with what is known of the colours of the frames between them; undefined when nothing is. */
async function splitSeen(
  { command, found }: OurCommand,
  probes: readonly (ProbedInput | undefined)[],
  programs: { readonly ffmpeg: string; readonly signal: AbortSignal | undefined },
): Promise<{ readonly split: Split; readonly arriving: PictureFacts | undefined }> {
  const split = splitCommand(command, found, probes);
  // What comes once is not there to be looked at.
  const isToSee = (split.mayChangeColour || decodesByOptions(command, split)) && split.unread.length === 0;
  const seen = isToSee ? await seeColours(split, programs) : undefined;
  return seen === undefined
    ? { split, arriving: split.changesColour.before ? undefined : split.source?.stream }
    : { split: splitCommand(command, found, probes, seen), arriving: seen };
}

/** What makes the decoding half hand frames over in a format that is read here, with the same samples. */
function repackWords(arriving: PictureFacts | undefined): readonly string[] {
  const format = arriving?.pixelFormat === undefined ? undefined : repackedFormat(arriving.pixelFormat);
  return format === undefined ? [] : ['-pix_fmt', format];
}

/** True where options choose how the pictures are decoded, so that frames may not come as the probe says. */
function decodesByOptions({ inputs }: Command, { source }: Split): boolean {
  const options = source === undefined ? [] : (inputs[source.input]?.options ?? []);
  return options.some(({ name }) => isVideoDecodingOption(name));
}

interface Halves {
  readonly decode: readonly string[];
  readonly encode: (header: VideoStream['header'], firstPts: number) => readonly string[];
}

function fillHalves(
  command: Command,
  split: Split,
  {
    probes,
    version,
    outputs,
    hdr,
    arriving,
    leaving,
  }: {
    readonly probes: readonly (ProbedInput | undefined)[];
    readonly version: FfmpegVersion;
    readonly outputs: OutputsAside;
    readonly hdr: HdrPlan;
    readonly arriving: PictureFacts | undefined;
    readonly leaving: PictureFacts | undefined;
  },
): Halves {
  const clock = commandClock(command, split, probes);
  // Before 5.1 the option had another name.
  const named = (words: readonly string[]): readonly string[] =>
    version.hasFpsMode ? words : words.map((word) => (word === '-fps_mode' ? '-vsync' : word));
  const loud = (words: readonly string[]): readonly string[] => (hasQuietLog(command) ? withErrors(words) : words);
  const decode = fillHalf(split.decode, {
    raw: named([...clock.raw, ...repackWords(arriving), ...rawWords(split.timeBase)]),
    clock: clock.decodeInput,
  });
  return {
    decode: ['-nostdin', '-nostats', ...clock.decodeGlobals, ...loud(decode)],
    encode: (header, firstPts) => {
      const encode = fillHalf(split.encode, {
        pipe: pipeWords(clock.pipeStart(header, firstPts)),
        clock: clock.encodeInput,
        timeBase: (output) => named(timeBaseWords(takesStreamTimes(command, output) ? split.timeBase : undefined)),
        colour: (stream) => [
          ...staleTagWords(stream),
          ...(leaving === undefined ? [] : chromaWords(leaving, stream.video, stream.options)),
          ...hdr.words(stream),
        ],
        output: (url, output) => outputs.address(url, output),
      });
      return ['-hide_banner', ...loud(encode)];
    },
  };
}

/** @throws MAMBAIR_FILE_EXISTS when the command would replace files and nobody has allowed it */
async function requireFreeNames(
  command: Command,
  outputs: OutputsAside,
  mayReplace: ((path: string) => Promise<boolean>) | undefined,
): Promise<void> {
  const isGiven = (name: string): boolean => command.globals.some((option) => option.name === name);
  if (isGiven('y') && !isGiven('n')) {
    return;
  }
  for (const path of outputs.existing) {
    if (isGiven('n') || mayReplace === undefined || !(await mayReplace(path))) {
      throw new MambairError('MAMBAIR_FILE_EXISTS', `${path} exists; -y replaces it`, { detail: { file: path } });
    }
  }
}

/** @throws MAMBAIR_VIDEO_UNSUPPORTED for woven fields, which a network that takes whole frames would blend */
function refuseFields(
  command: Command,
  split: Split,
  { architecture, scale }: { readonly architecture: string; readonly scale: number },
): void {
  const order = split.source === undefined || split.changesFields ? undefined : interlacedOrder(split.source.stream);
  if (order === undefined || (architecture === 'identity' && scale === 1)) {
    return;
  }
  const url = command.inputs[split.source?.input ?? 0]?.url ?? 'the input';
  throw new MambairError(
    'MAMBAIR_VIDEO_UNSUPPORTED',
    `the frames of ${url} are interlaced (${order}); deinterlace them first, as in "bwdif,${split.filter.text}", ` +
      `or say that they are not, as in "setfield=prog,${split.filter.text}"`,
    { detail: { order } },
  );
}

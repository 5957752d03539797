import { readFileSync } from 'node:fs';
import { loadModel, MambairError, type FrameRestorer } from '../../core/index.js';
import { lostByFrames } from '../clip/losses.js';
import { parseCommand, type Command } from '../command/command-line.js';
import { interlacedOrder } from '../command/cut-command.js';
import { readFilterOptions } from '../command/filter-options.js';
import { findOurFilter, type FoundFilter } from '../command/find-filter.js';
import { readVersion, type FoundFfmpeg } from '../command/find-ffmpeg.js';
import type { Split } from '../command/split-command.js';
import { frameColour } from '../pipeline/frame-colour.js';
import type { StreamProgress } from '../pipeline/frame-progress.js';
import { runPipeline, type PipelineResult } from '../pipeline/run-pipeline.js';
import type { VideoStream } from '../transport/video-stream.js';
import { decodeLines, encodeLines } from './console-lines.js';
import { filterModel, requireFitting } from './filter-model.js';
import { carriedBy, decodeWords, encodeWords, splitSeen, splitTold } from './halves.js';
import { lookAtInputs } from './look-at-inputs.js';
import { hasQuietLog, hidesNotes } from './log-level.js';
import { OutputsAside } from './outputs-aside.js';
import { ToldColours } from './told-colours.js';

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
 * @throws MAMBAIR_FFMPEG_UNSUPPORTED, MAMBAIR_FFMPEG_UNSPLITTABLE, MAMBAIR_OPTION_INVALID, MAMBAIR_FILE_READ,
 *   MAMBAIR_FILE_EXISTS, MAMBAIR_FILE_WRITE, MAMBAIR_FFMPEG_DECODE, MAMBAIR_FFMPEG_ENCODE, MAMBAIR_VIDEO_UNSUPPORTED, MAMBAIR_CANCELLED, and what loading and running
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
  const seen = { command, found, probes, sideData, ffmpeg, version };
  let facts = await splitSeen(seen, signal);
  const { split, hdr } = facts;
  const lostHdr = hdr.lost(hdr.carried !== undefined);
  const note = (text: string): void => (hidesNotes(command) ? undefined : write(`mambair: ${text}\n`));
  const outputs = new OutputsAside(command);
  await requireFreeNames(command, outputs, mayReplace);
  notes(split, [...lostHdr, ...lostByFrames(sideData)]).forEach(note);
  const { source, load, frames } = filterModel(options);
  const model = await loadModel(source, { ...load, ...(signal === undefined ? {} : { signal }) });
  try {
    requireFitting(model, options);
    refuseFields(command, split, model.info);
    await outputs.clear();
    const told = split.unread.length > 0 ? new ToldColours(command) : undefined;
    const call = { command, probes, version, outputs };
    const show = { decode: decodeLines(), encode: encodeLines() };
    const isQuiet = hasQuietLog(command);
    const writer =
      (half: 'decode' | 'encode') =>
      (line: string | undefined): void => {
        if (line !== undefined && !isQuiet && show[half].shows(line)) {
          write(line.endsWith('\r') ? line : `${line}\n`);
        }
      };
    const writeDecode = writer('decode');
    const result = await runPipeline({
      program: ffmpeg,
      decodeArgs: decodeWords(facts, call, told),
      encodeArgs: ({ header }, firstPts) => encodeWords(facts, call, { header, firstPts }),
      hdrFor: ({ header }) => {
        const carried = carriedBy(facts, header);
        if (carried === undefined) {
          facts.hdr
            .lost(false)
            .filter((text) => !lostHdr.includes(text))
            .forEach(note);
        }
        return carried;
      },
      restorersFor: async (stream: VideoStream): Promise<readonly FrameRestorer[]> => {
        const colours = await told?.colours();
        facts = colours === undefined ? facts : await splitTold(seen, colours);
        const colour = frameColour(stream.header, facts.arriving);
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
      onDecodeLine: told === undefined ? writeDecode : (line) => writeDecode(told.take(line)),
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
    ...split.unread.map(
      (url) => `${url} is read once, so its global tags, chapters and HDR10 data do not reach the output`,
    ),
    ...lost,
  ];
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

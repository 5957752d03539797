import { existsSync } from 'node:fs';
import { extname } from 'node:path';
import { findModel, isMambairError } from '../../core/index.js';
import { workFolderOf } from '../../ffmpeg-filter/clip/work-folder.js';
import type { RestoreVideoOptions } from '../../ffmpeg-filter/clip/options.js';
import { planVideo, restoreVideo } from '../../ffmpeg-filter/clip/restore-video.js';
import { clipDuration } from '../../ffmpeg-filter/clip/open-clip.js';
import { defineCommand, type CommandInput } from '../command.js';
import { exitCodes } from '../exit-codes.js';
import { flag, integer, list, text, usageError, value } from '../options.js';
import {
  given,
  jsonOption,
  loadOptions,
  quietOption,
  readSettings,
  restoreOptions,
  restoringOptions,
  wishOf,
} from '../shared-options.js';
import { suffixOf } from '../outputs.js';
import { VideoReport } from '../video-report.js';

const options = {
  output: text('FILE', 'where to; its extension says the container (default: beside the input, with a suffix)', 'o'),
  ...restoringOptions,
  codec: text(
    'NAME',
    'h264, h265, vp9, av1, ffv1, prores … or an encoder of ffmpeg\n(default: by the extension, keeping depth, chroma and alpha)',
  ),
  crf: value('N', 'quality of the encoder, lower is better (default 18 to 24)', readNumber),
  encoder: list('KEY=VALUE', 'an option of the encoder by ffmpeg’s name, e.g. preset=slow'),
  'pixel-format': text('NAME', 'of the output, by ffmpeg’s name (default: the input’s)'),
  start: value('TIME', 'where to begin: 90, 90.5, 1:30, 0:01:30, 3s, 500ms', readTime),
  end: value('TIME', 'where to end', readTime),
  preview: value('TIME', 'restore so much only, from --start or the middle', readTime),
  stream: integer({ least: 0, most: 1000 }, 'number of the video stream (default: the main one)'),
  deinterlace: flag('make whole frames of interlaced ones first'),
  resume: flag('go on where an earlier run has stopped'),
  'no-chunks': flag('keep no restored frames on disk; such a run cannot be resumed'),
  'dry-run': flag('print the ffmpeg commands and what cannot be kept; restore nothing'),
  overwrite: flag('replace an existing file, and begin anew'),
  ffmpeg: text('FILE', 'the ffmpeg to use'),
  ffprobe: text('FILE', 'the ffprobe to use'),
  json: jsonOption,
  quiet: quietOption,
} as const;

/** Two ffmpegs are to be ended, and what they have half written is removed. */
const stopMs = 5000;

type Values = CommandInput<typeof options>['options'];

/** `mambair video` */
export const video = defineCommand({
  name: 'video',
  summary: 'restore a video and keep everything else in it',
  usage: '<file> [-o <file>] [options]',
  notes: [
    'Times, sound, subtitles, chapters, tags, depth and colour stay as they are; what the',
    'output cannot keep is said before the work begins. Needs ffmpeg.',
    '',
    'Examples:',
    '  mambair video holiday.mp4 -o holiday-x2.mp4',
    '  mambair video film.mkv -o film-x2.mkv --codec h265 --crf 20 --resume',
    '  mambair video film.mkv -o look.mkv --preview 3s',
  ].join('\n'),
  options,
  positionals: { least: 1, most: 1, missing: 'say which video to restore' },
  run: async ({ options: values, positionals: [input = ''], context }) => {
    const output = values.output ?? besideInput(input, values);
    context.takeTimeToStop?.(stopMs);
    const report = new VideoReport({ context, json: values.json, quiet: values.quiet, input });
    const settings: RestoreVideoOptions = {
      ...(await videoOptions(input, values)),
      signal: context.signal,
      progress: (progress) => report.advanced(progress),
      warn: (warning) => report.warned(warning),
    };
    if (values['dry-run']) {
      report.planned(await planVideo(input, output, settings));
      return exitCodes.ok;
    }
    try {
      report.restored(await restoreVideo(input, output, settings));
      return exitCodes.ok;
    } catch (error) {
      // Those speak of the folder themselves.
      const isTold = isMambairError(error, 'MAMBAIR_FILE_EXISTS') || isMambairError(error, 'MAMBAIR_RESUME_REFUSED');
      const folder = workFolderOf(output);
      return report.failed(error, !isTold && existsSync(folder) ? folder : undefined);
    }
  },
});

/** The model's suffix as `restore` gives it, e.g. `-x2`, and the container of the input. */
function besideInput(input: string, values: Values): string {
  const extension = extname(input);
  const named = values.model === undefined ? undefined : findModel(values.model);
  const suffix = suffixOf(named ?? wishOf(values));
  return `${input.slice(0, input.length - extension.length)}${values.preview === undefined ? '' : '-preview'}${suffix}${extension || '.mkv'}`;
}

async function videoOptions(input: string, values: Values): Promise<RestoreVideoOptions> {
  const { start, end } = await partOf(input, values);
  const { task, scale, model, codec, crf, stream, ffmpeg, ffprobe, 'pixel-format': pixelFormat } = values;
  wishOf(values);
  return {
    ...restoreOptions(values),
    ...given({ task, scale, model, codec, crf, pixelFormat, start, end, stream, ffmpeg, ffprobe }),
    load: { ...loadOptions(values), set: readSettings(values.set) },
    encoderOptions: encoderOptions(values.encoder),
    deinterlace: values.deinterlace,
    resume: values.resume,
    keepChunks: !values['no-chunks'] && values.preview === undefined,
    overwrite: values.overwrite,
  };
}

async function partOf(
  input: string,
  values: Values,
): Promise<{ readonly start: number | undefined; readonly end: number | undefined }> {
  const { start, end, preview } = values;
  if (preview === undefined) {
    return { start, end };
  }
  if (end !== undefined) {
    throw usageError('--preview says where to end; leave --end out');
  }
  // The first seconds of a film are often black.
  const from = start ?? Math.max(0, ((await clipDuration(input, values)) - preview) / 2);
  return { start: Number(from.toFixed(3)), end: Number((from + preview).toFixed(3)) };
}

function encoderOptions(pairs: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, key, setting] = /^-?([^=]+)=(.*)$/.exec(pair) ?? [];
      if (key === undefined || setting === undefined) {
        throw usageError(`--encoder should be KEY=VALUE, e.g. preset=slow, not "${pair}"`);
      }
      return [key, setting];
    }),
  );
}

function readNumber(written: string): number {
  const number = Number(written);
  if (!/^\d+(\.\d+)?$/.test(written)) {
    throw new Error('a number, 0 or more');
  }
  return number;
}

const unitSeconds: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, min: 60, h: 3600, '': 1 };

/** `90`, `90.5`, `1:30`, `0:01:30.5`, `3s`, `500ms`, `2min`: seconds. */
export function readTime(written: string): number {
  const [, hours, minutes, seconds] = /^(?:(\d+):)?([0-5]?\d):([0-5]?\d(?:\.\d+)?)$/.exec(written) ?? [];
  if (seconds !== undefined) {
    return Number(hours ?? 0) * 3600 + Number(minutes) * 60 + Number(seconds);
  }
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/.exec(written) ?? [];
  const factor = unitSeconds[unit ?? ''];
  if (number === undefined || factor === undefined) {
    throw new Error('a time such as 90, 1:30 or 3s');
  }
  return Number(number) * factor;
}

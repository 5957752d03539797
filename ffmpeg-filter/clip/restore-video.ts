import { mkdir, rename, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { MambairError } from '../../core/index.js';
import { jobFacts } from './job-facts.js';
import type { VideoLoss } from './losses.js';
import { isAddress } from './open-clip.js';
import { expectedFrames, secondsOf } from './open-frames.js';
import { checkVideoOptions, type RestoreVideoOptions } from './options.js';
import { foreseeLosses, openSession, type Session } from './session.js';
import { WorkFolder } from './work-folder.js';
import { completeFile, writeFrames } from './write-video.js';

/** A video that was restored. */
export interface RestoredVideo {
  readonly output: string;
  /** Frames of the output, as many as the input has in that part. */
  readonly frames: number;
  /** Of these, those that an earlier run has made. */
  readonly resumedFrames: number;
  readonly inputWidth: number;
  readonly inputHeight: number;
  readonly outputWidth: number;
  readonly outputHeight: number;
  /** ffmpeg's names. */
  readonly encoder: string;
  readonly pixelFormat: string;
  /** Id or path. */
  readonly model: string;
  readonly scale: number;
}

/** What would be done to a video. */
export interface VideoPlan {
  readonly ffmpeg: string;
  /** The command that decodes frames to NUT on its standard output, without the program's name. */
  readonly decode: readonly string[];
  /** The command that makes the output from NUT, or Matroska, on its standard input, without the program's name. */
  readonly encode: readonly string[];
  /** Frames to restore, as far as that is known. */
  readonly frames: number | undefined;
  readonly inputWidth: number;
  readonly inputHeight: number;
  readonly outputWidth: number;
  readonly outputHeight: number;
  readonly encoder: string;
  readonly pixelFormat: string;
  readonly model: string;
  readonly scale: number;
  /** What the output cannot keep. */
  readonly losses: readonly VideoLoss[];
}

/**
 * Restores a video file into another: every frame goes through a model, everything else stays as it is. Times, sound,
 * subtitles, chapters, tags and colour are kept; what the output's container cannot keep is told to `warn` before the work
 * begins. The output appears under its name when it is whole. Until then restored frames lie in a folder beside it, from
 * which `resume` goes on after a failure.
 *
 * ```ts
 * await restoreVideo('holiday.mp4', 'holiday-x2.mp4', { scale: 2 });
 * ```
 * @throws MAMBAIR_FILE_NOT_FOUND, MAMBAIR_FILE_EXISTS, MAMBAIR_FILE_WRITE, MAMBAIR_OPTION_INVALID, MAMBAIR_RESUME_REFUSED,
 * MAMBAIR_VIDEO_MALFORMED, MAMBAIR_VIDEO_UNSUPPORTED, MAMBAIR_FFMPEG_NOT_FOUND, MAMBAIR_FFMPEG_UNSUPPORTED,
 * MAMBAIR_FFMPEG_DECODE, MAMBAIR_FFMPEG_ENCODE, MAMBAIR_CANCELLED, and the codes of loading and running models
 */
export async function restoreVideo(
  input: string,
  output: string,
  options: RestoreVideoOptions = {},
): Promise<RestoredVideo> {
  checkVideoOptions(options);
  const path = resolve(output);
  await refuseOutput(input, path, options.overwrite === true);
  const session = await openSession(input, path, options);
  try {
    for (const { kind, message } of await foreseeLosses(session)) {
      options.warn?.({ code: kind, message });
    }
    await makeFolder(dirname(path));
    const folder = await WorkFolder.open(path, await jobFacts(session), {
      resume: options.resume === true,
      overwrite: options.overwrite === true,
    });
    const resumedFrames = folder.frames;
    try {
      const partial = folder.temporary(session.container.extension);
      const frames = await writeFrames(session, folder, partial);
      await completeFile(session, partial, frames);
      await rename(partial, path);
      await folder.remove();
      return { output: path, frames, resumedFrames, ...facts(session) };
    } catch (error) {
      await folder.leave();
      throw error;
    }
  } finally {
    await session.close();
  }
}

/**
 * Says what {@link restoreVideo} would do, and what the output could not keep, without restoring or writing anything.
 * @throws as {@link restoreVideo}
 */
export async function planVideo(input: string, output: string, options: RestoreVideoOptions = {}): Promise<VideoPlan> {
  checkVideoOptions(options);
  const path = resolve(output);
  const session = await openSession(input, path, options);
  try {
    const { ffmpeg, plan, decodeArgs, clip, part, source } = session;
    return {
      ffmpeg: ffmpeg.ffmpeg,
      decode: decodeArgs,
      encode: plan.encode(path, { firstSeconds: secondsOf(source, source.firstPts) }),
      frames: expectedFrames(clip, part),
      ...facts(session),
      losses: await foreseeLosses(session),
    };
  } finally {
    await session.close();
  }
}

function facts({ source, restorer, encoder, model }: Session) {
  return {
    inputWidth: source.layout.width,
    inputHeight: source.layout.height,
    outputWidth: restorer.layout.width,
    outputHeight: restorer.layout.height,
    encoder: encoder.encoder,
    pixelFormat: encoder.pixelFormat,
    model: model.info.name,
    scale: model.info.scale,
  };
}

async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((cause: unknown) => {
    const system = String((cause as { code?: unknown }).code);
    throw new MambairError('MAMBAIR_FILE_WRITE', `${path}: this folder cannot be made (${system})`, {
      cause,
      detail: { file: path, system },
    });
  });
}

async function refuseOutput(input: string, output: string, overwrite: boolean): Promise<void> {
  if (!isAddress(input) && resolve(input) === output) {
    throw new MambairError(
      'MAMBAIR_OPTION_INVALID',
      `${output}: expected an output that is another file than the input`,
      {
        detail: { option: 'output' },
      },
    );
  }
  const found = await stat(output).catch(() => undefined);
  if (found?.isDirectory() === true || (found !== undefined && !overwrite)) {
    const what = found.isDirectory()
      ? 'is a folder; name a file'
      : 'exists already; allow overwriting or choose another name';
    throw new MambairError('MAMBAIR_FILE_EXISTS', `${output}: ${what}`, { detail: { file: output } });
  }
}

import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { MambairError, type FrameLayout } from '../../core/index.js';
import { findFfmpeg, type FoundFfmpeg } from '../command/find-ffmpeg.js';
import { throwIfCancelled } from '../pipeline/cancel.js';
import { encode } from '../pipeline/encode.js';
import type { VideoFrame, VideoHeader } from '../transport/video-stream.js';
import type { HdrNumbers } from '../transport/write-matroska.js';
import { readEncoderFormats, type EncoderFormats } from './encoders.js';
import { losses, streamLosses, twinOf, type VideoLoss } from './losses.js';
import type { EncodePlan } from './plan-clip.js';
import {
  probeFirstFrames,
  probeHeader,
  probePictures,
  type ClipHeader,
  type ClipPictures,
  type ClipStream,
} from './probe-clip.js';

/** A clip that was looked at. */
export interface Clip {
  readonly header: ClipHeader;
  /** The stream that is restored. */
  readonly stream: ClipStream;
  readonly pictures: ClipPictures;
}

/**
 * Looks at a clip: its streams, its first frames, the times of all its packets.
 * @throws MAMBAIR_FILE_NOT_FOUND, MAMBAIR_VIDEO_MALFORMED for what is no video, MAMBAIR_VIDEO_UNSUPPORTED for one without
 * pictures, MAMBAIR_OPTION_INVALID for a stream that is none, MAMBAIR_CANCELLED
 */
export async function openClip(
  { ffprobe }: FoundFfmpeg,
  path: string,
  { stream: chosen, signal }: { readonly stream?: number | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<Clip> {
  await refuseMissing(path);
  const header = await probeHeader(ffprobe, path);
  throwIfCancelled(signal);
  const stream = chosen === undefined ? mainVideo(header) : header.streams[chosen];
  if (chosen !== undefined && (stream === undefined || !isVideo(stream))) {
    throw new MambairError(
      'MAMBAIR_OPTION_INVALID',
      `stream: ${path} has no video stream ${chosen}; it has: ${listVideos(header)}`,
      {
        detail: { option: 'stream' },
      },
    );
  }
  if (stream === undefined) {
    throw new MambairError('MAMBAIR_VIDEO_UNSUPPORTED', `${path}: expected a video, found no stream of pictures`, {
      detail: { file: path },
    });
  }
  const pictures = await probePictures(ffprobe, header, stream, signal);
  if (pictures.packets === 0) {
    throw new MambairError(
      'MAMBAIR_VIDEO_UNSUPPORTED',
      `${path}: expected frames in its video, stream ${stream.index}; it has none`,
      {
        detail: { file: path },
      },
    );
  }
  return { header, stream, pictures };
}

async function refuseMissing(path: string): Promise<void> {
  if (isAddress(path)) {
    return;
  }
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || found.isDirectory()) {
    throw new MambairError(
      'MAMBAIR_FILE_NOT_FOUND',
      `${path}: expected a video file, found ${found === undefined ? 'nothing' : 'a folder'}`,
      {
        detail: { file: path },
      },
    );
  }
}

/** True for what ffmpeg reads by a protocol, such as `https://`. */
export function isAddress(path: string): boolean {
  return /^[a-z][a-z\d+.-]+:\/\//i.test(path);
}

const isVideo = ({ kind, disposition }: ClipStream): boolean =>
  kind === 'video' && !disposition.includes('attached_pic') && !disposition.includes('timed_thumbnails');

/** The first video that is marked as the default, else the first. */
function mainVideo({ streams }: ClipHeader): ClipStream | undefined {
  const videos = streams.filter(isVideo);
  return videos.find(({ disposition }) => disposition.includes('default')) ?? videos[0];
}

function listVideos({ streams }: ClipHeader): string {
  const videos = streams
    .filter(isVideo)
    .map(({ index, codec, width, height }) => `${index} (${codec}, ${width}×${height})`);
  return videos.length === 0 ? 'none' : videos.join(', ');
}

/** What each ffmpeg has said of its encoders. */
const allAnswers = new Map<string, Map<string, Promise<readonly string[] | undefined>>>();

/** Asks an ffmpeg which pixel formats its encoders take; each is asked once. */
export function askEncoders({ ffmpeg }: FoundFfmpeg): EncoderFormats {
  const answers = allAnswers.get(ffmpeg) ?? new Map<string, Promise<readonly string[] | undefined>>();
  allAnswers.set(ffmpeg, answers);
  return (encoder) => {
    const answer =
      answers.get(encoder) ??
      new Promise<readonly string[] | undefined>((resolve) => {
        execFile(
          ffmpeg,
          ['-hide_banner', '-h', `encoder=${encoder}`],
          { maxBuffer: 2 ** 22, windowsHide: true },
          (_, printed) => resolve(readEncoderFormats(printed)),
        );
      });
    answers.set(encoder, answer);
    return answer;
  };
}

/** What a trial is made with. */
export interface TrialCall {
  readonly ffmpeg: FoundFfmpeg;
  readonly clip: Clip;
  readonly plan: EncodePlan;
  readonly extension: string;
  /** Of the frames that will come. */
  readonly header: VideoHeader;
  readonly layout: FrameLayout;
  readonly firstPts: number;
  /** HDR10's static data that they will go with, in Matroska. */
  readonly hdr: HdrNumbers | undefined;
  readonly firstSeconds: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes the output with a single black frame, so that what would fail in the end fails now, and compares it with the clip:
 * what the container or the encoder cannot keep is known by name before the work begins.
 * @throws MAMBAIR_FFMPEG_ENCODE with what ffmpeg says, MAMBAIR_CANCELLED
 */
export async function tryEncode(call: TrialCall): Promise<readonly VideoLoss[]> {
  const { ffmpeg, clip, plan, header, layout, firstPts, firstSeconds, signal } = call;
  const folder = await mkdtemp(join(tmpdir(), 'mambair-trial-'));
  try {
    const path = join(folder, `trial${call.extension}`);
    await encode({
      program: ffmpeg.ffmpeg,
      args: plan.encode(path, { firstSeconds, trial: true }),
      header,
      hdr: call.hdr,
      frames: oneFrame({ pts: firstPts, data: new Uint8Array(layout.bytes) }),
      signal,
      onFailure: 'kill',
    });
    const made = await probeHeader(ffmpeg.ffprobe, path);
    const stream = twinOf(clip.stream, plan.streams, made);
    if (stream === undefined) {
      throw new MambairError('MAMBAIR_FFMPEG_ENCODE', `${call.extension}: the encoding ffmpeg left the video out`);
    }
    const { sideData } = await probeFirstFrames(ffmpeg.ffprobe, path, stream);
    return [...streamLosses(plan.streams), ...losses(clip, { header: made, stream, sideData }, plan.streams)];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function* oneFrame(frame: VideoFrame): AsyncGenerator<VideoFrame> {
  yield frame;
}

/** How long a clip is, in seconds. @throws MAMBAIR_VIDEO_UNSUPPORTED when its container does not say */
export async function clipDuration(
  path: string,
  programs: { readonly ffmpeg?: string | undefined; readonly ffprobe?: string | undefined },
): Promise<number> {
  await refuseMissing(path);
  const { ffprobe } = await findFfmpeg({ ffmpeg: programs.ffmpeg, ffprobe: programs.ffprobe });
  const { duration } = await probeHeader(ffprobe, isAddress(path) ? path : resolve(path));
  if (duration === undefined) {
    throw new MambairError(
      'MAMBAIR_VIDEO_UNSUPPORTED',
      `${path}: expected a video that says how long it is; say where to start`,
      {
        detail: { file: path },
      },
    );
  }
  return duration;
}

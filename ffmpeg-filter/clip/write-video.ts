import { open } from 'node:fs/promises';
import { MambairError, type ErrorDetail } from '../../core/index.js';
import { encode } from '../pipeline/encode.js';
import type { FramePool } from '../pipeline/frame-pool.js';
import type { StreamProgress } from '../pipeline/frame-progress.js';
import { restoreStream } from '../pipeline/restore-stream.js';
import type { VideoFrame } from '../transport/video-stream.js';
import { chunkCodec, keepChunks, readChunks } from './chunks.js';
import { twinOf } from './losses.js';
import { expectedFrames, secondsOf } from './open-frames.js';
import type { VideoProgress } from './options.js';
import { writeDisplayMatrix } from './orientation.js';
import { probeHeader, probePackets } from './probe-clip.js';
import type { Session } from './session.js';
import { TimesHash, type WorkFolder } from './work-folder.js';

/** Restores all frames that no chunk has, and encodes all of them. Gives how many they are. */
export async function writeFrames(session: Session, folder: WorkFolder, partial: string): Promise<number> {
  const { options, ffmpeg, source, restorer, plan, clip, part, pool } = session;
  const { signal } = options;
  const resumedFrames = folder.frames;
  const times = new TimesHash();
  const total = expectedFrames(clip, part);
  const live = restoreStream(
    { ...source, frames: withoutFirst(source.frames, folder, { times, pool }) },
    {
      restorers: [restorer],
      pool,
      signal,
      expectedFrames: total === undefined ? undefined : Math.max(0, total - resumedFrames),
      progress: (progress) => options.progress?.(withResumed(progress, resumedFrames)),
    },
  );
  const tools = {
    ...{ ffmpeg: ffmpeg.ffmpeg, folder, signal, pool },
    timeBase: { num: live.header.timeBase[0], den: live.header.timeBase[1] },
    codec: await chunkCodec(restorer.layout, session.formatsOf),
  };
  const chunkOptions = { times, ...(options.chunkLimits === undefined ? {} : { limits: options.chunkLimits }) };
  const fresh = options.keepChunks === false ? live.frames : keepChunks(live.frames, live.header, tools, chunkOptions);
  const { frames, endedEarly } = await encode({
    program: ffmpeg.ffmpeg,
    args: plan.encode(partial, { firstSeconds: secondsOf(source, source.firstPts) }),
    header: live.header,
    hdr: session.hdr,
    frames: both(readChunks(tools), fresh),
    signal,
    onFailure: 'kill',
  });
  if (endedEarly) {
    throw new MambairError(
      'MAMBAIR_FFMPEG_ENCODE',
      `the encoding ffmpeg ended after ${frames} frames, before the last one`,
      {
        detail: { frames },
      },
    );
  }
  const damage = source.messages();
  if (damage.length > 0) {
    const count = clip.pictures.packets - frames;
    const missing =
      part === undefined && count > 0 ? ` (${count} of ${clip.pictures.packets} pictures could not be decoded)` : '';
    options.warn?.({
      code: 'input-damaged',
      message: `the input is damaged${missing}: ${damage.slice(-2).join(' | ')}`,
    });
  }
  return frames;
}

const withResumed = (progress: StreamProgress, resumedFrames: number): VideoProgress => ({
  ...progress,
  frames: progress.frames + resumedFrames,
  ...(progress.expectedFrames === undefined ? {} : { expectedFrames: progress.expectedFrames + resumedFrames }),
  resumedFrames,
});

async function* both(first: AsyncIterable<VideoFrame>, second: AsyncIterable<VideoFrame>): AsyncGenerator<VideoFrame> {
  yield* first;
  yield* second;
}

/** Passes over the frames that chunks have, and makes sure that they are the same ones. */
async function* withoutFirst(
  frames: AsyncIterableIterator<VideoFrame>,
  folder: WorkFolder,
  { times, pool }: { readonly times: TimesHash; readonly pool: FramePool },
): AsyncGenerator<VideoFrame> {
  const skipped = folder.frames;
  const expected = folder.chunks.at(-1)?.times;
  let count = 0;
  for await (const frame of frames) {
    if (count >= skipped) {
      yield frame;
      continue;
    }
    count += 1;
    times.add(frame.pts);
    pool.give(frame.data);
    if (count === skipped && times.value !== expected) {
      throw otherFrames(folder);
    }
  }
  if (count < skipped) {
    throw otherFrames(folder);
  }
}

function otherFrames({ path }: WorkFolder): MambairError {
  return new MambairError(
    'MAMBAIR_RESUME_REFUSED',
    `${path}: the input now gives frames at other times than those that were restored; begin anew with --overwrite`,
    { detail: { file: path } },
  );
}

/** Looks whether the file is whole, and adds what ffmpeg could not. */
export async function completeFile(session: Session, partial: string, frames: number): Promise<void> {
  const { ffmpeg, clip, plan, container, orientation, model } = session;
  const made = await probeHeader(ffmpeg.ffprobe, partial).catch((cause: unknown) => {
    throw incomplete('its file cannot be read', { cause });
  });
  const stream = twinOf(clip.stream, plan.streams, made);
  const { packets } = stream === undefined ? { packets: 0 } : await probePackets(ffmpeg.ffprobe, partial, stream);
  // These join equal frames, or hide some.
  const countsPackets = container.family !== 'avi' && container.family !== 'gif';
  if (countsPackets && packets !== frames) {
    throw incomplete(`wrote ${packets} of ${frames} frames`, { detail: { frames, written: packets } });
  }
  if (orientation !== undefined) {
    const before = plan.streams.filter(
      ({ index, source }) =>
        index !== undefined && index < plan.videoIndex && !source.disposition.includes('attached_pic'),
    );
    await writeDisplayMatrix(partial, before.length, orientation, model.info.scale);
  }
  const file = await open(partial, 'r');
  await file.sync().finally(() => file.close());
}

function incomplete(what: string, more: { readonly cause?: unknown; readonly detail?: ErrorDetail }): MambairError {
  return new MambairError(
    'MAMBAIR_FFMPEG_ENCODE',
    `the encoding ffmpeg ended well, but ${what}; is the disk full?`,
    more,
  );
}

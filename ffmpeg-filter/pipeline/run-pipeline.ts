import type { FrameRestorer } from '../../core/index.js';
import type { VideoStream } from '../transport/video-stream.js';
import type { HdrNumbers } from '../transport/write-matroska.js';
import { decode, type DecodedStream } from './decode.js';
import { encode } from './encode.js';
import { FramePool } from './frame-pool.js';
import type { StreamProgress } from './frame-progress.js';
import { restoreStream } from './restore-stream.js';

/** Two ffmpegs and what is between them. */
export interface PipelineCall {
  /** The ffmpeg to start. */
  readonly program: string;
  /** Arguments of the half that writes NUT to standard output. */
  readonly decodeArgs: readonly string[];
  /** Arguments of the half that reads NUT, or Matroska, from standard input, once its frames are known. */
  readonly encodeArgs: (frames: VideoStream, firstPts: number) => readonly string[];
  /** HDR10's static data that the frames go along with, in Matroska; undefined, or absent: they go in NUT. */
  readonly hdrFor?: ((frames: VideoStream) => HdrNumbers | undefined) | undefined;
  /** Makes what restores the frames, one or several; what they hold is the caller's to free. */
  readonly restorersFor: (stream: VideoStream) => Promise<readonly FrameRestorer[]>;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((progress: StreamProgress) => void) | undefined;
  readonly expectedFrames?: number | undefined;
  /** Told what the halves write to standard error; lines that are redrawn end with `\r`. */
  readonly onDecodeLine?: ((line: string) => void) | undefined;
  readonly onEncodeLine?: ((line: string) => void) | undefined;
  /** Where the standard input of the decoding half comes from; default nowhere. */
  readonly stdin?: 'inherit' | 'ignore' | undefined;
  /** Where the standard output of the encoding half goes; default nowhere. */
  readonly stdout?: 'inherit' | 'ignore' | undefined;
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
}

/** What came of a pipeline that ended well. */
export interface PipelineResult {
  /** Frames that the encoding half has taken: all of them, unless `endedEarly`. */
  readonly frames: number;
  /** Of these, how many were the same as the frame before. */
  readonly repeated: number;
  /** True when the encoding half had enough before the frames were over, as by `-t`. */
  readonly endedEarly: boolean;
  /** The last lines of the decoding half, e.g. about damage that it passed over. */
  readonly decodeMessages: readonly string[];
}

/**
 * Decodes, restores and encodes at once, until the frames are over. Both ffmpegs have ended when it returns, however that
 * is. What it has written is complete only if it returns without an error.
 * @throws MAMBAIR_FFMPEG_DECODE, MAMBAIR_FFMPEG_ENCODE, MAMBAIR_CANCELLED, and what reading and restoring frames raise
 */
export async function runPipeline(call: PipelineCall): Promise<PipelineResult> {
  const { program, signal, environment } = call;
  const pool = new FramePool();
  const source = await decode({
    program,
    args: call.decodeArgs,
    onLine: call.onDecodeLine,
    signal,
    environment,
    stdin: call.stdin,
    pool,
  });
  try {
    return await encodeRestored(call, source, pool);
  } finally {
    await source.stop();
  }
}

async function encodeRestored(call: PipelineCall, source: DecodedStream, pool: FramePool): Promise<PipelineResult> {
  const { program, signal, environment } = call;
  let repeated = 0;
  const restored = restoreStream(source, {
    restorers: await call.restorersFor(source),
    pool,
    signal,
    expectedFrames: call.expectedFrames,
    progress: (progress) => {
      repeated = progress.repeated;
      call.progress?.(progress);
    },
  });
  const { frames, endedEarly } = await encode({
    program,
    args: call.encodeArgs(restored, source.firstPts),
    header: restored.header,
    hdr: call.hdrFor?.(restored),
    frames: restored.frames,
    onLine: call.onEncodeLine,
    signal,
    environment,
    ...(call.stdout === undefined ? {} : { stdout: call.stdout }),
  });
  return { frames, repeated, endedEarly, decodeMessages: source.messages() };
}

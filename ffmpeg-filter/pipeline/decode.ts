import { isMambairError, MambairError } from '../../core/index.js';
import { readNut } from '../transport/read-nut.js';
import type { VideoFrame, VideoStream } from '../transport/video-stream.js';
import { ByteInlet } from './byte-inlet.js';
import { throwIfCancelled } from './cancel.js';
import type { FramePool } from './frame-pool.js';
import { describeEnd, FfmpegProcess, type FfmpegCall } from './ffmpeg-process.js';

/** Frames that an ffmpeg decodes while they are read. */
export interface DecodedStream extends VideoStream {
  /** Time of the first frame, in ticks: what an encoding half needs to know before it starts. */
  readonly firstPts: number;
  /** The last lines that the ffmpeg wrote, e.g. about a damaged input. */
  readonly messages: () => readonly string[];
  /** Ends the ffmpeg, if it still runs. A second call does nothing. */
  readonly stop: () => Promise<void>;
}

/** A decoding ffmpeg. */
export interface DecodeCall extends FfmpegCall {
  readonly signal?: AbortSignal | undefined;
  /** Where its standard input comes from; default nowhere. */
  readonly stdin?: 'inherit' | 'ignore' | undefined;
  /** Where frames are put; default new arrays. Who reads them gives them back. */
  readonly pool?: FramePool | undefined;
}

/**
 * Starts an ffmpeg whose standard output is NUT, and reads its frames. They end without an error only if the ffmpeg
 * ended so and its stream is whole; leaving the loop over them early is fine and ends the ffmpeg.
 * @throws MAMBAIR_FFMPEG_DECODE when it fails, or gives no frame; also from the frames
 * @throws MAMBAIR_VIDEO_UNSUPPORTED for a pixel format that is not listed, MAMBAIR_VIDEO_MALFORMED for what is no NUT,
 *   MAMBAIR_CANCELLED
 */
export async function decode(call: DecodeCall): Promise<DecodedStream> {
  const { signal, pool } = call;
  const inlet = await ByteInlet.open();
  const ffmpeg = start(call, inlet);
  const abort = (): void => void ffmpeg.kill();
  signal?.addEventListener('abort', abort);
  const stop = async (): Promise<void> => {
    signal?.removeEventListener('abort', abort);
    // Ended before its pipe is, so that it says nothing about that.
    const ended = ffmpeg.kill();
    inlet?.close();
    await ended;
  };
  const watched = new Watched(ffmpeg, inlet, signal);
  try {
    if (signal?.aborted === true) {
      abort();
    }
    const stream = await watched.explain(
      readNut(inlet ?? ffmpeg.child.stdout ?? empty(), pool === undefined ? {} : { allocate: pool.take }),
    );
    // A stream without frames ends before the first syncpoint; so its first frame is asked for here.
    const first = await watched.explain(stream.frames.next());
    if (first.done === true) {
      await watched.requireGoodEnd();
      throw noFrames(ffmpeg);
    }
    return {
      ...stream,
      firstPts: first.value.pts,
      frames: allFrames(first.value, stream.frames, { watched, stop }),
      messages: () => ffmpeg.lastLines,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function start(call: DecodeCall, inlet: ByteInlet | undefined): FfmpegProcess {
  try {
    return new FfmpegProcess(call, [call.stdin ?? 'ignore', inlet?.outer ?? 'pipe']);
  } catch (error) {
    inlet?.close();
    throw error;
  } finally {
    inlet?.handOver();
  }
}

async function* allFrames(
  first: VideoFrame,
  others: AsyncIterator<VideoFrame>,
  { watched, stop }: { readonly watched: Watched; readonly stop: () => Promise<void> },
): AsyncGenerator<VideoFrame> {
  try {
    yield first;
    watched.count();
    for (;;) {
      const next = await watched.explain(others.next());
      if (next.done === true) {
        await watched.requireGoodEnd();
        return;
      }
      yield next.value;
      watched.count();
    }
  } finally {
    await stop();
  }
}

/** Tells failures of an ffmpeg from failures of its stream: a stream that breaks off is explained by why it did. */
class Watched {
  readonly #ffmpeg: FfmpegProcess;
  readonly #inlet: ByteInlet | undefined;
  readonly #signal: AbortSignal | undefined;
  #frames = 0;

  constructor(ffmpeg: FfmpegProcess, inlet: ByteInlet | undefined, signal: AbortSignal | undefined) {
    this.#ffmpeg = ffmpeg;
    this.#inlet = inlet;
    this.#signal = signal;
  }

  count(): void {
    this.#frames += 1;
  }

  async explain<Result>(part: Promise<Result>): Promise<Result> {
    try {
      return await part;
    } catch (error) {
      this.#throwIfCancelled();
      const hasEnded = this.#inlet?.hasEnded ?? this.#ffmpeg.child.stdout?.readableEnded === true;
      if (isMambairError(error, 'MAMBAIR_VIDEO_MALFORMED') && hasEnded) {
        await this.requireGoodEnd();
      }
      throw error;
    }
  }

  /** @throws MAMBAIR_FFMPEG_DECODE, MAMBAIR_CANCELLED unless the ffmpeg has ended well */
  async requireGoodEnd(): Promise<void> {
    const end = await this.#ffmpeg.ended;
    this.#throwIfCancelled();
    if (end.exitCode !== 0) {
      const how = describeEnd(end, this.#ffmpeg.lastLines);
      const after = this.#frames === 0 ? '' : `after ${this.#frames} frames `;
      throw new MambairError('MAMBAIR_FFMPEG_DECODE', `the decoding ffmpeg ${after}${how}`, {
        detail: { frames: this.#frames, exitCode: end.exitCode ?? -1, lines: this.#ffmpeg.lastLines },
        cause: end.startError,
      });
    }
  }

  #throwIfCancelled(): void {
    throwIfCancelled(this.#signal);
  }
}

function noFrames(ffmpeg: FfmpegProcess): MambairError {
  const said = ffmpeg.lastLines.slice(-3).map((line) => line.trim());
  return new MambairError(
    'MAMBAIR_FFMPEG_DECODE',
    `the decoding ffmpeg gave no picture; does the input hold any in the part that was asked for?${
      said.length === 0 ? '' : ` It said: ${said.join(' | ')}`
    }`,
    { detail: { frames: 0, exitCode: 0, lines: ffmpeg.lastLines } },
  );
}

async function* empty(): AsyncGenerator<Uint8Array> {
  // The ffmpeg could not be started: its end says why.
}

import type { Writable } from 'node:stream';
import { MambairError } from '../../core/index.js';
import type { VideoFrame, VideoHeader } from '../transport/video-stream.js';
import { writeMatroska, type HdrNumbers } from '../transport/write-matroska.js';
import { writeNut } from '../transport/write-nut.js';
import { throwIfCancelled } from './cancel.js';
import { describeEnd, FfmpegProcess, type FfmpegCall, type FfmpegEnd } from './ffmpeg-process.js';

/** What an encoding ffmpeg has taken. */
export interface Encoded {
  /** Frames written to it. */
  readonly frames: number;
  /** True when it had enough before the frames were over, as by `-t` or `-frames:v`, and ended well. */
  readonly endedEarly: boolean;
}

/** An encoding ffmpeg, and what comes to it. Its arguments must let it tell of errors (`-loglevel error` or more). */
export interface EncodeCall extends FfmpegCall {
  readonly header: VideoHeader;
  readonly frames: AsyncIterable<VideoFrame>;
  /** HDR10's static data to go along with the frames: they are then written as Matroska. */
  readonly hdr?: HdrNumbers | undefined;
  /** Where its standard output goes; default nowhere. */
  readonly stdout?: 'inherit' | 'ignore';
  readonly signal?: AbortSignal | undefined;
  /** What becomes of the ffmpeg when the frames fail: `finish` asks it to make the best of what it has. @default 'finish' */
  readonly onFailure?: 'finish' | 'kill';
}

/** ffmpeg 5.1 ends with code 0 although the end of its file could not be written, as on a full disk. */
const notWritten = /^Error (writing trailer of|closing file) /;

/**
 * Starts an ffmpeg that reads NUT, or Matroska, from its standard input, and writes all frames to it. When the frames
 * fail or the call is cancelled, it is asked to finish its files with what it has, so that they can be looked at, or killed; the error comes
 * through. Whether they are complete only the return of this call says, so let it write aside and rename then.
 * @throws MAMBAIR_FFMPEG_ENCODE when the ffmpeg fails, MAMBAIR_CANCELLED, and what the frames raise
 */
export async function encode({
  header,
  frames,
  hdr,
  stdout,
  signal,
  onFailure,
  ...call
}: EncodeCall): Promise<Encoded> {
  const ffmpeg = new FfmpegProcess(call, ['pipe', stdout ?? 'ignore']);
  const input = ffmpeg.child.stdin;
  if (input === null) {
    throw failure(await ffmpeg.ended, ffmpeg, 0);
  }
  const counted = new Counted(frames);
  const sink = new Sink(input, signal);
  const bytes = hdr === undefined ? writeNut(header, counted) : writeMatroska(header, hdr, counted);
  try {
    let endedEarly = false;
    for await (const chunk of bytes) {
      if (!(await sink.write(chunk))) {
        endedEarly = true;
        break;
      }
    }
    const end = await sink.finish(ffmpeg.ended);
    if (end.exitCode !== 0 || ffmpeg.lastLines.some((line) => notWritten.test(line))) {
      throw failure(end, ffmpeg, counted.frames);
    }
    return { frames: counted.frames, endedEarly };
  } catch (error) {
    // Asked before its input ends, so that it does not take the end for the film's.
    await (onFailure === 'kill' ? ffmpeg.kill() : ffmpeg.interrupt(() => input.destroy()));
    throw error;
  } finally {
    sink.dispose();
  }
}

function failure(end: FfmpegEnd, ffmpeg: FfmpegProcess, frames: number): MambairError {
  return new MambairError('MAMBAIR_FFMPEG_ENCODE', `the encoding ffmpeg ${describeEnd(end, ffmpeg.lastLines)}`, {
    detail: { frames, exitCode: end.exitCode ?? -1, lines: ffmpeg.lastLines },
    cause: end.startError,
  });
}

/** Counts what was asked for again after it: frames that were taken whole. */
class Counted implements AsyncIterable<VideoFrame> {
  readonly #frames: AsyncIterable<VideoFrame>;
  frames = 0;

  constructor(frames: AsyncIterable<VideoFrame>) {
    this.#frames = frames;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<VideoFrame> {
    for await (const frame of this.#frames) {
      yield frame;
      this.frames += 1;
    }
  }
}

/** The input of an ffmpeg: waits while it is full, and notices when nobody reads it any more. */
class Sink {
  readonly #input: Writable;
  readonly #signal: AbortSignal | undefined;
  #isClosed = false;
  #wake: () => void = () => undefined;
  readonly #onAbort = (): void => this.#wake();

  constructor(input: Writable, signal: AbortSignal | undefined) {
    this.#input = input;
    this.#signal = signal;
    const close = (): void => {
      this.#isClosed = true;
      this.#wake();
    };
    // EPIPE and the like: how the ffmpeg ended tells more.
    input.on('error', close);
    input.on('close', close);
    signal?.addEventListener('abort', this.#onAbort);
  }

  /** False when the ffmpeg takes no more. @throws MAMBAIR_CANCELLED */
  async write(chunk: Uint8Array): Promise<boolean> {
    throwIfCancelled(this.#signal);
    if (this.#isClosed) {
      return false;
    }
    let isWritten = false;
    // Until it is written, the bytes must stay as they are; then their memory may be used again.
    this.#input.write(chunk, () => {
      isWritten = true;
      this.#wake();
    });
    while (!isWritten && !this.#isClosed) {
      await this.#woken();
      throwIfCancelled(this.#signal);
    }
    return !this.#isClosed;
  }

  /** Says that there is no more, and waits for an end. @throws MAMBAIR_CANCELLED */
  async finish(ended: Promise<FfmpegEnd>): Promise<FfmpegEnd> {
    throwIfCancelled(this.#signal);
    this.#input.end();
    let end: FfmpegEnd | undefined;
    void ended.then((how) => {
      end = how;
      this.#wake();
    });
    for (;;) {
      if (end !== undefined) {
        return end;
      }
      await this.#woken();
      throwIfCancelled(this.#signal);
    }
  }

  dispose(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#input.destroy();
  }

  async #woken(): Promise<void> {
    await new Promise<void>((resolve) => (this.#wake = resolve));
  }
}

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MambairError, type FrameLayout } from '../../core/index.js';
import { rawWords, timeBaseWords } from '../command/half.js';
import type { Ratio } from '../command/probed-input.js';
import { decode } from '../pipeline/decode.js';
import { encode } from '../pipeline/encode.js';
import type { FramePool } from '../pipeline/frame-pool.js';
import type { VideoFrame, VideoHeader } from '../transport/video-stream.js';
import { ffv1Options, type EncoderFormats } from './encoders.js';
import type { TimesHash, WorkFolder } from './work-folder.js';

/** A chunk ends after so many frames, or after so much time: what a failure can cost. */
export interface ChunkLimits {
  readonly frames: number;
  readonly seconds: number;
}

/** 240 frames or a minute. */
export const defaultChunkLimits: ChunkLimits = { frames: 240, seconds: 60 };

/** How chunks are written: FFV1 where it holds the pixel format exactly, else the frames as they are. */
export async function chunkCodec(layout: FrameLayout, formatsOf: EncoderFormats): Promise<readonly string[]> {
  const pixelFormat = layout.format.name;
  const formats = (await formatsOf('ffv1')) ?? [];
  // FFV1 gives 8-bit GBR back as another format, so it is not asked to.
  return formats.includes(pixelFormat) && pixelFormat !== 'gbrp'
    ? ['ffv1', '-g', '1', ...ffv1Options(layout).flatMap(([name, value]) => [`-${name}`, value])]
    : ['rawvideo'];
}

/** What chunks are written with. */
export interface ChunkTools {
  readonly ffmpeg: string;
  readonly folder: WorkFolder;
  /** Of the frames that chunks hold. */
  readonly timeBase: Ratio;
  /** From {@link chunkCodec}. */
  readonly codec: readonly string[];
  readonly signal?: AbortSignal | undefined;
  /** Where the memory of frames that are read back comes from, and goes back to. */
  readonly pool?: FramePool | undefined;
}

const quiet = ['-hide_banner', '-nostdin', '-nostats', '-v', 'error', '-copyts'] as const;

/** The frames of all chunks of a folder, in order. With a pool, a frame's bytes are valid until the next is asked for. */
export async function* readChunks({ ffmpeg, folder, timeBase, signal, pool }: ChunkTools): AsyncGenerator<VideoFrame> {
  for (const { file, frames: expected } of folder.chunks) {
    const path = join(folder.path, file);
    const stream = await decode({
      program: ffmpeg,
      args: [...quiet, '-f', 'nut', '-i', path, '-map', '0:v:0', ...rawWords(timeBase)],
      signal,
      pool,
    });
    let frames = 0;
    for await (const frame of stream.frames) {
      frames += 1;
      yield frame;
      pool?.give(frame.data);
    }
    if (frames !== expected) {
      throw new MambairError('MAMBAIR_VIDEO_MALFORMED', `${path}: expected ${expected} frames, got ${frames}`, {
        detail: { file: path },
      });
    }
  }
}

/**
 * Passes frames on, and keeps each of them in a chunk on disk as well. A frame is passed on before it is safe; a chunk
 * becomes part of the folder when all of it is on disk. The next frame is asked for when the bytes of this one were used
 * both ways. `times` has seen all frames before these.
 * @throws MAMBAIR_FFMPEG_ENCODE, MAMBAIR_FILE_WRITE when a chunk cannot be written; and what the frames raise
 */
export async function* keepChunks(
  frames: AsyncIterable<VideoFrame>,
  header: VideoHeader,
  tools: ChunkTools,
  { times, limits = defaultChunkLimits }: { readonly times: TimesHash; readonly limits?: ChunkLimits },
): AsyncGenerator<VideoFrame> {
  let chunk: ChunkWriter | undefined;
  try {
    for await (const frame of frames) {
      chunk ??= new ChunkWriter(header, tools);
      const written = chunk.write(frame);
      // Its failure is seen below, unless nobody asks for more.
      written.catch(() => undefined);
      times.add(frame.pts);
      yield frame;
      await written;
      if (chunk.frames >= limits.frames || chunk.seconds >= limits.seconds) {
        await chunk.finish(times.value);
        chunk = undefined;
      }
    }
    await chunk?.finish(times.value);
    chunk = undefined;
  } finally {
    await chunk?.abandon();
  }
}

/** One chunk that is being written. */
class ChunkWriter {
  readonly #tools: ChunkTools;
  readonly #path: string;
  readonly #handOver = new HandOver();
  readonly #began = performance.now();
  readonly #encoded: Promise<{ readonly frames: number }>;
  readonly #controller = new AbortController();
  frames = 0;

  constructor(header: VideoHeader, tools: ChunkTools) {
    this.#tools = tools;
    this.#path = tools.folder.temporary('.nut');
    this.#encoded = encode({
      program: tools.ffmpeg,
      args: [
        ...[...quiet, '-y', '-f', 'nut', '-i', 'pipe:0', '-map', '0:v:0', ...timeBaseWords(tools.timeBase)],
        ...['-c:v', ...tools.codec, '-f', 'nut', this.#path],
      ],
      header,
      frames: this.#handOver,
      signal: this.#controller.signal,
      onFailure: 'kill',
    });
    this.#encoded.catch((error: unknown) => this.#handOver.fail(error));
  }

  get seconds(): number {
    return (performance.now() - this.#began) / 1000;
  }

  /** Resolves when the frame's bytes were used. */
  async write(frame: VideoFrame): Promise<void> {
    this.frames += 1;
    await this.#handOver.put(frame);
  }

  async finish(times: string): Promise<void> {
    this.#handOver.end();
    const { frames } = await this.#encoded;
    if (frames !== this.frames) {
      throw new MambairError('MAMBAIR_FFMPEG_ENCODE', `${this.#path}: took ${frames} of ${this.frames} frames`, {
        detail: { file: this.#path },
      });
    }
    await this.#tools.folder.add(this.#path, frames, times);
  }

  async abandon(): Promise<void> {
    this.#controller.abort();
    this.#handOver.end();
    await this.#encoded.catch(() => undefined);
    await rm(this.#path, { force: true });
  }
}

/** Hands frames from one loop to another, one at a time. */
class HandOver implements AsyncIterable<VideoFrame> {
  #frame: VideoFrame | undefined;
  #isOver = false;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void)[] = [];

  /** Waits until the frame was taken and used, or nobody takes any. Rejects with the failure of who takes frames. */
  async put(frame: VideoFrame): Promise<void> {
    this.#frame = frame;
    this.#signal();
    while (this.#frame === frame && this.#failure === undefined && !this.#isOver) {
      await this.#change();
    }
    if (this.#failure !== undefined) {
      throw this.#failure.error;
    }
  }

  end(): void {
    this.#isOver = true;
    this.#signal();
  }

  fail(error: unknown): void {
    this.#failure = { error };
    this.#signal();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<VideoFrame> {
    try {
      for (;;) {
        if (this.#frame !== undefined) {
          yield this.#frame;
          this.#frame = undefined;
          this.#signal();
        } else if (this.#isOver) {
          return;
        } else {
          await this.#change();
        }
      }
    } finally {
      this.end();
    }
  }

  async #change(): Promise<void> {
    await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  #signal(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const wake of waiting) {
      wake();
    }
  }
}

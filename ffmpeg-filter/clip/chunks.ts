import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MambairError, type FrameLayout } from '../../core/index.js';
import { timeBaseWords } from '../command/half.js';
import { decode } from '../pipeline/decode.js';
import { encode } from '../pipeline/encode.js';
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
  /** From {@link chunkCodec}. */
  readonly codec: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

const quiet = ['-hide_banner', '-nostdin', '-nostats', '-v', 'error', '-copyts'] as const;

/** The frames of all chunks of a folder, in order. */
export async function* readChunks({ ffmpeg, folder, signal }: ChunkTools): AsyncGenerator<VideoFrame> {
  for (const { file, frames: expected } of folder.chunks) {
    const path = join(folder.path, file);
    const stream = await decode({
      program: ffmpeg,
      args: [...quiet, '-f', 'nut', '-i', path, '-map', '0:v:0', '-fps_mode', 'passthrough', ...rawOutput],
      signal,
    });
    let frames = 0;
    for await (const frame of stream.frames) {
      frames += 1;
      yield frame;
    }
    if (frames !== expected) {
      throw new MambairError('MAMBAIR_VIDEO_MALFORMED', `${path}: expected ${expected} frames, got ${frames}`, {
        detail: { file: path },
      });
    }
  }
}

/** `-1`: the ticks of the chunk itself. */
const rawOutput = ['-enc_time_base', '-1', '-c:v', 'rawvideo', '-f', 'nut', 'pipe:1'];

/**
 * Passes frames on, and keeps each of them in a chunk on disk as well. A frame is passed on before it is safe; a chunk
 * becomes part of the folder when all of it is on disk. `times` has seen all frames before these.
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
      await chunk.write(frame);
      times.add(frame.pts);
      yield frame;
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
  readonly #queue = new FrameQueue();
  readonly #began = performance.now();
  readonly #encoded: Promise<{ readonly frames: number }>;
  readonly #controller = new AbortController();
  frames = 0;

  constructor(header: VideoHeader, tools: ChunkTools) {
    this.#tools = tools;
    this.#path = tools.folder.temporary('.nut');
    const timeBase = { num: header.timeBase[0], den: header.timeBase[1] };
    this.#encoded = encode({
      program: tools.ffmpeg,
      args: [
        ...[...quiet, '-y', '-f', 'nut', '-i', 'pipe:0', '-map', '0:v:0', ...timeBaseWords(timeBase)],
        ...['-c:v', ...tools.codec, '-f', 'nut', this.#path],
      ],
      header,
      frames: this.#queue,
      signal: this.#controller.signal,
      onFailure: 'kill',
    });
    this.#encoded.catch((error: unknown) => this.#queue.fail(error));
  }

  get seconds(): number {
    return (performance.now() - this.#began) / 1000;
  }

  async write(frame: VideoFrame): Promise<void> {
    await this.#queue.put(frame);
    this.frames += 1;
  }

  async finish(times: string): Promise<void> {
    this.#queue.end();
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
    this.#queue.end();
    await this.#encoded.catch(() => undefined);
    await rm(this.#path, { force: true });
  }
}

/** Hands frames from one loop to another; holds two. */
class FrameQueue implements AsyncIterable<VideoFrame> {
  readonly #frames: VideoFrame[] = [];
  #isOver = false;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void)[] = [];

  /** Waits for room. Rejects with the failure of who takes frames. */
  async put(frame: VideoFrame): Promise<void> {
    while (this.#failure === undefined && this.#frames.length >= 2) {
      await this.#change();
    }
    if (this.#failure !== undefined) {
      throw this.#failure.error;
    }
    this.#frames.push(frame);
    this.#signal();
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
    for (;;) {
      const frame = this.#frames.shift();
      if (frame !== undefined) {
        this.#signal();
        yield frame;
      } else if (this.#isOver) {
        return;
      } else {
        await this.#change();
      }
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

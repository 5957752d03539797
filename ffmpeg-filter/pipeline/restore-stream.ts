import { MambairError, type FrameLayout, type FrameRestorer } from '../../core/index.js';
import type { VideoFrame, VideoHeader, VideoStream } from '../transport/video-stream.js';
import { throwIfCancelled } from './cancel.js';
import { SharedFrame, type FramePool } from './frame-pool.js';
import { FrameProgress, type StreamProgress } from './frame-progress.js';

/** How the frames of a stream are restored. */
export interface RestoreStreamOptions {
  /** Each takes one frame at a time, or as many as it says; several work side by side. Results keep the order of the stream. */
  readonly restorers: readonly FrameRestorer[];
  /** Frames that are read and not yet handed on, at most; default two more than are restored at a time. */
  readonly framesInFlight?: number;
  /** Stops before the next frame; frames under way stop as soon as their restorers, which share the signal, do. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each frame that is handed on. */
  readonly progress?: ((progress: StreamProgress) => void) | undefined;
  /**
   * The pool that the stream's frames were taken from. Results are then taken from it, too, and each goes back when the
   * next frame is asked for: until then its bytes must have been used.
   */
  readonly pool?: FramePool | undefined;
  /** How many frames there will be, for the estimate of what is left; it is no promise. */
  readonly expectedFrames?: number | undefined;
}

/** One frame between reading and handing on. */
interface Work {
  readonly frame: VideoFrame;
  readonly restored: Promise<Uint8Array>;
  readonly isRepeated: boolean;
  /** What is read of it, and the result; who hands the result on is one of its readers. */
  readonly input: SharedFrame;
  readonly output: Promise<SharedFrame>;
}

/**
 * Restores every frame of a stream: each comes out once, at its time, in its place. Reading goes on while frames are
 * restored and while they are taken, up to a fixed number of frames, so memory does not grow with the stream. A frame
 * whose bytes equal the frame's before it gets that frame's result: still pictures cost a comparison.
 * @throws MAMBAIR_OPTION_INVALID without restorers, or for restorers of different layouts; from the frames what reading and
 * restoring raise, and MAMBAIR_CANCELLED
 */
export function restoreStream(stream: VideoStream, options: RestoreStreamOptions): VideoStream {
  const layout = commonLayout(options.restorers);
  const allocate = options.restorers.length === 1 ? options.restorers[0]?.allocate : undefined;
  if (allocate !== undefined) {
    options.pool?.allocateBy(allocate);
  }
  const header: VideoHeader = { ...stream.header, width: layout.width, height: layout.height };
  return { header, layout, frames: restoreFrames(stream, options) };
}

function commonLayout(restorers: readonly FrameRestorer[]): FrameLayout {
  const [first, ...others] = restorers.map(({ layout }) => layout);
  const isAlike = (layout: FrameLayout): boolean =>
    layout.format.name === first?.format.name && layout.width === first.width && layout.height === first.height;
  if (first === undefined || !others.every(isAlike)) {
    throw new MambairError('MAMBAIR_OPTION_INVALID', 'expected one or more restorers that give frames of one layout');
  }
  return first;
}

async function* restoreFrames(
  stream: VideoStream,
  { restorers, framesInFlight, pool, signal, progress, expectedFrames }: RestoreStreamOptions,
): AsyncGenerator<VideoFrame> {
  const places = restorers.flatMap((restorer) => Array.from({ length: restorer.framesAtOnce ?? 1 }, () => restorer));
  const queue = new WorkQueue(framesInFlight ?? places.length + 2);
  const tracker = new FrameProgress(expectedFrames);
  const reading = readAhead(stream, new Turns(places, pool), { queue, signal, pool });
  try {
    for (let work = await queue.take(); work !== undefined; work = await queue.take()) {
      const data = await work.restored;
      throwIfCancelled(signal);
      yield { ...work.frame, data };
      (await work.output).done();
      queue.release();
      progress?.(tracker.count(work.isRepeated));
    }
    await reading;
  } finally {
    queue.close();
    // Not waited for: the reader may wait for bytes that never come, until who opened the source ends it.
    void stream.frames.return?.().catch(() => undefined);
  }
}

async function readAhead(
  { frames }: VideoStream,
  turns: Turns,
  {
    queue,
    signal,
    pool,
  }: { readonly queue: WorkQueue; readonly signal: AbortSignal | undefined; readonly pool: FramePool | undefined },
): Promise<void> {
  let before: Work | undefined;
  try {
    for (;;) {
      if (!(await queue.room())) {
        return;
      }
      const next = await frames.next();
      if (next.done === true) {
        queue.end();
        return;
      }
      throwIfCancelled(signal);
      const frame = next.value;
      if (before !== undefined && Buffer.compare(before.frame.data, frame.data) === 0) {
        pool?.give(frame.data);
        void before.output.then(
          (output) => output.share(),
          () => undefined,
        );
        queue.add({ ...before, frame: { ...frame, data: before.frame.data }, isRepeated: true });
        continue;
      }
      if (before !== undefined) {
        forget(before);
      }
      before = begin(frame, turns, pool);
      queue.add(before);
    }
  } catch (error) {
    queue.fail(error);
  }
}

/** Starts to restore a frame. It is read by its restorer, and by the comparison with the next one. */
function begin(frame: VideoFrame, turns: Turns, pool: FramePool | undefined): Work {
  const input = new SharedFrame(pool, frame.data, 2);
  const restored = turns.restore(frame.data).finally(() => input.done());
  // Handed on once, and kept for the frames that repeat this one.
  const output = restored.then((data) => new SharedFrame(pool, data, 2));
  // Who takes the frame sees its failure; until then it is no unhandled one.
  output.catch(() => undefined);
  return { frame, restored, isRepeated: false, input, output };
}

/** Says that no later frame can repeat this one. */
function forget({ input, output }: Work): void {
  input.done();
  void output.then(
    (shared) => shared.done(),
    () => undefined,
  );
}

/** Hands frames to whichever restorer is free first. */
class Turns {
  readonly #free: FrameRestorer[];
  readonly #waiting: ((restorer: FrameRestorer) => void)[] = [];
  readonly #pool: FramePool | undefined;

  constructor(restorers: readonly FrameRestorer[], pool: FramePool | undefined) {
    this.#free = [...restorers];
    this.#pool = pool;
  }

  async restore(frame: Uint8Array): Promise<Uint8Array> {
    const restorer = this.#free.shift() ?? (await new Promise<FrameRestorer>((resolve) => this.#waiting.push(resolve)));
    try {
      return await restorer.restore(frame, this.#pool?.take(restorer.layout.bytes));
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) {
        this.#free.push(restorer);
      } else {
        next(restorer);
      }
    }
  }
}

/** Frames in order between a reader and a taker, of a limited number. */
class WorkQueue {
  readonly #limit: number;
  readonly #works: Work[] = [];
  #inFlight = 0;
  #isOver = false;
  #failure: { readonly error: unknown } | undefined;
  #wakeTaker: () => void = () => undefined;
  #wakeReader: () => void = () => undefined;

  constructor(limit: number) {
    this.#limit = Math.max(1, limit);
  }

  /** Waits until another frame may be read; false when none is wanted any more. */
  async room(): Promise<boolean> {
    while (!this.#isOver && this.#inFlight >= this.#limit) {
      await new Promise<void>((resolve) => (this.#wakeReader = resolve));
    }
    return !this.#isOver;
  }

  add(work: Work): void {
    this.#works.push(work);
    this.#inFlight += 1;
    this.#wakeTaker();
  }

  end(): void {
    this.#isOver = true;
    this.#wakeTaker();
  }

  fail(error: unknown): void {
    this.#failure = { error };
    this.end();
  }

  close(): void {
    this.#works.length = 0;
    this.end();
    this.#wakeReader();
  }

  /** The next frame, undefined after the last. Frames read before a failure come first. */
  async take(): Promise<Work | undefined> {
    for (;;) {
      const work = this.#works.shift();
      if (work !== undefined) {
        return work;
      }
      if (this.#failure !== undefined) {
        throw this.#failure.error;
      }
      if (this.#isOver) {
        return undefined;
      }
      await new Promise<void>((resolve) => (this.#wakeTaker = resolve));
    }
  }

  /** Says that a frame was handed on, and its place is free. */
  release(): void {
    this.#inFlight -= 1;
    this.#wakeReader();
  }
}

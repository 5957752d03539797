import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { frameLayout, pixelFormat, type FrameRestorer } from '../../core/index.js';
import type { VideoFrame, VideoStream } from '../transport/video-stream.js';
import { FramePool } from './frame-pool.js';
import type { StreamProgress } from './frame-progress.js';
import { FrameProgress } from './frame-progress.js';
import { restoreStream } from './restore-stream.js';

const layout = frameLayout(pixelFormat('gray'), 2, 1);

function streamOf(frames: AsyncIterableIterator<VideoFrame>): VideoStream {
  return { header: { pixelFormat: pixelFormat('gray'), width: 2, height: 1, timeBase: [1, 25] }, layout, frames };
}

async function* numbered(values: readonly number[], pool?: FramePool): AsyncGenerator<VideoFrame> {
  for (const [index, value] of values.entries()) {
    await Promise.resolve();
    const data = pool?.take(2) ?? new Uint8Array(2);
    data.set([value, 0]);
    yield { pts: index * 3, data };
  }
}

/** Waits a while that depends on the frame, then inverts it. */
const inverter = (delay: (value: number) => number, seen: (running: number) => void): FrameRestorer => {
  let running = 0;
  return {
    layout,
    restore: async (frame, target = new Uint8Array(2)) => {
      running += 1;
      seen(running);
      await new Promise((resolve) => setTimeout(resolve, delay(frame[0] ?? 0)));
      running -= 1;
      target.set(frame.map((value) => 255 - value));
      return target;
    },
  };
};

describe('restoreStream', () => {
  it('gives each frame once, in order, at its time, whichever restorer is quickest', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: 3 }), { maxLength: 30 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 6 }),
        fc.boolean(),
        async (values, count, framesInFlight, isPooled) => {
          const pool = isPooled ? new FramePool() : undefined;
          let most = 0;
          const restorers = Array.from({ length: count }, (_, index) =>
            inverter(
              (value) => (value * 7 + index) % 3,
              (running) => (most = Math.max(most, running)),
            ),
          );
          const seen: StreamProgress[] = [];
          const restored = restoreStream(streamOf(numbered(values, pool)), {
            restorers,
            framesInFlight,
            pool,
            progress: (progress) => seen.push(progress),
          });
          const frames: [number, number][] = [];
          for await (const { pts, data } of restored.frames) {
            await Promise.resolve();
            frames.push([pts, data[0] ?? 0]);
          }
          expect(frames).toEqual(values.map((value, index) => [index * 3, 255 - value]));
          // What is under way, and the last one, which the next is compared with.
          expect(pool === undefined || pool.allocated <= 2 * (framesInFlight + 2)).toBe(true);
          expect(most).toBeLessThanOrEqual(1);
          const last = seen.at(-1);
          expect(last?.frames ?? 0).toBe(values.length);
          expect(last?.repeated ?? 0).toBe(values.filter((value, at) => at > 0 && value === values[at - 1]).length);
        },
      ),
      { seed: 1, numRuns: 30 },
    );
  });

  it('reads no further ahead than it is allowed to', async () => {
    let read = 0;
    async function* endless(): AsyncGenerator<VideoFrame> {
      for (;;) {
        read += 1;
        await Promise.resolve();
        yield { pts: read, data: Uint8Array.of(read & 255, read >> 8) };
      }
    }
    const restorers = [
      inverter(
        () => 0,
        () => undefined,
      ),
    ];
    const { frames } = restoreStream(streamOf(endless()), { restorers, framesInFlight: 3 });
    for (let taken = 1; taken <= 20; taken++) {
      await frames.next();
      await new Promise((resolve) => setTimeout(resolve, 2));
      expect(read).toBeLessThanOrEqual(taken + 3);
    }
    await frames.return?.();
  });

  it('gives the frames before a failure, then the failure', async () => {
    async function* broken(): AsyncGenerator<VideoFrame> {
      yield* numbered([1, 2, 3]);
      throw new Error('the source broke');
    }
    const restorers = [
      inverter(
        () => 1,
        () => undefined,
      ),
    ];
    const taken: number[] = [];
    const take = async (): Promise<void> => {
      for await (const { pts } of restoreStream(streamOf(broken()), { restorers }).frames) {
        taken.push(pts);
      }
    };
    await expect(take()).rejects.toThrow('the source broke');
    expect(taken).toEqual([0, 3, 6]);
  });

  it('passes on what a restorer throws, and when it is cancelled', async () => {
    const failing: FrameRestorer = { layout, restore: () => Promise.reject(new Error('no')) };
    const { frames } = restoreStream(streamOf(numbered([1, 2, 3])), { restorers: [failing] });
    await expect(frames.next()).rejects.toThrow('no');
    const signal = AbortSignal.abort();
    const cancelled = restoreStream(streamOf(numbered([1])), {
      restorers: [
        inverter(
          () => 0,
          () => undefined,
        ),
      ],
      signal,
    });
    await expect(cancelled.frames.next()).rejects.toMatchObject({ code: 'MAMBAIR_CANCELLED' });
  });

  it('needs restorers of one layout', () => {
    expect(() => restoreStream(streamOf(numbered([])), { restorers: [] })).toThrow(/one or more restorers/);
  });
});

describe('FrameProgress', () => {
  it('tells the rate of late and what is left at it', () => {
    let now = 0;
    const progress = new FrameProgress(400, () => now);
    let last: StreamProgress | undefined;
    for (let frame = 1; frame <= 200; frame++) {
      now += frame <= 80 ? 1 : 0.1;
      last = progress.count(frame % 2 === 0);
    }
    expect(last).toMatchObject({ frames: 200, repeated: 100, expectedFrames: 400 });
    expect(last?.framesPerSecond).toBeCloseTo(10, 0);
    expect(last?.remainingSeconds).toBeCloseTo(20, 0);
  });
});

/** How far a stream is. */
export interface StreamProgress {
  /** Frames handed on. */
  readonly frames: number;
  /** Of these, how many were the same as the frame before and took its result. */
  readonly repeated: number;
  /** How many there will be, where that is known; more may come. */
  readonly expectedFrames?: number;
  readonly seconds: number;
  /** Over the last ten seconds or so. */
  readonly framesPerSecond: number;
  /** Undefined while nothing can be said. */
  readonly remainingSeconds?: number;
}

/** The rate is that of about so much time before now. */
const windowSeconds = 10;

/** Counts frames and estimates what is left of a stream. */
export class FrameProgress {
  readonly #expected: number | undefined;
  readonly #now: () => number;
  readonly #began: number;
  /** Frames and times, from just before the window on. */
  readonly #marks: { readonly frames: number; readonly seconds: number }[] = [{ frames: 0, seconds: 0 }];
  #frames = 0;
  #repeated = 0;

  /** `now` tells seconds; tests give their own. */
  constructor(expected?: number, now: () => number = () => performance.now() / 1000) {
    this.#expected = expected;
    this.#now = now;
    this.#began = now();
  }

  /** Counts a frame. */
  count(isRepeated: boolean): StreamProgress {
    this.#frames += 1;
    this.#repeated += isRepeated ? 1 : 0;
    const seconds = this.#now() - this.#began;
    const newest = this.#marks.at(-1);
    if (newest === undefined || seconds - newest.seconds >= windowSeconds / 20) {
      this.#marks.push({ frames: this.#frames, seconds });
    }
    while (this.#marks.length > 1 && seconds - (this.#marks[1]?.seconds ?? seconds) >= windowSeconds) {
      this.#marks.shift();
    }
    const from = this.#marks[0] ?? { frames: 0, seconds: 0 };
    const span = seconds - from.seconds;
    const framesPerSecond = span > 0 ? (this.#frames - from.frames) / span : 0;
    const left = this.#expected === undefined ? undefined : Math.max(0, this.#expected - this.#frames);
    return {
      frames: this.#frames,
      repeated: this.#repeated,
      seconds,
      framesPerSecond,
      ...(this.#expected === undefined ? {} : { expectedFrames: this.#expected }),
      ...(left === undefined || framesPerSecond === 0 || seconds < 1
        ? {}
        : { remainingSeconds: left / framesPerSecond }),
    };
  }
}

import type { TextStream } from './command.js';

/** A share of a whole piece of work, in any unit. */
export interface ProgressState {
  readonly done: number;
  readonly total: number;
  readonly label: string;
}

/** Before this much of the work, and this long, nothing can be said about the rest. */
const leastShare = 0.02;
const leastSeconds = 1.5;

/**
 * Estimates the seconds that a piece of work still takes from what it took so far: the mean rate since the start,
 * because tiles cost alike and a first run's warm-up is part of the truth. Undefined while there is too little to go by.
 */
export function remainingSeconds(elapsedSeconds: number, share: number): number | undefined {
  if (share < leastShare || elapsedSeconds < leastSeconds) {
    return undefined;
  }
  return (elapsedSeconds * (1 - share)) / share;
}

/** `2 h 05 min`, `3 min 20 s`, `41 s`: as exact as such an estimate deserves. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds));
  if (whole >= 3600) {
    return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} min`;
  }
  if (whole >= 60) {
    return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  }
  return `${whole} s`;
}

/** One line that is redrawn on a terminal; elsewhere a plain line now and then. */
export class ProgressLine {
  readonly #stream: TextStream;
  readonly #now: () => number;
  readonly #started: number;
  #lastDrawn = Number.NEGATIVE_INFINITY;
  #visible = false;

  constructor(stream: TextStream, now: () => number = () => performance.now() / 1000) {
    this.#stream = stream;
    this.#now = now;
    this.#started = now();
  }

  /** Shows a state; most calls do nothing, so call it as often as there is news. */
  update({ done, total, label }: ProgressState): void {
    const now = this.#now();
    const onTerminal = this.#stream.isTTY === true;
    if (now - this.#lastDrawn < (onTerminal ? 0.1 : 10)) {
      return;
    }
    const firstPlain = !onTerminal && this.#lastDrawn === Number.NEGATIVE_INFINITY;
    this.#lastDrawn = now;
    if (firstPlain) {
      return;
    }
    const share = total > 0 ? Math.min(1, done / total) : 0;
    const rest = remainingSeconds(now - this.#started, share);
    const tail = rest === undefined ? '' : `, about ${formatSeconds(rest)} left`;
    const percent = `${Math.floor(share * 100)} %`;
    if (!onTerminal) {
      this.#stream.write(`${label}: ${percent}${tail}\n`);
      return;
    }
    // Some pseudo terminals say 0 columns.
    const columns = this.#stream.columns ?? 0;
    const width = (columns >= 20 ? columns : 80) - 1;
    const cells = 20;
    const full = Math.round(share * cells);
    const bar = `[${'#'.repeat(full)}${'-'.repeat(cells - full)}]`;
    this.#stream.write(`\r\u001B[K${`${bar} ${percent.padStart(5)} ${label}${tail}`.slice(0, width)}`);
    this.#visible = true;
  }

  /** Takes the bar off the terminal, so that other lines can be written. */
  clear(): void {
    if (this.#visible) {
      this.#stream.write('\r\u001B[K');
      this.#visible = false;
    }
  }
}

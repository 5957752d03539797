import { statSync } from 'node:fs';
import type { LoadedModelInfo, RestoredFile } from '../core/index.js';
import type { CommandContext } from './command.js';
import type { ExitCode } from './exit-codes.js';
import { errorObject, errorText, Outcome } from './failures.js';
import type { Job } from './outputs.js';
import { printJson } from './print.js';
import { formatSeconds, ProgressLine } from './progress.js';

/** How often JSON readers hear how far a file is. */
const jsonProgressSeconds = 1;

/** Tells how a run over files goes: a bar on a terminal, plain lines elsewhere, JSON lines, or nothing but errors. */
export class RestoreReport {
  readonly #context: CommandContext;
  readonly #json: boolean;
  readonly #quiet: boolean;
  readonly #progress: ProgressLine;
  readonly #outcome: Outcome;
  readonly #failures: { readonly path: string; readonly text: string }[] = [];
  readonly #began = performance.now();
  /** Bytes of the files: a guess at how the work is spread over them. */
  readonly #weights: ReadonlyMap<string, number>;
  readonly #totalWeight: number;
  readonly #jobCount: number;
  readonly #asked: number;
  #doneWeight = 0;
  #fileBegan = 0;
  #fileNumber = 0;
  #restored = 0;
  #lastJsonProgress = 0;

  constructor(options: {
    readonly context: CommandContext;
    readonly json: boolean;
    readonly quiet: boolean;
    readonly jobs: readonly Job[];
    /** Files and arguments in all, also those that led to nothing. */
    readonly asked: number;
  }) {
    this.#context = options.context;
    this.#json = options.json;
    this.#quiet = options.quiet;
    this.#asked = options.asked;
    this.#jobCount = options.jobs.length;
    this.#progress = new ProgressLine(options.context.stderr);
    this.#outcome = new Outcome(options.asked);
    this.#weights = new Map(options.jobs.map(({ path }) => [path, fileSize(path)]));
    this.#totalWeight = [...this.#weights.values()].reduce((sum, weight) => sum + weight, 0);
  }

  started(job: Job): void {
    this.#fileNumber += 1;
    this.#fileBegan = performance.now();
    this.#lastJsonProgress = this.#fileBegan;
    this.advanced(job, 0);
  }

  /** `share` of the file is done, 0…1. */
  advanced(job: Job, share: number): void {
    if (this.#json) {
      this.#jsonProgress(job, share);
    } else if (!this.#quiet) {
      const count = this.#jobCount > 1 ? `${this.#fileNumber}/${this.#jobCount} ` : '';
      const done = this.#doneWeight + share * this.#weightOf(job);
      this.#progress.update({ done, total: this.#totalWeight, label: `${count}${job.relative}` });
    }
  }

  finished(job: Job, info: LoadedModelInfo, result: RestoredFile): void {
    const seconds = this.#endFile(job);
    this.#restored += 1;
    if (this.#json) {
      const { name: model, scale, device } = info;
      printJson(this.#context.stdout, { event: 'restored', input: job.path, model, scale, device, ...result, seconds });
    } else if (!this.#quiet) {
      const size = `${result.outputWidth} × ${result.outputHeight}`;
      const place = info.device === 'cpu' ? '' : `, on ${info.deviceDescription}`;
      this.#context.stdout.write(`${job.path} → ${job.output}  ${size}, ${formatSeconds(seconds)}${place}\n`);
      for (const { message } of result.warnings) {
        this.#context.stderr.write(`  note: ${message}\n`);
      }
    }
  }

  failed(path: string, error: unknown): void {
    this.#outcome.add(error, this.#context.signal);
    this.#doneWeight += this.#weights.get(path) ?? 0;
    this.#progress.clear();
    const text = errorText(error, this.#context);
    this.#failures.push({ path, text });
    if (this.#json) {
      printJson(this.#context.stdout, { event: 'failure', input: path, ...errorObject(error) });
    }
    this.#context.stderr.write(this.#asked > 1 ? `mambair: ${path}: ${text}\n` : `mambair: ${text}\n`);
  }

  /** Sums up and says how the process should end. */
  end(): ExitCode {
    this.#progress.clear();
    const seconds = Math.round(performance.now() - this.#began) / 1000;
    const failed = this.#failures.length;
    if (this.#json) {
      printJson(this.#context.stdout, { event: 'summary', restored: this.#restored, failed, seconds });
    } else if (!this.#quiet && this.#asked > 1) {
      const { stdout, stderr } = this.#context;
      stdout.write(`${this.#restored} of ${this.#asked} restored in ${formatSeconds(seconds)}\n`);
      if (failed > 0) {
        stderr.write(`${failed} failed:\n${this.#failures.map(({ path, text }) => `  ${path}: ${text}\n`).join('')}`);
      }
    }
    return this.#outcome.exitCode;
  }

  #endFile(job: Job): number {
    this.#doneWeight += this.#weightOf(job);
    this.#progress.clear();
    return Math.round(performance.now() - this.#fileBegan) / 1000;
  }

  #weightOf(job: Job): number {
    return this.#weights.get(job.path) ?? 1;
  }

  #jsonProgress(job: Job, share: number): void {
    const now = performance.now();
    if (now - this.#lastJsonProgress >= 1000 * jsonProgressSeconds) {
      this.#lastJsonProgress = now;
      printJson(this.#context.stdout, { event: 'progress', input: job.path, share: Math.round(share * 1000) / 1000 });
    }
  }
}

function fileSize(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 1;
}

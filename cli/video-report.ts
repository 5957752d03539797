import type { VideoProgress, VideoWarning } from '../ffmpeg-filter/clip/options.js';
import type { RestoredVideo, VideoPlan } from '../ffmpeg-filter/clip/restore-video.js';
import type { CommandContext } from './command.js';
import { exitCodeFor, exitCodes, type ExitCode } from './exit-codes.js';
import { errorObject, errorText } from './failures.js';
import { printJson } from './print.js';
import { formatSeconds, ProgressLine } from './progress.js';

/** How often JSON readers hear how far a video is. */
const jsonProgressMs = 1000;

/** Tells how the restoring of a video goes: a bar on a terminal, plain lines elsewhere, JSON lines, or errors alone. */
export class VideoReport {
  readonly #context: CommandContext;
  readonly #json: boolean;
  readonly #quiet: boolean;
  readonly #input: string;
  readonly #began = performance.now();
  #line: ProgressLine | undefined;
  #lastJson = 0;

  constructor(options: {
    readonly context: CommandContext;
    readonly json: boolean;
    readonly quiet: boolean;
    readonly input: string;
  }) {
    this.#context = options.context;
    this.#json = options.json;
    this.#quiet = options.quiet;
    this.#input = options.input;
  }

  advanced(progress: VideoProgress): void {
    const { frames, expectedFrames, framesPerSecond, resumedFrames } = progress;
    if (this.#json) {
      const now = performance.now();
      if (now - this.#lastJson >= jsonProgressMs) {
        this.#lastJson = now;
        const rate = Math.round(framesPerSecond * 1000) / 1000;
        const rest = progress.remainingSeconds;
        printJson(this.#context.stdout, {
          ...{ event: 'frames', input: this.#input, frames, resumedFrames, framesPerSecond: rate },
          ...(expectedFrames === undefined ? {} : { expectedFrames }),
          ...(rest === undefined ? {} : { remainingSeconds: Math.round(rest) }),
        });
      }
    } else if (!this.#quiet) {
      this.#line ??= new ProgressLine(this.#context.stderr);
      const count = expectedFrames === undefined ? `${frames}` : `${frames}/${expectedFrames}`;
      // What an earlier run has made says nothing about how long the rest takes.
      const [done, total] = [frames - resumedFrames, (expectedFrames ?? 0) - resumedFrames];
      const rate = framesPerSecond >= 10 ? framesPerSecond.toFixed(0) : framesPerSecond.toPrecision(2);
      this.#line.update({ done, total, label: `${count} frames, ${rate} fps` });
    }
  }

  warned({ code, message }: VideoWarning): void {
    if (this.#json) {
      printJson(this.#context.stdout, { event: 'warning', input: this.#input, code, message });
    } else if (!this.#quiet) {
      this.#line?.clear();
      this.#context.stderr.write(`note: ${message}\n`);
    }
  }

  planned(plan: VideoPlan): void {
    if (this.#json) {
      printJson(this.#context.stdout, { event: 'plan', input: this.#input, ...plan });
      return;
    }
    const { stdout } = this.#context;
    stdout.write(`# ${plan.inputWidth}×${plan.inputHeight} → ${plan.outputWidth}×${plan.outputHeight}`);
    stdout.write(
      `${plan.frames === undefined ? '' : `, ${plan.frames} frames`}, ${plan.model}, ${plan.encoder} ${plan.pixelFormat}\n`,
    );
    for (const { message } of plan.losses) {
      stdout.write(`# note: ${message}\n`);
    }
    stdout.write(`# frames from:\n${shellLine(plan.ffmpeg, plan.decode)}\n`);
    stdout.write(`# restored frames to:\n${shellLine(plan.ffmpeg, plan.encode)}\n`);
  }

  restored(result: RestoredVideo): void {
    this.#line?.clear();
    const seconds = Math.round(performance.now() - this.#began) / 1000;
    if (this.#json) {
      printJson(this.#context.stdout, { event: 'video', input: this.#input, ...result, seconds });
    } else if (!this.#quiet) {
      const { output, outputWidth, outputHeight, frames } = result;
      this.#context.stdout.write(
        `${this.#input} → ${output}  ${outputWidth} × ${outputHeight}, ${frames} frames, ${formatSeconds(seconds)}\n`,
      );
    }
  }

  /** Tells an error, and where the frames are that are done; gives the exit code. */
  failed(error: unknown, folder: string | undefined): ExitCode {
    this.#line?.clear();
    if (this.#json) {
      printJson(this.#context.stdout, { event: 'failure', input: this.#input, ...errorObject(error) });
    }
    const { stderr, signal } = this.#context;
    stderr.write(`mambair: ${errorText(error, this.#context)}\n`);
    if (folder !== undefined) {
      stderr.write(`mambair: restored frames are kept in ${folder}; go on with --resume\n`);
    }
    return signal.aborted ? exitCodes.interrupted : exitCodeFor(error);
  }
}

/** A command line that a POSIX shell reads as these words. */
function shellLine(program: string, words: readonly string[]): string {
  return [program, ...words]
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(' ');
}

import { spawn, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import { logLevels, readLevelled } from './levelled-line.js';

/** How an ffmpeg ended. */
export interface FfmpegEnd {
  /** Undefined when a signal ended it, or it could not be started. */
  readonly exitCode: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  /** Why it could not be started. */
  readonly startError?: Error;
}

/** How an ffmpeg is started. */
export interface FfmpegCall {
  readonly program: string;
  readonly args: readonly string[];
  /** Told everything that it writes to standard error, line by line; lines that are redrawn end with `\r`. */
  readonly onLine?: ((line: string) => void) | undefined;
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
}

/** Lines of standard error that are kept to explain a failure. */
const keptLines = 40;

/** Once asked to end by itself, an ffmpeg has this long. */
const patienceMs = 10_000;

/** What still runs when this process ends must not go on without it. */
const running = new Set<FfmpegProcess>();

function killRunning(): void {
  for (const { child } of running) {
    child.kill('SIGKILL');
  }
}

/** One running ffmpeg: its pipes, the last lines it wrote, its end. */
export class FfmpegProcess {
  readonly child: ChildProcess;
  /** Resolves once it has ended and all that it wrote was read; never rejects. */
  readonly ended: Promise<FfmpegEnd>;
  readonly #onLine: (line: string) => void;
  readonly #lines: string[] = [];
  #end: FfmpegEnd | undefined;

  /** `stdin` and `stdout`: pipes with an end that is ours, nothing, this process's own, or a socket that it takes over. */
  constructor(
    { program, args, onLine, environment }: FfmpegCall,
    stdio: readonly ['ignore' | 'inherit' | 'pipe', 'ignore' | 'inherit' | 'pipe' | Socket],
  ) {
    this.#onLine = onLine ?? ((): void => undefined);
    this.child = spawn(program, [...args], {
      stdio: [...stdio, 'pipe'],
      windowsHide: true,
      ...(environment === undefined ? {} : { env: environment }),
      // A process group of its own: Ctrl-C comes to us alone, and we decide how it ends.
      detached: process.platform !== 'win32',
    });
    if (running.size === 0) {
      process.on('exit', killRunning);
    }
    running.add(this);
    this.#readLines();
    this.ended = new Promise((resolve) => {
      const close = (end: FfmpegEnd): void => {
        this.#end ??= end;
        running.delete(this);
        if (running.size === 0) {
          process.off('exit', killRunning);
        }
        resolve(this.#end);
      };
      this.child.on('error', (startError) => {
        if (this.child.pid === undefined) {
          close({ exitCode: undefined, signal: undefined, startError });
        }
      });
      this.child.on('close', (code, signal) => close({ exitCode: code ?? undefined, signal: signal ?? undefined }));
    });
  }

  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /** The last lines of what it said, progress left out. */
  get lastLines(): readonly string[] {
    return this.#lines;
  }

  /** Ends it at once; what it wrote and nobody has read is lost. */
  async kill(): Promise<FfmpegEnd> {
    if (!this.hasEnded) {
      this.child.kill('SIGKILL');
      // It only counts as ended once its pipes are closed, and one that nobody reads stays open.
      this.child.stdout?.destroy();
    }
    return this.ended;
  }

  /**
   * Asks it to finish its files with what it has, as Ctrl-C does, and ends it if that takes too long. `then` is called
   * once it has been asked.
   */
  async interrupt(then: () => void): Promise<FfmpegEnd> {
    if (!this.hasEnded) {
      this.child.kill('SIGINT');
      then();
    }
    const timer = setTimeout(() => this.child.kill('SIGKILL'), patienceMs);
    try {
      return await this.ended;
    } finally {
      clearTimeout(timer);
    }
  }

  #readLines(): void {
    const decoder = new StringDecoder('utf8');
    let rest = '';
    const take = (line: string): void => {
      const { level = 0, text } = readLevelled(line);
      // Where lines tell their level, no more than trouble is kept.
      if (!text.endsWith('\r') && text.trim() !== '' && level < (logLevels['info'] ?? 0)) {
        this.#lines.push(text);
        this.#lines.splice(0, this.#lines.length - keptLines);
      }
      this.#onLine(line);
    };
    this.child.stderr?.on('data', (chunk: Buffer) => {
      const parts = (rest + decoder.write(chunk)).split(/(?<=\r)(?!\n)|\r?\n/);
      rest = parts.pop() ?? '';
      parts.forEach(take);
    });
    this.child.stderr?.on('end', () => {
      if (rest !== '') {
        take(rest);
        rest = '';
      }
    });
  }
}

/** Lines that are not about what went wrong: what libraries tell of themselves, streams, sums. */
const chatter =
  /^(\s|frame=|video:|(Input|Output) #|Stream mapping:|Press \[q\]|\[lib\w+ @ \w+\] (using|profile|264 -|frame [IPB]|mb [IPB]|coded|i\d|ref|kb\/s|Weighted|SSIM|PSNR|8x8)|x265 \[info\]|Svt\[info\])/;

/** One line for an error message: how an ffmpeg ended, and the end of what it said. */
export function describeEnd({ exitCode, signal, startError }: FfmpegEnd, lines: readonly string[]): string {
  const how =
    startError === undefined
      ? signal === undefined
        ? `ended with code ${exitCode}`
        : `was ended by ${signal}`
      : `could not be started (${startError.message})`;
  const said = lines
    .filter((line) => !chatter.test(line))
    .slice(-4)
    .map((line) => line.trim().slice(0, 300));
  return said.length === 0 ? how : `${how}: ${said.join(' | ')}`;
}

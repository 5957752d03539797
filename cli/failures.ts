import { isMambairError } from '../core/index.js';
import type { CommandContext } from './command.js';
import { exitCodeFor, exitCodes, type ExitCode } from './exit-codes.js';

/** One line for people; the whole stack for those who set `MAMBAIR_DEBUG=1`. */
export function errorText(error: unknown, context: CommandContext): string {
  if (context.environment['MAMBAIR_DEBUG'] === '1') {
    return (error as { stack?: string } | undefined)?.stack ?? String(error);
  }
  const line = messageOf(error).replaceAll(/\s*\n\s*/g, ' ');
  if (isMambairError(error, 'MAMBAIR_FILE_EXISTS')) {
    return `${line} (--overwrite)`;
  }
  return isMambairError(error) ? line : `${line} (unexpected; MAMBAIR_DEBUG=1 shows where)`;
}

/** An error as the JSON lines show it. */
export function errorObject(error: unknown): { readonly code: string; readonly message: string } {
  return { code: isMambairError(error) ? error.code : 'MAMBAIR_INTERNAL', message: messageOf(error) };
}

function messageOf(error: unknown): string {
  const message = (error as { message?: unknown } | undefined)?.message;
  return typeof message === 'string' ? message : String(error);
}

/**
 * How several pieces of work ended together: all well, the code of the only piece that was asked for, "some failed",
 * or interrupted, which outranks all.
 */
export class Outcome {
  readonly #asked: number;
  #failed = 0;
  #worst: ExitCode = exitCodes.ok;

  constructor(asked: number) {
    this.#asked = asked;
  }

  /** Counts a failure and says whether the rest makes sense. */
  add(error: unknown, signal: AbortSignal): { readonly goOn: boolean } {
    this.#failed += 1;
    this.#worst = signal.aborted ? exitCodes.interrupted : exitCodeFor(error);
    return { goOn: !signal.aborted };
  }

  /** Failures so far. */
  get failed(): number {
    return this.#failed;
  }

  get exitCode(): ExitCode {
    const several = this.#asked > 1 && this.#failed > 0 && this.#worst !== exitCodes.interrupted;
    return several ? exitCodes.someFailed : this.#worst;
  }
}

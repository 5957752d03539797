import { spawn } from 'node:child_process';
import { filterNames } from '../command/filter-options.js';

/** How a program that was started in our place has ended. */
export interface PassedOn {
  readonly exitCode: number;
  /** The signal that ended it, to die of as well. */
  readonly signal: NodeJS.Signals | undefined;
}

/**
 * Runs ffmpeg as if it had been called in our place: our standard streams are its, and signals sent to us go to it. Of a
 * list of filters (`-filters`) ours are a part.
 */
export function passOn(program: string, args: readonly string[]): Promise<PassedOn> {
  const asksForFilters = args.includes('-filters');
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { stdio: 'inherit', windowsHide: true });
    // On a terminal Ctrl-C reaches the child by itself; we wait for what it makes of it.
    const onInterrupt = (): void => undefined;
    const forwarded = ['SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
    const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
    process.on('SIGINT', onInterrupt);
    for (const signal of forwarded) {
      process.on(signal, forward);
    }
    const settle = (): void => {
      process.off('SIGINT', onInterrupt);
      for (const signal of forwarded) {
        process.off(signal, forward);
      }
    };
    child.on('error', (error) => {
      settle();
      reject(error);
    });
    child.on('exit', (code, signal) => {
      settle();
      if (asksForFilters && code === 0) {
        process.stdout.write(filterNames.map((name) => ` ... ${name.padEnd(17)} V->V       ${summary}\n`).join(''));
      }
      resolve({ exitCode: code ?? 1, signal: signal ?? undefined });
    });
  });
}

const summary = 'Restore every frame with a network of the MambaIR family.';

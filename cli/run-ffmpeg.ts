import type { CommandContext } from './command.js';
import { runFfmpeg } from './commands/ffmpeg.js';
import { exitCodeFor, exitCodes } from './exit-codes.js';
import { errorText } from './failures.js';

/** How ffmpeg ends when it was told to stop by a signal. */
const stoppedBySignal = 255;

/**
 * Runs the words of a process as ffmpeg would: our filter is known, everything else is ffmpeg's. The last line on standard
 * error says what went wrong. A process that is told to end by SIGTERM ends by it, once its files are in order.
 */
export async function runAsFfmpeg(host: NodeJS.Process): Promise<void> {
  const controller = new AbortController();
  let stop: NodeJS.Signals | undefined;
  const interrupt = (signal: NodeJS.Signals): void => {
    stop ??= signal;
    controller.abort(new Error(`stopped by ${signal}`));
  };
  host.on('SIGINT', interrupt);
  host.on('SIGTERM', interrupt);
  const context: CommandContext = {
    stdout: host.stdout,
    stderr: host.stderr,
    environment: host.env,
    signal: controller.signal,
  };
  try {
    host.exitCode = await runFfmpeg(host.argv.slice(2), context);
  } catch (error) {
    host.stderr.write(`mambair-ffmpeg: ${errorText(error, context)}\n`);
    host.exitCode = controller.signal.aborted ? stoppedBySignal : exitCodeFor(error) || exitCodes.internal;
  }
  host.off('SIGINT', interrupt);
  host.off('SIGTERM', interrupt);
  if (stop === 'SIGTERM') {
    host.kill(host.pid, stop);
  }
}

import { exitCodes } from './exit-codes.js';
import { main } from './main.js';
import { removePartialFiles } from './partial-files.js';

/** After Ctrl-C a command has this long to stop by itself, unless it asks for more; then the process ends regardless. */
const usualPatienceMs = 800;

/** Runs the command line of a process: connects its streams and signals to {@link main} and sets its exit code. */
export async function run(host: NodeJS.Process): Promise<void> {
  const controller = new AbortController();
  let patienceMs = usualPatienceMs;
  const endNow = (): void => {
    removePartialFiles();
    host.exit(exitCodes.interrupted);
  };
  const interrupt = (): void => {
    if (controller.signal.aborted) {
      endNow();
    }
    controller.abort(new Error('interrupted'));
    setTimeout(endNow, patienceMs).unref();
  };
  host.on('SIGINT', interrupt);
  host.on('SIGTERM', interrupt);
  // A reader such as `head` that has seen enough is no failure.
  host.stdout.on('error', (error: NodeJS.ErrnoException) => {
    host.exit(error.code === 'EPIPE' ? exitCodes.ok : exitCodes.internal);
  });
  host.exitCode = await main(host.argv.slice(2), {
    stdout: host.stdout,
    stderr: host.stderr,
    environment: host.env,
    signal: controller.signal,
    takeTimeToStop: (milliseconds) => {
      patienceMs = milliseconds;
    },
  });
  host.off('SIGINT', interrupt);
  host.off('SIGTERM', interrupt);
}

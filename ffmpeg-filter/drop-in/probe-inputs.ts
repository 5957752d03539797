import { execFile } from 'node:child_process';
import { MambairError } from '../../core/index.js';
import { lastValue, type Command } from '../command/command-line.js';
import { comesOnce } from '../command/ffmpeg-options.js';
import { probeArguments, readProbe, type ProbedInput } from '../command/probed-input.js';

/**
 * What ffprobe says of each input of a command; undefined for those that cannot be opened twice.
 * @throws MAMBAIR_FILE_READ with ffprobe's words when one cannot be read, MAMBAIR_CANCELLED
 */
export async function probeInputs(
  command: Command,
  ffprobe: string,
  signal?: AbortSignal,
): Promise<readonly (ProbedInput | undefined)[]> {
  return Promise.all(
    command.inputs.map(async (input) =>
      comesOnce(input.url, lastValue(input, 'f'))
        ? undefined
        : readProbe(await run(ffprobe, probeArguments(input), { url: input.url, signal })),
    ),
  );
}

function run(
  program: string,
  args: readonly string[],
  { url, signal }: { readonly url: string; readonly signal: AbortSignal | undefined },
): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { maxBuffer: 2 ** 28, windowsHide: true, signal }, (error, stdout, stderr) => {
      if (error === null) {
        resolve(stdout);
        return;
      }
      const line = stderr.trim().split('\n').at(-1) ?? '';
      const said = line.startsWith(`${url}: `) ? line.slice(url.length + 2) : line;
      reject(
        signal?.aborted === true
          ? new MambairError('MAMBAIR_CANCELLED', 'cancelled by the caller', { cause: signal.reason })
          : new MambairError('MAMBAIR_FILE_READ', `ffprobe cannot read ${url}: ${said === '' ? error.message : said}`, {
              cause: error,
              detail: { path: url },
            }),
      );
    });
  });
}

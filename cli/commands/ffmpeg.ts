import { createInterface } from 'node:readline/promises';
import { locateFfmpeg, locateFfprobe } from '../../ffmpeg-filter/command/find-ffmpeg.js';
import { filterHelp } from '../../ffmpeg-filter/command/filter-options.js';
import { helpTopic } from '../../ffmpeg-filter/command/find-filter.js';
import { passOn } from '../../ffmpeg-filter/drop-in/pass-on.js';
import { readCommand, runCommand } from '../../ffmpeg-filter/drop-in/run-command.js';
import type { Command, CommandContext } from '../command.js';
import { exitCodes } from '../exit-codes.js';
import { text, usageError } from '../options.js';

/** After Ctrl-C ffmpeg may finish its files; it is ended after ten seconds. */
const stoppingMs = 12_000;

const options = {
  ffmpeg: text('FILE', 'the ffmpeg to use; before all other words'),
  ffprobe: text('FILE', 'the ffprobe to use; before all other words'),
} as const;

/** `mambair ffmpeg` */
export const ffmpeg: Command = {
  name: 'ffmpeg',
  summary: 'run an ffmpeg command with the filter mambairv2 in it',
  usage: '[--ffmpeg FILE] [--ffprobe FILE] <any arguments of ffmpeg>',
  notes: [
    'The filter stands where any video filter stands; everything else is ffmpeg’s own business. A command without',
    'it is handed to ffmpeg as it is. Its options: mambair ffmpeg -h filter=mambairv2',
    '',
    'Examples:',
    '  mambair ffmpeg -i in.mp4 -vf mambairv2 -c:a copy out.mp4',
    '  mambair ffmpeg -i in.mkv -map 0 -c copy -c:v:0 libx264 -filter:v:0 "bwdif,mambairv2=scale=2" out.mkv',
    '  mambair ffmpeg -ss 60 -t 10 -i in.mp4 -vf "mambairv2=model=identity,format=yuv420p" part.mp4',
  ].join('\n'),
  options,
  takesAllWords: true,
  run: runFfmpeg,
};

/** Runs the words of an ffmpeg command and gives its exit code. */
export async function runFfmpeg(words: readonly string[], context: CommandContext): Promise<number> {
  const { named, args } = takeNamed(words);
  if (args.length === 0) {
    throw usageError('say what ffmpeg should do; see: mambair ffmpeg --help');
  }
  const topic = helpTopic(args);
  if (topic !== undefined) {
    context.stdout.write(filterHelp(topic));
    return exitCodes.ok;
  }
  const ours = readCommand(args);
  const where = { ...named, environment: context.environment };
  const located = await locateFfmpeg(where);
  if (ours === undefined) {
    // It stops as ffmpeg does, in its own time.
    context.takeTimeToStop?.(2 ** 31 - 1);
    const { exitCode, signal } = await passOn(located.ffmpeg, args);
    if (signal !== undefined) {
      dieOf(signal);
    }
    return exitCode;
  }
  context.takeTimeToStop?.(stoppingMs);
  await runCommand(ours, {
    programs: { ...located, ffprobe: await locateFfprobe(located, where) },
    signal: context.signal,
    write: (line) => context.stderr.write(line),
    mayReplace: context.stderr.isTTY === true && process.stdin.isTTY ? ask : undefined,
  });
  return exitCodes.ok;
}

/** Options of ours stand before the first word of ffmpeg's. */
function takeNamed(words: readonly string[]): {
  readonly named: { readonly ffmpeg?: string; readonly ffprobe?: string };
  readonly args: readonly string[];
} {
  const named: { ffmpeg?: string; ffprobe?: string } = {};
  let at = 0;
  for (; words[at] === '--ffmpeg' || words[at] === '--ffprobe'; at += 2) {
    const value = words[at + 1];
    if (value === undefined) {
      throw usageError(`${words[at]} needs a value: ${words[at]} FILE`);
    }
    named[words[at] === '--ffmpeg' ? 'ffmpeg' : 'ffprobe'] = value;
  }
  return { named, args: words.slice(at) };
}

/** As ffmpeg asks. */
async function ask(path: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y/i.test(await terminal.question(`File '${path}' already exists. Overwrite? [y/N] `));
  } finally {
    terminal.close();
  }
}

/** Ends this process as a signal ended the program in its place, so that who called sees the same. */
function dieOf(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

import { spawnSync } from 'node:child_process';

/** Runs ffmpeg and gives what it wrote to its standard output. */
export function ffmpeg(args: readonly string[], input?: Uint8Array): Uint8Array {
  const { status, stdout, stderr } = spawnSync('ffmpeg', ['-v', 'error', '-y', ...args], {
    maxBuffer: 2 ** 28,
    ...(input === undefined ? { stdio: ['ignore', 'pipe', 'pipe'] } : { input }),
  });
  if (status !== 0) {
    throw new Error(`ffmpeg ${args.join(' ')}: ended with ${status}\n${stderr.toString()}`);
  }
  return new Uint8Array(stdout);
}

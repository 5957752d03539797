import { spawnSync } from 'node:child_process';
import { describe, it } from '@jest/globals';

const isThere = spawnSync('ffmpeg', ['-version']).status === 0;

/** `describe` where an ffmpeg is on the path; else one skipped test that says so. */
export function describeWithFfmpeg(name: string, body: () => void): void {
  if (isThere) {
    describe(name, body);
  } else {
    it.skip(`${name} (needs ffmpeg on the path)`, () => undefined);
  }
}

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

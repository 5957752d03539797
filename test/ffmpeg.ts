import { spawnSync } from 'node:child_process';
import { describe, it } from '@jest/globals';

export { ffmpeg, ffmpegUnderTest, ffprobeUnderTest, testedFfmpeg } from './run-ffmpeg.js';

const isThere = spawnSync('ffmpeg', ['-version']).status === 0;

/** `describe` where an ffmpeg is on the path; else one skipped test that says so. */
export function describeWithFfmpeg(name: string, body: () => void): void {
  if (isThere) {
    describe(name, body);
  } else {
    it.skip(`${name} (needs ffmpeg on the path)`, () => undefined);
  }
}

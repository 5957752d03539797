import { spawnSync } from 'node:child_process';

/** The ffmpeg that is tried: the one that MAMBAIR_FFMPEG names, as for users, else the one on the path, which makes all clips. */
export function ffmpegUnderTest(): string {
  return process.env['MAMBAIR_FFMPEG'] ?? 'ffmpeg';
}

/** The ffprobe beside it. */
export function ffprobeUnderTest(): string {
  return ffmpegUnderTest().replace(/ffmpeg(?=(\.exe)?$)/, 'ffprobe');
}

/** Runs the ffmpeg on the path and gives what it wrote to its standard output. */
export function ffmpeg(args: readonly string[], input?: Uint8Array): Uint8Array {
  return run('ffmpeg', args, input);
}

/** The same with the ffmpeg that is tried: for what ours is compared with. */
export function testedFfmpeg(args: readonly string[], input?: Uint8Array): Uint8Array {
  return run(ffmpegUnderTest(), args, input);
}

function run(program: string, args: readonly string[], input?: Uint8Array): Uint8Array {
  const { status, stdout, stderr } = spawnSync(program, ['-v', 'error', '-y', ...args], {
    maxBuffer: 2 ** 28,
    ...(input === undefined ? { stdio: ['ignore', 'pipe', 'pipe'] } : { input }),
  });
  if (status !== 0) {
    throw new Error(`${program} ${args.join(' ')}: ended with ${status}\n${stderr.toString()}`);
  }
  return new Uint8Array(stdout);
}

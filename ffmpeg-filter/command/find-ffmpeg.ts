import { execFile } from 'node:child_process';
import { access, constants, realpath, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, delimiter, dirname, join } from 'node:path';
import { MambairError } from '../../core/index.js';
import { understandVersion, type FfmpegVersion } from './ffmpeg-version.js';

/** Where ffmpeg is. */
export interface LocatedFfmpeg {
  readonly ffmpeg: string;
  /** What named it: an option, an environment variable, a package or `PATH`. */
  readonly from: string;
}

/** An ffmpeg that was found and understood. */
export interface FoundFfmpeg extends LocatedFfmpeg {
  readonly ffprobe: string;
  readonly version: FfmpegVersion;
}

/** Where to look. Everything but `ffmpeg` and `ffprobe` has a default and is given by tests only. */
export interface FindOptions {
  /** From `--ffmpeg`. */
  readonly ffmpeg?: string | undefined;
  /** From `--ffprobe`. */
  readonly ffprobe?: string | undefined;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** What the package `ffmpeg-static` exports; undefined when it is not installed. */
  readonly staticPath?: () => unknown;
  /** Runs a program and gives its standard output. */
  readonly run?: (path: string, args: readonly string[]) => Promise<string>;
}

const variables = ['MAMBAIR_FFMPEG', 'FFMPEG_BIN', 'FFMPEG_PATH'] as const;
const suffix = process.platform === 'win32' ? '.exe' : '';

/**
 * Finds ffmpeg and ffprobe, and asks ffmpeg for its version. ffprobe: `--ffprobe`, FFPROBE_PATH, beside ffmpeg, then `PATH`.
 * @throws MAMBAIR_FFMPEG_NOT_FOUND, MAMBAIR_FFMPEG_UNSUPPORTED
 */
export async function findFfmpeg(options: FindOptions = {}): Promise<FoundFfmpeg> {
  const located = await locateFfmpeg(options);
  const version = await readVersion(located, options.run);
  return { ...located, ffprobe: await locateFfprobe(located, options), version };
}

/**
 * Finds ffmpeg: `--ffmpeg`, then MAMBAIR_FFMPEG, FFMPEG_BIN and FFMPEG_PATH, then the package `ffmpeg-static` if it is
 * installed and its file is there, then `PATH`. What is named explicitly must be there: nothing else is taken for it.
 * Our own stand-in for ffmpeg is not taken for it: a variable that names that one is passed over.
 * @throws MAMBAIR_FFMPEG_NOT_FOUND
 */
export async function locateFfmpeg(options: FindOptions = {}): Promise<LocatedFfmpeg> {
  const environment = options.environment ?? process.env;
  const named = [['--ffmpeg', options.ffmpeg] as const, ...variables.map((name) => [name, environment[name]] as const)];
  for (const [from, value] of named) {
    if (value !== undefined && value !== '' && !standIn.test(basename(value))) {
      return { ffmpeg: await mustRun(value, from, environment), from };
    }
  }
  const bundled = (options.staticPath ?? ffmpegStatic)();
  if (typeof bundled === 'string' && (await isProgram(bundled))) {
    return { ffmpeg: bundled, from: 'ffmpeg-static' };
  }
  const ffmpeg = await inPath(`ffmpeg${suffix}`, environment);
  if (ffmpeg === undefined) {
    throw notFound(
      `ffmpeg was not found: not in --ffmpeg, ${variables.join(', ')}, the package ffmpeg-static or PATH; ` +
        'install ffmpeg 5 to 9 (apt install ffmpeg, brew install ffmpeg, winget install ffmpeg) or name it with --ffmpeg',
      'ffmpeg',
    );
  }
  return { ffmpeg, from: 'PATH' };
}

/** Finds the ffprobe that goes with an ffmpeg. @throws MAMBAIR_FFMPEG_NOT_FOUND */
export async function locateFfprobe({ ffmpeg }: LocatedFfmpeg, options: FindOptions = {}): Promise<string> {
  const { ffprobe: named, environment = process.env } = options;
  for (const [from, value] of [['--ffprobe', named] as const, ['FFPROBE_PATH', environment['FFPROBE_PATH']] as const]) {
    if (value !== undefined && value !== '') {
      return mustRun(value, from, environment);
    }
  }
  const beside = join(dirname(ffmpeg), `ffprobe${suffix}`);
  const path = (await isProgram(beside)) ? beside : await inPath(`ffprobe${suffix}`, environment);
  if (path === undefined) {
    throw notFound(
      `ffprobe was not found: not in --ffprobe, FFPROBE_PATH, beside ${ffmpeg} or in PATH; ` +
        'it comes with ffmpeg, though not with ffmpeg-static (there: the package ffprobe-static); name it with --ffprobe',
      'ffprobe',
    );
  }
  return path;
}

/** A path as named, or a bare name looked up in `PATH`. */
async function mustRun(
  value: string,
  from: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const path = /[/\\]/.test(value) ? value : await inPath(value, environment);
  if (path === undefined || !(await isProgram(path))) {
    throw notFound(`${from} names "${value}", which is no program that can be run here; correct or remove it`, value);
  }
  return path;
}

async function inPath(
  name: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  for (const folder of (environment['PATH'] ?? '').split(delimiter).filter((part) => part !== '')) {
    const path = join(folder, name);
    if (await isProgram(path)) {
      return path;
    }
  }
  return undefined;
}

/** The programs that stand in for ffmpeg by starting it; they must not start each other. */
const standIn = /^mambair-ffmpeg(\.\w+)?$/;

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile() && !standIn.test(basename(await realpath(path)));
  } catch {
    return false;
  }
}

/** The package exports a path, or null on a system it has no binary for; most have not installed it. */
function ffmpegStatic(): unknown {
  try {
    return createRequire(import.meta.url)('ffmpeg-static');
  } catch {
    return undefined;
  }
}

/** Asks an ffmpeg for its version. @throws MAMBAIR_FFMPEG_UNSUPPORTED */
export async function readVersion(
  { ffmpeg: path, from }: LocatedFfmpeg,
  run: NonNullable<FindOptions['run']> = runProgram,
): Promise<FfmpegVersion> {
  let printed: string;
  try {
    printed = await run(path, ['-hide_banner', '-version']);
  } catch (cause) {
    throw new MambairError(
      'MAMBAIR_FFMPEG_UNSUPPORTED',
      `${path} (from ${from}) should print its version, but failed; is it ffmpeg, for this machine?`,
      { cause, detail: { path } },
    );
  }
  return understandVersion(printed, path);
}

function runProgram(path: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(path, args, { timeout: 20_000, maxBuffer: 2 ** 20, windowsHide: true }, (error, stdout) => {
      if (error === null) {
        resolve(stdout);
      } else {
        reject(error);
      }
    });
  });
}

function notFound(message: string, program: string): MambairError {
  return new MambairError('MAMBAIR_FFMPEG_NOT_FOUND', message, { detail: { program } });
}

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import sharp from 'sharp';
import type { MambaIRv2Config } from '../../core/architectures/mambairv2/config.js';
import { encodeSafetensors } from '../../core/tensor/safetensors.js';
import { main } from '../../cli/main.js';
import { randomCheckpoint, smallConfig } from '../random-network.js';

/** How a command line ended. */
export interface Run {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The lines of `stdout` as JSON. */
  readonly events: () => readonly Record<string, unknown>[];
}

/** Runs a command line inside this process. */
export async function mambair(...args: readonly string[]): Promise<Run> {
  return runWith({}, args);
}

/** Runs a command line inside this process, on a terminal, with a signal or with programs in its path. */
export async function runWith(
  host: { readonly isTTY?: boolean; readonly signal?: AbortSignal; readonly debug?: boolean; readonly path?: string },
  args: readonly string[],
): Promise<Run> {
  const written = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => ({
    isTTY: host.isTTY === true,
    columns: 80,
    write: (text: string) => {
      written[name] += text;
    },
  });
  const exitCode = await main(args, {
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    environment: {
      ...(host.debug === true ? { MAMBAIR_DEBUG: '1' } : {}),
      ...(host.path === undefined ? {} : { PATH: host.path, MAMBAIR_FFMPEG: process.env['MAMBAIR_FFMPEG'] }),
    },
    signal: host.signal ?? new AbortController().signal,
  });
  const events = () =>
    written.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { exitCode, ...written, events };
}

/** Starts the real program. */
export function start(args: readonly string[], environment: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [resolve('bin/mambair.js'), ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** A folder for the tests of one file, removed afterwards. Fetched models are looked for below it. */
export function workFolder(): (name: string) => string {
  let folder = '';
  const home = process.env['MAMBAIR_HOME'];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mambair-e2e-'));
    process.env['MAMBAIR_HOME'] = join(folder, 'home');
  });
  afterAll(async () => {
    if (home === undefined) {
      delete process.env['MAMBAIR_HOME'];
    } else {
      process.env['MAMBAIR_HOME'] = home;
    }
    await rm(folder, { recursive: true });
  });
  return (name) => join(folder, name);
}

/** Writes a small picture; the name says the format. */
export async function writePicture(path: string, width = 24, height = 16): Promise<void> {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, index) => (index * 7 + (index % 3) * 40) % 256);
  const image = sharp(data, { raw: { width, height, channels: 3 } });
  await (path.endsWith('.jpg') ? image.jpeg({ quality: 15 }) : image).toFile(path);
}

/** Writes the weights of a small random network that runs in milliseconds. */
export async function writeModel(path: string, changes: Partial<MambaIRv2Config> = {}): Promise<void> {
  await writeFile(path, encodeSafetensors(randomCheckpoint({ ...smallConfig, ...changes }, 1)));
}

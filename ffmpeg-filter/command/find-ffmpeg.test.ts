import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isMambairError } from '../../core/index.js';
import { describeWithFfmpeg } from '../../test/ffmpeg.js';
import { understandVersion } from './ffmpeg-version.js';
import { findFfmpeg, type FindOptions } from './find-ffmpeg.js';

const suffix = process.platform === 'win32' ? '.exe' : '';
let folder: string;
const at = (...parts: readonly string[]): string => join(folder, ...parts);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mambair-find-'));
  for (const place of ['option', 'own', 'bin', 'path', 'static', 'path/sub']) {
    await mkdir(at(place));
    await writeFile(at(place, `ffmpeg${suffix}`), '');
    await chmod(at(place, `ffmpeg${suffix}`), 0o755);
  }
  for (const name of ['path', 'option']) {
    await writeFile(at(name, `ffprobe${suffix}`), '');
    await chmod(at(name, `ffprobe${suffix}`), 0o755);
  }
  await writeFile(at('plain'), '');
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const program = (place: string): string => at(place, `ffmpeg${suffix}`);

/** Looks in a world with these variables only. */
const find = (environment: Record<string, string>, options: FindOptions = {}): ReturnType<typeof findFfmpeg> =>
  findFfmpeg({
    environment,
    staticPath: () => undefined,
    run: () => Promise.resolve('ffmpeg version 7.1.1 Copyright (c)'),
    ...options,
  });

const codeOf = async (work: Promise<unknown>): Promise<unknown> => {
  try {
    await work;
  } catch (error) {
    return isMambairError(error) ? error.code : error;
  }
  return undefined;
};

describe('findFfmpeg', () => {
  it('looks in its order', async () => {
    const world: Record<string, string> = {
      MAMBAIR_FFMPEG: program('own'),
      FFMPEG_BIN: program('bin'),
      FFMPEG_PATH: program('path/sub'),
      PATH: [at('nowhere'), at('path')].join(delimiter),
    };
    const staticPath = (): unknown => program('static');
    const seen: string[] = [];
    const first = await find(world, { ffmpeg: program('option'), staticPath });
    seen.push(first.from);
    for (const name of ['MAMBAIR_FFMPEG', 'FFMPEG_BIN', 'FFMPEG_PATH']) {
      const found = await find(world, { staticPath });
      expect(found.ffmpeg).toBe(world[name]);
      seen.push(found.from);
      world[name] = '';
    }
    seen.push((await find(world, { staticPath })).from);
    for (const path of [null, at('gone'), at('path')]) {
      seen.push((await find(world, { staticPath: () => path })).from);
    }
    expect(seen).toEqual([
      '--ffmpeg',
      'MAMBAIR_FFMPEG',
      'FFMPEG_BIN',
      'FFMPEG_PATH',
      'ffmpeg-static',
      'PATH',
      'PATH',
      'PATH',
    ]);
    expect((await find(world)).ffmpeg).toBe(program('path'));
  });

  it('takes a bare name from PATH, and ffprobe from beside ffmpeg', async () => {
    const found = await find({ FFMPEG_BIN: `ffmpeg${suffix}`, PATH: at('path') });
    expect(found.ffmpeg).toBe(program('path'));
    expect((await find({ PATH: at('path') }, { ffmpeg: program('option') })).ffprobe).toBe(
      at('option', `ffprobe${suffix}`),
    );
    expect((await find({ PATH: at('path') }, { ffmpeg: program('own') })).ffprobe).toBe(at('path', `ffprobe${suffix}`));
    const named = { PATH: at('path'), FFPROBE_PATH: at('option', `ffprobe${suffix}`) };
    expect((await find(named)).ffprobe).toBe(named.FFPROBE_PATH);
  });

  it('does not look elsewhere when the one that was named is missing', async () => {
    const PATH = at('path');
    expect(await codeOf(find({ PATH }, { ffmpeg: at('gone') }))).toBe('MAMBAIR_FFMPEG_NOT_FOUND');
    expect(await codeOf(find({ PATH, MAMBAIR_FFMPEG: at('path') }))).toBe('MAMBAIR_FFMPEG_NOT_FOUND');
    expect(await codeOf(find({ PATH }, { ffprobe: at('gone') }))).toBe('MAMBAIR_FFMPEG_NOT_FOUND');
    expect(await codeOf(find({ PATH: at('nowhere') }))).toBe('MAMBAIR_FFMPEG_NOT_FOUND');
    expect(await codeOf(find({ PATH: at('own') }))).toBe('MAMBAIR_FFMPEG_NOT_FOUND');
  });

  it('refuses what is not a working ffmpeg', async () => {
    const PATH = at('path');
    const fails = (): Promise<string> => Promise.reject(new Error('exec format error'));
    expect(await codeOf(find({ PATH }, { run: fails }))).toBe('MAMBAIR_FFMPEG_UNSUPPORTED');
    expect(await codeOf(find({ PATH }, { run: () => Promise.resolve('hello') }))).toBe('MAMBAIR_FFMPEG_UNSUPPORTED');
  });
});

describeWithFfmpeg('findFfmpeg on this machine', () => {
  it('finds and understands it', async () => {
    const { version, ffprobe } = await findFfmpeg();
    expect(version.major).toBeGreaterThanOrEqual(5);
    expect(ffprobe).toContain('ffprobe');
  });
});

describe('understandVersion', () => {
  const of = (version: string, avutil = '57. 28'): ReturnType<typeof understandVersion> =>
    understandVersion(
      `ffmpeg version ${version} Copyright (c) 2000-2026\nlibavutil      ${avutil}.100 / ${avutil}.100\n`,
    );

  it.each([
    ['5.0', 5, 0, false],
    ['5.1.9-0+deb12u1', 5, 1, true],
    ['6.0', 6, 0, true],
    ['n6.1.1', 6, 1, true],
    ['7.0-static', 7, 0, true],
    ['7.1~rc1', 7, 1, true],
    ['8', 8, 0, true],
    ['9.0.1', 9, 0, true],
    ['10.2', 10, 2, true],
  ])('%s is a release', (printed, major, minor, hasFpsMode) => {
    expect(of(printed)).toMatchObject({ printed, major, minor, hasFpsMode, isDevelopment: false });
  });

  it.each([
    ['N-118315-g1b8a7a1', '59. 56', 7, 1],
    ['git-2022-01-01-gabcdef', '57. 28', 5, 1],
    ['2024-11-21-git-f298507323-full_build', '59. 47', 7, 1],
    ['1b8a7a1', '58.  2', 6, 0],
    ['N-999999-gffffffff', '61.  1', 8, 0],
  ])('%s is told by its libraries', (printed, avutil, major, minor) => {
    expect(of(printed, avutil)).toMatchObject({ printed, major, minor, isDevelopment: true });
  });

  it('refuses older ones, and git builds without libraries to tell by', async () => {
    for (const [printed, avutil] of [
      ['4.4.2', '56. 70'],
      ['0.8', '51. 0'],
      ['N-1-g0', '56. 70'],
      ['N-1-g0', 'x'],
    ] as const) {
      expect(await codeOf(Promise.resolve().then(() => of(printed, avutil)))).toBe('MAMBAIR_FFMPEG_UNSUPPORTED');
    }
  });
});

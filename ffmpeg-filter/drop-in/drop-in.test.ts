import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { isMambairError } from '../../core/index.js';
import { parseCommand } from '../command/command-line.js';
import { readTime } from './clock.js';
import { decodeLines, encodeLines } from './console-lines.js';
import { filterModel } from './filter-model.js';
import { hasQuietLog, withErrors } from './log-level.js';
import { OutputsAside } from './outputs-aside.js';
import { takesStreamTimes } from './time-bases.js';

const words = (text: string): readonly string[] => text.split(' ');
const codeOf = (action: () => unknown): unknown => {
  try {
    return action();
  } catch (error) {
    return isMambairError(error) ? error.code : error;
  }
};

describe('readTime', () => {
  it.each([
    ['12.5', 12.5],
    ['-3', -3],
    ['1:02:03.5', 3723.5],
    ['2:03', 123],
    ['200ms', 0.2],
    ['7s', 7],
    ['.5', 0.5],
    ['12us', 0.000012],
    ['now', undefined],
    [undefined, undefined],
  ])('reads %s', (text, seconds) => expect(readTime(text)).toBe(seconds));
});

describe('OutputsAside', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mambair-aside-'));
  const at = (name: string): string => join(folder, name);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const aside = (text: string): OutputsAside => new OutputsAside(parseCommand(words(text)));

  it('keeps files aside until they are complete', async () => {
    const outputs = aside(`-i in.mkv ${at('a.b.mkv')} file:${at('c')}`);
    const partials = [outputs.address('', 0), outputs.address('', 1)];
    expect(partials).toEqual([at('a.b.partial.mkv'), at('c.partial')]);
    partials.forEach((path) => writeFileSync(path, 'x'));
    writeFileSync(at('c'), 'old');
    expect(outputs.existing).toEqual([at('c')]);
    expect(outputs.partials).toEqual(partials);
    await outputs.finish();
    expect([at('a.b.mkv'), at('c'), ...partials].map((path) => existsSync(path))).toEqual([true, true, false, false]);
  });

  it('leaves what is no plain file', () => {
    for (const output of [
      '-f matroska pipe:1',
      '-f null -',
      'f_%04d.png',
      'rtmp://host/live',
      'list.m3u8',
      '-f segment s.mkv',
      '/dev/null',
    ]) {
      const url = output.split(' ').at(-1) ?? '';
      expect(aside(`-i in.mkv ${output}`).address(url, 0)).toBe(url);
    }
  });

  it('refuses an output that is an input', () => {
    writeFileSync(at('same.mkv'), 'x');
    expect(codeOf(() => aside(`-i ${at('same.mkv')} ${at('./same.mkv')}`))).toBe('MAMBAIR_OPTION_INVALID');
  });
});

describe('lines of both halves', () => {
  const lines = ['Input #0, mov', '  Duration: 1', 'Stream mapping:', '  Stream #0:0', 'Output #0, nut', '  Metadata:'];

  it('tell of the input once, of the output once, and of every error', () => {
    const shown = (shows: (line: string) => boolean): readonly string[] =>
      [...lines, 'frame=    1 fps=0.0\r', '[h264 @ 0x1] error while decoding'].filter((line) => shows(line));
    const [decode, encode] = [decodeLines(), encodeLines()];
    expect(shown((line) => decode.shows(line))).toEqual([lines[0], lines[1], '[h264 @ 0x1] error while decoding']);
    expect(shown((line) => encode.shows(line))).toEqual([
      ...lines.slice(2),
      'frame=    1 fps=0.0\r',
      '[h264 @ 0x1] error while decoding',
    ]);
  });
});

describe('filterModel', () => {
  it('takes the named model, or the best for the task', () => {
    expect(filterModel({ model: 'identity', threads: 2, tile: 64, memory: 1e9, seed: 3 })).toEqual({
      source: 'identity',
      load: { threads: 2 },
      frames: { tile: 64, memoryBytes: 1e9, seed: 3 },
    });
    expect(filterModel({}).source).toBe(filterModel({ task: 'upscale', scale: 2 }).source);
    expect(codeOf(() => filterModel({ task: 'denoise', scale: 2 }))).toBe('MAMBAIR_OPTION_INVALID');
    expect(codeOf(() => filterModel({ scale: 7 }))).toBe('MAMBAIR_MODEL_UNKNOWN');
  });
});

describe('a command that hides errors', () => {
  it('still has them told to us', () => {
    expect(hasQuietLog(parseCommand(words('-v quiet -i a b')))).toBe(true);
    expect(hasQuietLog(parseCommand(words('-loglevel repeat+fatal -i a b')))).toBe(true);
    expect(hasQuietLog(parseCommand(words('-loglevel error -i a b')))).toBe(false);
    expect(withErrors(words('-v quiet -i v'))).toEqual(words('-v error -i v'));
  });
});

describe('takesStreamTimes', () => {
  it.each([
    ['-i a o.mkv', undefined, true],
    ['-i a o.avi', 'libx264', false],
    ['-i a o.ts', 'mpeg2video', false],
    ['-i a o.mp4', 'mpeg4', false],
    ['-i a o.mpg', undefined, false],
    ['-i a o.flv', 'libx264', true],
    ['-i a -f avi o', undefined, false],
  ])('of %s by %s is %s', (text, encoder, takes) =>
    expect(takesStreamTimes(parseCommand(words(text)), 0, [encoder])).toBe(takes),
  );
});

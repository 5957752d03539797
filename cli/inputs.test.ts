import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { findInputs } from './inputs.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mambair-inputs-'));
  mkdirSync(join(folder, 'sub/deep'), { recursive: true });
  mkdirSync(join(folder, 'out'));
  const names = ['b.png', 'a.JPG', 'notes.txt', '.hidden.png', 'sub/c.webp', 'sub/deep/d.tif', 'out/b.png', '[x].png'];
  for (const name of names) {
    writeFileSync(join(folder, name), '');
  }
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const found = async (args: string[], exclude?: string): Promise<string[]> =>
  (
    await findInputs(
      args.map((each) => join(folder, each)),
      exclude,
    )
  ).files.map((file) => file.relative);

describe('finding inputs', () => {
  it('searches a folder to any depth for pictures, sorted, without hidden files and the output folder', async () => {
    expect(await found(['.'], join(folder, 'out'))).toEqual([
      '[x].png',
      'a.JPG',
      'b.png',
      'sub/c.webp',
      'sub/deep/d.tif',
    ]);
  });

  it('takes a named file whatever its extension, and every file once', async () => {
    expect(await found(['notes.txt', 'b.png', '.'], join(folder, 'sub'))).toEqual([
      'notes.txt',
      'b.png',
      '[x].png',
      'a.JPG',
      'out/b.png',
    ]);
  });

  it.each([
    ['*.png', ['[x].png', 'b.png']],
    ['?.{png,JPG}', ['a.JPG', 'b.png']],
    ['[ab].*', ['a.JPG', 'b.png']],
    ['[!a].png', ['b.png']],
    ['**/*.{webp,tif}', ['sub/c.webp', 'sub/deep/d.tif']],
    ['s*/*', ['sub/c.webp']],
    ['sub/**', ['c.webp', 'deep/d.tif']],
    ['[x].png', ['[x].png']],
  ])('expands %s', async (glob, expected) => {
    expect(await found([glob])).toEqual(expected);
  });

  it('says what led to nothing', async () => {
    mkdirSync(join(folder, 'empty'));
    const { failures } = await findInputs(['missing.png', '*.gif', 'empty'].map((each) => join(folder, each)));
    expect(failures.map(({ error }) => error.code)).toEqual(Array(3).fill('MAMBAIR_FILE_NOT_FOUND'));
    expect(failures.map(({ error }) => error.message)).toEqual([
      expect.stringContaining('no file or folder'),
      expect.stringContaining('no picture matches'),
      expect.stringContaining('holds no picture'),
    ]);
  });
});

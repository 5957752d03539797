import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { InputFile } from './inputs.js';
import { planOutputs } from './outputs.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mambair-outputs-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const input = (relative: string): InputFile => ({ path: join(folder, relative), relative, named: false });
const outputs = (...args: Parameters<typeof planOutputs>): string[] => planOutputs(...args).map((job) => job.output);

describe('where results go', () => {
  it('puts them beside their inputs with a suffix when nothing is said', () => {
    expect(outputs([input('a.jpg'), input('b.c.PNG')], { suffix: '-x2' })).toEqual([
      join(folder, 'a-x2.jpg'),
      join(folder, 'b.c-x2.PNG'),
    ]);
  });

  it('keeps names and places below a folder', () => {
    const wish = { output: join(folder, 'out'), suffix: '-x2', format: 'webp' } as const;
    expect(outputs([input('a.jpg'), input('sub/a.jpg')], wish)).toEqual([
      join(folder, 'out/a.webp'),
      join(folder, 'out/sub/a.webp'),
    ]);
  });

  it('takes a name with the extension of a picture for a file', () => {
    expect(outputs([input('a.jpg')], { output: 'b.tif', suffix: '' })).toEqual(['b.tif']);
  });

  it('gives PNG to formats that cannot be written', () => {
    expect(outputs([input('a.heic')], { output: 'out/', suffix: '' })).toEqual([join('out', 'a.png')]);
  });

  it.each([
    ['two inputs for one result', ['a.jpg', 'a.png'], { output: 'out/', format: 'png' }, /both become/],
    ['a result that is an input', ['a-x2.png', 'a.png'], {}, /overwrite the input/],
    ['several pictures for one file', ['a.jpg', 'b.jpg'], { output: 'out.png' }, /one file/],
    ['a name of another format', ['a.jpg'], { output: 'out.png', format: 'webp' }, /does not fit/],
  ] as const)('refuses %s', (_, names, wish, message) => {
    expect(() => planOutputs(names.map(input), { suffix: '-x2', ...wish })).toThrow(message);
  });

  it('sees through links that a result would overwrite an input', () => {
    mkdirSync(join(folder, 'real'));
    writeFileSync(join(folder, 'real/a.png'), '');
    symlinkSync(join(folder, 'real'), join(folder, 'link'));
    expect(() => planOutputs([input('real/a.png')], { output: join(folder, 'link'), suffix: '' })).not.toThrow();
    const named: InputFile = { path: join(folder, 'real/a.png'), relative: 'a.png', named: true };
    expect(() => planOutputs([named], { output: join(folder, 'link'), suffix: '' })).toThrow(/overwrite the input/);
  });
});

import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { isMambairError } from '../../core/index.js';
import { filterHelp, filterNames, filterOptions, readFilterOptions } from './filter-options.js';
import { helpTopic } from './find-filter.js';

describe('readFilterOptions', () => {
  it('reads values by name, by place and with units', () => {
    expect(readFilterOptions(undefined)).toEqual({});
    expect(readFilterOptions('scale=2:model=tiny-x2')).toEqual({ scale: 2, model: 'tiny-x2' });
    expect(readFilterOptions("2:'a:b.pth':seed=4294967295")).toEqual({ scale: 2, model: 'a:b.pth', seed: 2 ** 32 - 1 });
    expect(readFilterOptions('memory=1.5Gi:tile=whole')).toEqual({ memory: 1.5 * 2 ** 30, tile: 'whole' });
    expect(readFilterOptions('memory=800M:tile=256')).toEqual({ memory: 8e8, tile: 256 });
  });

  it.each([
    ...['scale=0', 'scale=9', 'scale=2.5', 'scale=two', 'scale=', 'model=', 'device=gpu', 'tile=half', 'tile=31'],
    ...['sclae=2', 'scale=2:scale=2', 'memory=0', 'constructor=1', 'device=constructor', '1:2:3:4:5:6:7:8:9:10:11:12'],
  ])('refuses %s', (text) => {
    let code: unknown;
    try {
      readFilterOptions(text);
    } catch (error) {
      code = isMambairError(error) ? error.code : error;
    }
    expect(code).toBe('MAMBAIR_OPTION_INVALID');
  });
});

describe('filterHelp', () => {
  it('has every option with its values, in lines that fit a terminal', () => {
    const text = filterHelp('mambairv2');
    for (const { name, values } of filterOptions) {
      expect(text).toMatch(new RegExp(`^   ${name} +<`, 'm'));
      for (const value of Object.keys(values ?? {})) {
        expect(text).toMatch(new RegExp(`^     ${value} `, 'm'));
      }
    }
    expect(Math.max(...text.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(120);
  });

  it('agrees with docs/ffmpeg-filter.md', async () => {
    const page = await readFile('docs/ffmpeg-filter.md', 'utf8');
    const rows = [...page.matchAll(/^\| `([a-z]+)` \| (.+) \| (.+) \|$/gm)];
    expect(rows.map(([, name]) => name)).toEqual(filterOptions.map(({ name }) => name));
    for (const [at, [, , values]] of rows.entries()) {
      expect([...(values ?? '').matchAll(/`([a-z]+)`/g)].map(([, value]) => value)).toEqual(
        Object.keys(filterOptions[at]?.values ?? {}),
      );
    }
  });

  it('is asked for as of any filter of ffmpeg', () => {
    for (const name of filterNames) {
      expect(helpTopic(['-hide_banner', '-h', `filter=${name}`])).toBe(name);
    }
    expect(helpTopic(['-h', 'filter=scale'])).toBeUndefined();
    expect(helpTopic(['-i', 'filter=mair'])).toBeUndefined();
  });
});

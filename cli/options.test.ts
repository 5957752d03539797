import { describe, expect, it } from '@jest/globals';
import { choice, flag, integer, list, parseOptions, text } from './options.js';

const table = {
  output: text('FILE', 'where to', 'o'),
  tile: choice(['auto', 'whole'], 'how to cut'),
  seed: integer({ least: 0, most: 100 }, 'for the noise'),
  set: list('KEY=VALUE', 'more'),
  quiet: flag('say nothing', 'q'),
};

describe('options', () => {
  it('reads every kind, in any order and spelling, beside positionals', () => {
    const { options, positionals } = parseOptions(table, [
      ...['a.png', '-o', 'out', '--tile=whole', '--seed', '7', '--set', 'a=1', '--set=b=2', '-q', '--', '--b.png'],
    ]);
    expect(options).toEqual({ output: 'out', tile: 'whole', seed: 7, set: ['a=1', 'b=2'], quiet: true });
    expect(positionals).toEqual(['a.png', '--b.png']);
  });

  it('leaves what is not given at its initial value', () => {
    expect(parseOptions(table, []).options).toEqual({
      output: undefined,
      tile: undefined,
      seed: undefined,
      set: [],
      quiet: false,
    });
  });

  it.each([
    [['--tiel', 'auto'], /--tile/],
    [['--tile', 'whoel'], /did you mean whole/],
    [['--tile'], /needs a value/],
    [['--output='], /needs a value/],
    [['--seed', '1.5'], /whole number from 0 to 100/],
    [['--seed', '101'], /whole number from 0 to 100/],
    [['--seed', '1', '--seed', '2'], /only once/],
    [['--quiet=yes'], /takes no value/],
    [['--constructor'], /no option/],
  ])('refuses %j', (args, message) => {
    expect(() => parseOptions(table, args)).toThrow(message);
    expect(() => parseOptions(table, args)).toThrow(expect.objectContaining({ code: 'MAMBAIR_OPTION_INVALID' }));
  });
});

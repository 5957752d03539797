import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isMambairError } from '../../core/index.js';
import { parseGraph, printGraph, splitArguments, type Graph } from './filter-graph.js';

const names = (text: string): readonly (readonly string[])[] =>
  parseGraph(text).chains.map((chain) => chain.map(({ name }) => name));

/** The value that a filter sees after both levels of quotes. */
const valueOf = (text: string): string | undefined =>
  splitArguments(parseGraph(`metadata=add:key=k:value=${text}`).chains[0]?.[0]?.arguments).find(
    ({ key }) => key === 'value',
  )?.value;

/** Undefined when the text is refused in the proper way. */
function readOrRefused(text: string): Graph | undefined {
  try {
    return parseGraph(text);
  } catch (error) {
    if (isMambairError(error, 'MAMBAIR_OPTION_INVALID')) {
      return undefined;
    }
    throw error;
  }
}

describe('parseGraph', () => {
  it('reads chains, labels, instances and flags', () => {
    const graph = parseGraph(' sws_flags=bicubic;[0:v] [1:v]overlay@top=10:10 [a] ; [a]hflip ,scale=iw/2:-2[out]\n');
    expect(graph.swsFlags).toBe('bicubic');
    expect(graph.chains.map((chain) => chain.length)).toEqual([1, 2]);
    expect(graph.chains[0]?.[0]).toEqual({
      name: 'overlay',
      text: 'overlay@top=10:10',
      arguments: '10:10',
      inputs: ['0:v', '1:v'],
      outputs: ['a'],
    });
    expect(printGraph(graph)).toBe('sws_flags=bicubic;[0:v][1:v]overlay@top=10:10[a];[a]hflip,scale=iw/2:-2[out]');
  });

  it('finds filters by token, not by text', () => {
    expect(names("drawtext=text='a,mambair=b',null")).toEqual([['drawtext', 'null']]);
    expect(names('drawtext=text=a\\,mambair=b\\;c')).toEqual([['drawtext']]);
    expect(names("drawtext=text='it'\\''s; [x]'")).toEqual([['drawtext']]);
  });

  // The first two were seen in what ffmpeg's metadata filter writes.
  it.each([
    [String.raw`'my\,x'`, 'my,x'],
    [String.raw`'a\:b'`, 'a:b'],
    [String.raw`a\\\:b`, 'a:b'],
    [String.raw`C\\:/x`, 'C:/x'],
    [String.raw`\'a b \' `, 'a b '],
    [' plain  ', 'plain'],
  ])('frees the value %s of both levels of quotes', (text, value) => expect(valueOf(text)).toBe(value));

  it.each(['', ',', 'a,,b', 'a;', '[', '[]a', 'a[b', 'a=b]c', 'sws_flags=x', '[a][b]'])('refuses "%s"', (text) =>
    expect(readOrRefused(text)).toBeUndefined(),
  );
});

describe('any graph', () => {
  const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,5}$/);
  const value = fc.oneof(
    fc.stringMatching(/^[\w.*/+-]{1,8}$/),
    fc.constantFrom("'a,b;[c]'", 'a\\,b', "'x'\\''y'", 'a\\ '),
  );
  const filter = fc.record({
    name: word,
    values: fc.array(fc.tuple(word, value), { maxLength: 3 }),
    inputs: fc.array(fc.oneof(word, fc.constantFrom('0:v', '1:a:0', 'a\\]b')), { maxLength: 2 }),
    outputs: fc.array(word, { maxLength: 2 }),
  });
  const graph = fc
    .array(fc.array(filter, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 })
    .map((chains) =>
      chains
        .map((chain) =>
          chain
            .map(({ name, values, inputs, outputs }) => {
              const args = values.map(([key, text]) => `${key}=${text}`).join(':');
              const labels = (list: readonly string[]): string => list.map((label) => `[${label}]`).join('');
              return `${labels(inputs)}${name}${args === '' ? '' : `=${args}`}${labels(outputs)}`;
            })
            .join(','),
        )
        .join(';'),
    );
  const assertRoundTrip = (read: Graph): void => expect(parseGraph(printGraph(read))).toEqual(read);

  it('is printed as it was written, and read back the same', () => {
    fc.assert(
      fc.property(graph, (text) => {
        expect(printGraph(parseGraph(text))).toBe(text);
        assertRoundTrip(parseGraph(text));
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('is read or refused, whatever the text, and what is read comes back', () => {
    const piece = fc.oneof(
      fc.constantFrom('[', ']', ',', ';', '=', ':', '\\', "'", ' ', '\n', 'a', 'bc', '0:v', '@', 'sws_flags='),
      fc.string({ maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const read = readOrRefused(pieces.join(''));
        if (read === undefined) {
          return;
        }
        assertRoundTrip(read);
        for (const { arguments: args } of read.chains.flat()) {
          expect(splitArguments(args).length).toBeLessThanOrEqual((args ?? '').length + 1);
        }
      }),
      { seed: 1, numRuns: 3000 },
    );
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isMambairError } from '../../core/index.js';
import { probed, probedClips } from '../../test/probed-clips.js';
import { describeWithShared, sharedPath } from '../../test/shared.js';
import { commandParts, parseCommand } from './command-line.js';
import { splitArguments } from './filter-graph.js';
import { findOurFilter } from './find-filter.js';
import { fillHalf, type Half } from './half.js';
import type { ProbedInput } from './probed-input.js';
import { splitCommand, type Split } from './split-command.js';

interface SplitCase {
  readonly n: number;
  readonly title: string;
  readonly cmd: readonly string[];
  readonly decode?: readonly string[];
  readonly encode?: readonly string[];
  readonly params?: string;
  readonly value?: Readonly<Record<string, string>>;
  readonly error?: string;
}

const noScript = (path: string): string => {
  throw new Error(`nobody asked for ${path}`);
};

function split(argv: readonly string[], clips: Readonly<Record<string, ProbedInput>> = probedClips): Split {
  const command = parseCommand(argv);
  const found = findOurFilter(command, noScript);
  if (found === undefined) {
    throw new Error('the command has no filter of ours');
  }
  return splitCommand(
    command,
    found,
    command.inputs.map(({ url }) => clips[url]),
  );
}

/** A half with its places written as the cases write them. */
const written = (half: Half): readonly string[] =>
  fillHalf(half, { raw: ['{RAW}'], pipe: ['{PIPE}'], timeBase: ['{TB}'], colour: () => ['{COL}'] });

const words = (text: string): readonly string[] => text.split(' ');

function reasonOf(argv: readonly string[]): unknown {
  try {
    split(argv);
  } catch (error) {
    if (isMambairError(error, 'MAMBAIR_FFMPEG_UNSPLITTABLE')) {
      return error.detail['reason'];
    }
    throw error;
  }
  return undefined;
}

describeWithShared('the split cases', ['video-rig/split-cases.json'], () => {
  const { cases } = JSON.parse(readFileSync(sharedPath('video-rig/split-cases.json') ?? '', 'utf8')) as {
    readonly cases: readonly SplitCase[];
  };
  const halves = cases.filter(({ error }) => error === undefined).map((one) => [one.n, one.title, one] as const);
  const refused = cases.filter(({ error }) => error !== undefined).map((one) => [one.n, one.title, one] as const);

  it('are 17', () => expect(halves.length + refused.length).toBe(17));

  it.each(halves)('%i: %s', (_, __, { cmd, decode, encode, params, value }) => {
    const { filter, decode: first, encode: second } = split(cmd);
    expect(written(first)).toEqual(decode);
    expect(written(second)).toEqual(encode);
    expect(filter.text.slice(filter.name.length).replace(/^=/, '')).toBe(params);
    // The cases give values with the graph's level of quotes gone, the filter's own still there.
    const given = splitArguments(filter.arguments).map(({ key, value: read }) => [key, read]);
    for (const [key, text] of Object.entries(value ?? {})) {
      expect(given).toContainEqual([key, text.replaceAll('\\', '')]);
    }
  });

  it.each(refused)('%i: %s', (_, __, { cmd, error }) => {
    expect(reasonOf(cmd)).toBe(error);
  });
});

describe('splitCommand', () => {
  it('follows the time base through filters', () => {
    const at = (filters: string): unknown => split(['-i', 'cfr24.mp4', '-vf', filters, 'o.mkv']).timeBase;
    expect(at('mair')).toEqual({ num: 1, den: 24_000 });
    expect(at('yadif=1,mair')).toEqual({ num: 1, den: 48_000 });
    expect(at('fps=ntsc,mair')).toEqual({ num: 1001, den: 30_000 });
    expect(at('settb=1/90,hflip,mair')).toEqual({ num: 1, den: 90 });
    expect(at('minterpolate,mair')).toBeUndefined();
  });

  it('says when colour tags are not the source’s', () => {
    const at = (filters: string): unknown => split(['-i', 'cfr24.mp4', '-vf', filters, 'o.mkv']).changesColour;
    expect(at('hflip,mair,format=yuv420p')).toEqual({ before: false, after: false });
    expect(at('zscale=t=linear,mair,format=gbrp')).toEqual({ before: true, after: true });
    expect(at('mair,scale=out_range=pc')).toEqual({ before: false, after: true });
    const clips = { 'a.mkv': probed([{ kind: 'video', codec: 'h264', colour: { color_space: 'bt709' } }]) };
    expect(split(words('-i a.mkv -vf mair o.mkv'), clips).changesColour.after).toBe(false);
  });

  it('says when only ffmpeg can tell the colours of frames', () => {
    const clips = {
      'a.mkv': probed([{ kind: 'video', codec: 'h264', pixelFormat: 'yuv420p', colour: { color_range: 'tv' } }]),
      'j.mkv': probed([{ kind: 'video', codec: 'h264', pixelFormat: 'yuvj420p', colour: { color_range: 'pc' } }]),
    };
    const at = (clip: string, filters: string): unknown =>
      split(['-i', clip, '-vf', filters, 'o.mkv'], clips).mayChangeColour;
    expect(at('a.mkv', 'hflip,scale=64:-2,format=yuv420p10|yuv422p,mair,curves=vintage')).toBe(false);
    for (const filter of ['curves=vintage', 'format=nv12', 'format=yuv420p|gbrp', 'scale=out_range=pc', 'a_new_one']) {
      expect(at('a.mkv', `${filter},mair`)).toBe(true);
    }
    expect([at('j.mkv', 'hflip,mair'), at('j.mkv', 'mair,hflip')]).toEqual([true, false]);
  });

  it('gives frames back the tags and the field order that the pipe does not carry', () => {
    const colour = { color_range: 'tv', color_space: 'bt709', color_transfer: 'bt709', field_order: 'bt' };
    const clips = { 'a.mkv': probed([{ kind: 'video', codec: 'h264', colour }]) };
    const filtersOf = (filters: string): string | undefined => {
      const { encode } = split(['-i', 'a.mkv', '-vf', filters, 'o.mkv'], clips);
      const half = written(encode);
      return half[half.indexOf('-vf') + 1];
    };
    expect(filtersOf('mair,hflip')).toBe('setparams=range=tv:colorspace=bt709:color_trc=bt709,setfield=bff,hflip');
    expect(filtersOf('bwdif,mair')).toBe('setparams=range=tv:colorspace=bt709:color_trc=bt709');
    expect(filtersOf('colorspace=bt601-6-625,mair')).toBe('setfield=bff');
    const { encode } = split(['-i', 'a.mkv', '-lavfi', '[0:v]mair[v]', '-map', '[v]', 'o.mkv'], clips);
    expect(written(encode)).toContain('[0:v]setparams=range=tv:colorspace=bt709:color_trc=bt709,setfield=bff[v]');
  });

  it('tells which encoder a stream goes to', () => {
    const codecsIn = (options: string): unknown =>
      split(words(`-i multi.mkv -map 0:a -map 0:v:0 -filter:v:0 mair ${options} o.mkv`)).encode.flatMap((word) =>
        typeof word !== 'string' && word.slot === 'timeBase' ? word.codecs : [],
      );
    expect(codecsIn('')).toEqual([undefined]);
    for (const name of ['c', 'c:v', 'codec:v:0', 'vcodec', 'c:V', 'codec:2']) {
      expect(codecsIn(`-${name} mpeg4`)).toEqual(['mpeg4']);
    }
    expect(codecsIn('-c:v:0 mpeg4 -c:a aac -acodec flac -c:v:1 x')).toEqual(['mpeg4']);
    expect(codecsIn('-c:v mpeg4 -c libx264')).toEqual(['libx264']);
  });

  it('gives colours to what our pictures come first in', () => {
    const coloursIn = (graph: string): number => {
      const { encode } = split([...words('-i cfr24.mp4 -i cover.png -filter_complex'), graph, 'o.mkv']);
      return written(encode).filter((word) => word === '{COL}').length;
    };
    expect(coloursIn('[0:v]mair[m];[m][1:v]overlay')).toBe(1);
    expect(coloursIn('[0:v]mair[m];[1:v][m]overlay,hflip')).toBe(0);
    expect(coloursIn('[0:v]mair[m];[1:v]hflip,[m]overlay')).toBe(1);
    expect(coloursIn('[1:v]hflip[h];[0:v]mair,[h]overlay')).toBe(0);
  });

  it('says which streams of its inputs a command takes', () => {
    const usedBy = (text: string): unknown => split(words(text)).used.map((used) => [...used].sort());
    expect(usedBy('-i multi.mkv -map 0:a:1 -map 0:v:0 -vf mair o.mkv')).toEqual([[0, 2]]);
    expect(usedBy('-i cfr24.mp4 -i cover.png -lavfi mair[m];[m][1:v]overlay o.mkv')).toEqual([[0, 1], [0]]);
  });

  it('takes a stream out of its place and puts it back there', () => {
    const clips = {
      'a.mkv': probed([
        { kind: 'audio', codec: 'aac' },
        { kind: 'video', codec: 'h264' },
        { kind: 'subtitle', codec: 'ass' },
      ]),
    };
    const { encode } = split(words('-i a.mkv -map 0 -map -0:s -filter:v mair o.mov'), clips);
    expect(written(encode)).toEqual(
      words('{PIPE} -i a.mkv -map 1:0 -map 0:v:0 -map -1:s -map_metadata 1 -map_chapters 1 {TB} {COL} o.mov'),
    );
  });

  it('keeps the default flags that ffmpeg would set by itself', () => {
    const audio = { kind: 'audio', codec: 'aac' } as const;
    const clips = { 'a.mkv': probed([{ kind: 'video', codec: 'h264', flags: ['default'] }, audio, audio]) };
    const { encode } = split(words('-i a.mkv -map 0 -vf mair o.mkv'), clips);
    expect(written(encode).join(' ')).toContain('-disposition:0 default -disposition:1 default');
  });

  it('decodes on the GPU only where pictures are decoded', () => {
    const { decode, encode } = split(words('-hwaccel cuda -c:v h264_cuvid -t 3 -i cfr24.mp4 -vf mair o.mkv'));
    expect(written(decode).slice(0, 6)).toEqual(words('-hwaccel cuda -c:v h264_cuvid -t 3'));
    expect(written(encode).slice(0, 5)).toEqual(words('{PIPE} -t 3 -i cfr24.mp4'));
  });

  it('reads standard input once when only its pictures are wanted', () => {
    const result = split(words('-i pipe:0 -vf mair -an o.mkv'));
    expect(written(result.decode)).toEqual(words('-i pipe:0 -map 0:v:0 {RAW}'));
    expect(written(result.encode)).toEqual(words('{PIPE} -map 0:v:0 {TB} -an {COL} o.mkv'));
    expect(result.unread).toEqual(['pipe:0']);
  });

  it('reads a graph from a file', () => {
    const command = parseCommand(words('-i cfr24.mp4 -filter_script:v graph.txt o.mp4'));
    const found = findOurFilter(command, (path) => (path === 'graph.txt' ? 'hflip,\n mair=2 , vflip\n' : ''));
    if (found === undefined) {
      throw new Error('the filter in the file was not found');
    }
    const { decode, encode } = splitCommand(command, found, [probedClips['cfr24.mp4']]);
    expect(written(decode)).toEqual(words('-i cfr24.mp4 -map 0:v:0 -filter:v hflip {RAW}'));
    expect(written(encode)).toContain('vflip');
  });

  it.each([
    ['cannot-split', '-i cfr24.mp4 -vf mair -vf hflip o.mp4'],
    ['cannot-split', '-i cfr24.mp4 -vf mair -vn o.mp4'],
    ['cannot-split', '-i multi.mkv -map 0 -vf mair o.mkv'],
    ['cannot-split', '-i cfr24.mp4 o.mp4 -vf mair'],
    ['cannot-split', '-i cfr24.mp4 -i cover.png -filter_complex [0:v]mair[a];[a]overlay[v];scale[w] -map [v] o.mp4'],
    ['cannot-split', '-i cfr24.mp4 -filter_complex [0:v]split[a][x];[a]mair[b] -map [b] -map [x] o.mp4'],
    ['cannot-split', '-i cfr24.mp4 -filter_complex [a]hflip[b];[b]vflip[a][c];[c]mair[d] -map [d] o.mp4'],
    ['cannot-split', '-i cfr24.mp4 -map 0:p:1 -vf mair o.mp4'],
    ['filter-with-copy', '-i cfr24.mp4 -filter_complex mair[v] -map [v] -c copy o.mp4'],
    ['one-filter', '-i cfr24.mp4 -vf mair a.mp4 -vf mair b.mp4'],
    ['frames-on-gpu', '-hwaccel cuda -hwaccel_output_format cuda -i cfr24.mp4 -vf scale_cuda=64:64,mair o.mp4'],
    ['needs-file', '-f v4l2 -i /dev/video0 -vf mair -map 0 o.mkv'],
  ])('refuses for %s: %s', (reason, text) => {
    expect(reasonOf(words(text))).toBe(reason);
  });
});

/** Undefined when the command is refused in the proper way. */
function splitOrRefused(argv: readonly string[]): Split | undefined {
  return reasonOf(argv) === undefined ? split(argv) : undefined;
}

/** Options in many combinations round one filter. */
const commandLine = fc
  .record({
    globals: fc.subarray([['-y'], ['-nostdin'], ['-loglevel', 'error'], ['-progress', 'pipe:2'], ['-vsync', '0']]),
    input: fc.constantFrom(...Object.keys(probedClips)),
    inputOptions: fc.subarray([['-ss', '1'], ['-t', '2.5'], ['-noautorotate'], ['-hwaccel', 'auto'], ['-f', 'x']]),
    before: fc.subarray(['hflip', "drawtext=text='a,mambair=b'", 'fps=12', 'subtitles=a\\,b.srt']),
    after: fc.subarray(['format=yuv420p', 'setpts=0.5*PTS', "eq=contrast='1.1'"]),
    option: fc.constantFrom('-vf', '-filter:v', '-filter:v:0', '-filter_complex'),
    outputOptions: fc.subarray([
      ['-c:a', 'copy'],
      ['-crf', '18'],
      ['-c:v', 'libx264'],
      ['-an'],
      ['-shortest'],
      ['-metadata', 'title=-vf mair'],
      ['-movflags', '+faststart'],
      ['-r', '30'],
      ['-map_metadata', '0'],
      ['-map_chapters', '-1'],
      ['-x', '-y'],
    ]),
    second: fc.boolean(),
    output: fc.constantFrom('o.mp4', 'o.mkv', 'o.webm', 'o.mp3'),
  })
  .map(({ globals, input, inputOptions, before, after, option, outputOptions, second, output }) => [
    ...globals.flat(),
    ...inputOptions.flat(),
    ...['-i', input, option, [...before, 'mambairv2=scale=2', ...after].join(',')],
    ...outputOptions.flat(),
    output,
    ...(second ? ['-an', '-vf', 'scale=64:-2', 'p.mp4'] : []),
  ]);

const isWithin = (part: readonly string[], whole: readonly string[]): boolean =>
  whole.some((_, at) => part.every((word, index) => whole[at + index] === word));

describe('any command', () => {
  it('comes back word for word when it is not ours', () => {
    const word = fc.oneof(
      fc.constantFrom(
        '-i',
        '-vf',
        '-y',
        '-map',
        '-c:v',
        '--',
        '-',
        'a.mp4',
        '-filter_complex',
        'hflip,vflip',
        '-an',
        '-h',
      ),
      fc.string({ maxLength: 6 }),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), (argv) => {
        const command = parseCommand(argv);
        expect(findOurFilter(command, () => 'null')).toBeUndefined();
        expect(commandParts(command).flatMap((part) => part.words)).toEqual(argv);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('loses no word when it is split: each is in the half that it went to, or rewritten', () => {
    let done = 0;
    fc.assert(
      fc.property(commandLine, (argv) => {
        const result = splitOrRefused(argv);
        if (result === undefined) {
          return;
        }
        done += 1;
        expect(result.placements.flatMap((placement) => placement.words)).toEqual(argv);
        const halves = { decode: written(result.decode), encode: written(result.encode), engine: [] };
        for (const { words: part, to, isRewritten } of result.placements) {
          expect(to.length).toBeGreaterThan(0);
          expect(isRewritten || to.every((half) => isWithin(part, halves[half]))).toBe(true);
        }
        const { decode, encode } = halves;
        expect([...decode, ...encode].join(' ').replace("'a,mambair=b'", '').replace('-vf mair', '')).not.toMatch(
          /mambair|mair/,
        );
      }),
      { seed: 1, numRuns: 300 },
    );
    expect(done).toBeGreaterThan(100);
  });
});

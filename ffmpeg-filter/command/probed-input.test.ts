import { describe, expect, it } from '@jest/globals';
import { isMambairError } from '../../core/index.js';
import { probed } from '../../test/probed-clips.js';
import { parseCommand } from './command-line.js';
import {
  chromaWords,
  probeArguments,
  readProbe,
  readRatio,
  saysOtherLight,
  setparamsWords,
  type ProbedStream,
} from './probed-input.js';

describe('readProbe', () => {
  it.each(['', '[]', '{}', 'null', '{"streams": 1}'])('refuses %s', (text) => {
    let code: unknown;
    try {
      readProbe(text);
    } catch (error) {
      code = isMambairError(error) ? error.code : error;
    }
    expect(code).toBe('MAMBAIR_FILE_READ');
  });

  it('takes streams that say little', () => {
    const [stream] = readProbe('{"streams": [{}]}').streams;
    expect(stream).toMatchObject({
      index: 0,
      kind: 'data',
      codec: 'unknown',
      disposition: [],
      tags: {},
      timeBase: undefined,
    });
  });
});

describe('probeArguments', () => {
  it('has what ffprobe needs to open the input, and nothing else', () => {
    const [input] = parseCommand('-framerate 24 -ss 1 -f image2 -hwaccel cuda -i f_%d.png o.mkv'.split(' ')).inputs;
    const words = input === undefined ? [] : probeArguments(input);
    expect(words.slice(-6)).toEqual(['-framerate', '24', '-f', 'image2', '-i', 'f_%d.png']);
  });
});

describe('what the pipe does not carry', () => {
  const streamOf = (colour: Record<string, string>): ProbedStream =>
    probed([{ kind: 'video', codec: 'x', pixelFormat: 'yuv420p', colour }]).streams[0]!;

  it('is told by tags of frames, but for what says nothing', () => {
    const stream = streamOf({ color_range: 'tv', color_space: 'bt470bg', color_transfer: 'bt470bg' });
    expect(setparamsWords(stream)).toEqual(['range=tv', 'colorspace=bt470bg', 'color_trc=bt470bg']);
    expect(setparamsWords(streamOf({ color_range: 'unknown', color_space: 'reserved' }))).toEqual([]);
  });

  it('holds the place of chroma where ffmpeg negotiates colour, which knows the rest of RGB', () => {
    const colour = { color_range: 'tv', color_space: 'gbr', color_transfer: 'bt709', chroma_location: 'left' };
    const of = (hasNegotiatedColour: boolean, pixelFormat: string): string =>
      setparamsWords({ ...streamOf(colour), pixelFormat }, { hasNegotiatedColour }).join(' ');
    expect(of(false, 'yuv420p')).toBe('range=tv colorspace=gbr color_trc=bt709');
    expect(of(true, 'yuv420p')).toBe('range=tv colorspace=gbr color_trc=bt709 chroma_location=left');
    expect(of(true, 'gbrp')).toBe('color_trc=bt709 chroma_location=left');
  });

  it('is the place of chroma, too, unless the command says it', () => {
    const stream = streamOf({ chroma_location: 'topleft' });
    expect(chromaWords(stream, 1)).toEqual(['-chroma_sample_location:v:1', 'topleft']);
    expect(chromaWords(stream, 1, new Map([['chroma_sample_location', 'left']]))).toEqual([]);
    expect(chromaWords(streamOf({ chroma_location: 'unspecified' }), 0)).toEqual([]);
  });

  it('is void where the command says otherwise', () => {
    const says = (option: string, value: string, colour: Record<string, string>): boolean =>
      saysOtherLight(streamOf(colour), new Map([[option, value]]));
    expect(says('color_trc', 'gamma28', { color_transfer: 'bt470bg' })).toBe(false);
    expect(says('color_trc', 'bt709', { color_transfer: 'smpte2084' })).toBe(true);
    expect(says('color_primaries', 'bt2020', {})).toBe(false);
    expect(says('color_range', 'pc', { color_range: 'tv' })).toBe(false);
  });
});

describe('readRatio', () => {
  it('reads fractions and decimals', () => {
    expect(readRatio('1/24000')).toEqual({ num: 1, den: 24_000 });
    expect(readRatio('23.976')).toEqual({ num: 23_976, den: 1000 });
    expect(readRatio('25')).toEqual({ num: 25, den: 1 });
    for (const text of [undefined, '', '0/1', '1/0', '-1', '1.5/2', '9999999999999999']) {
      expect(readRatio(text)).toBeUndefined();
    }
  });
});

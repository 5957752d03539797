import { describe, expect, it } from '@jest/globals';
import { isMambairError } from '../../core/index.js';
import { probed } from '../../test/probed-clips.js';
import { parseCommand } from './command-line.js';
import { colourWords, probeArguments, readProbe, readRatio } from './probed-input.js';

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

describe('colourWords', () => {
  const words = (pixelFormat: string, colour: Record<string, string>): string => {
    const [stream] = probed([{ kind: 'video', codec: 'x', pixelFormat, colour }]).streams;
    return stream === undefined ? '' : colourWords(stream, 1).join(' ');
  };

  it('spells the names as ffmpeg’s options do, and leaves out what says nothing', () => {
    expect(words('yuv420p10le', { color_range: 'tv', color_space: 'bt470bg', color_transfer: 'bt470bg' })).toBe(
      '-color_range:v:1 tv -colorspace:v:1 bt470bg -color_trc:v:1 gamma28',
    );
    expect(words('yuv420p', { color_range: 'unknown', color_space: 'reserved' })).toBe('');
  });

  it('does not give range and matrix of RGB to the YUV made of it', () => {
    const colour = { color_range: 'pc', color_space: 'gbr', color_primaries: 'bt709' };
    for (const format of ['rgb24', 'bgra', '0rgb', 'gbrp10le', 'pal8']) {
      expect(words(format, colour)).toBe('-color_primaries:v:1 bt709');
    }
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

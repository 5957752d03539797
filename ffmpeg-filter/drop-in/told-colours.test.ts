import { describe, expect, it } from '@jest/globals';
import { parseCommand } from '../command/command-line.js';
import { readLevelled } from '../pipeline/levelled-line.js';
import { ToldColours } from './told-colours.js';

const told = (text: string): ToldColours => new ToldColours(parseCommand(text.split(' ')));

describe('ToldColours', () => {
  it('makes the half tell its frames, and shows what the command asks for', async () => {
    const quiet = told('-i - -v error o.mkv');
    expect(quiet.loud(['-v', 'error', '-i', '-'])).toEqual([
      '-loglevel',
      'level+verbose',
      '-v',
      'level+verbose',
      '-i',
      '-',
    ]);
    const lines = [
      "[info] Input #0, matroska, from 'pipe:':",
      '[info]   Stream #0:0: Video: hevc, yuv420p(tv), 160x96',
      '[h264 @ 0x1] [warning] odd',
      '[h264 @ 0x1] [error] damaged',
      'written past the log',
      "[info] Output #0, nut, to 'pipe:1':",
      '[info]   Stream #0:0: Video: rawvideo (I420 / 0x30323449), yuv420p(pc, bt709, progressive), 160x96',
    ];
    expect(lines.flatMap((line) => quiet.take(line) ?? [])).toEqual(['[h264 @ 0x1] damaged', 'written past the log']);
    expect((await quiet.colours())?.colour).toMatchObject({ range: 'pc', transfer: 'bt709' });
    expect(lines.flatMap((line) => told('-v level+24 -i - o.mkv').take(line) ?? [])).toEqual(lines.slice(2, 5));
    expect(lines.flatMap((line) => told('-i - o.mkv').take(line) ?? [])).toHaveLength(7);
    expect(told('-v debug -i - o.mkv').loud([])).toEqual(['-loglevel', 'level+48']);
  });

  it('reads levels where lines have them', () => {
    expect(readLevelled('[a @ 0x1] [b @ 0x2] [fatal] x')).toEqual({ level: 8, text: '[a @ 0x1] [b @ 0x2] x' });
    expect(readLevelled('[error]')).toEqual({ level: 16, text: '' });
    expect(readLevelled('[nut @ 0x1] [x] y')).toEqual({ level: undefined, text: '[nut @ 0x1] [x] y' });
  });
});

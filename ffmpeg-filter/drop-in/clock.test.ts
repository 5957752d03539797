import { describe, expect, it } from '@jest/globals';
import { parseCommand } from '../command/command-line.js';
import { findOurFilter } from '../command/find-filter.js';
import { readProbe } from '../command/probed-input.js';
import { splitCommand } from '../command/split-command.js';
import { commandClock, type CommandClock } from './clock.js';

/** MPEG-TS from 1.48 s on, whose sound starts 0.289 s later. */
const late = readProbe(
  JSON.stringify({
    format: { format_name: 'mpegts', start_time: '1.480000' },
    streams: [
      { index: 0, codec_type: 'video', codec_name: 'h264', time_base: '1/90000', start_time: '1.480000' },
      { index: 1, codec_type: 'audio', codec_name: 'mp2', time_base: '1/90000', start_time: '1.769000', channels: 1 },
    ],
  }),
);

function clockOf(text: string, correctsStarts: boolean): CommandClock {
  const command = parseCommand(text.split(' '));
  const found = findOurFilter(command, () => '');
  if (found === undefined) {
    throw new Error('the filter was not found');
  }
  return commandClock(command, splitCommand(command, found, [late]), [late], { correctsStarts });
}

describe('the clock of a command whose input may jump', () => {
  it.each([
    ['before ffmpeg 6, which is kept from correcting it', '', false, '0.000001'],
    ['since ffmpeg 6, which counts from the streams in use', '', true, '0.289000'],
    ['behind the start of the sound, where nothing is corrected', '-ss 1 ', true, '0.000000'],
  ])('starts the sound as late as it is, %s', (_, seek, correctsStarts, offset) => {
    const clock = clockOf(`${seek}-i late.ts -vf mair -map 0:v -map 0:a -c:a copy o.mkv`, correctsStarts);
    expect(clock.encodeInput(0)).toEqual(['-itsoffset', offset]);
  });

  it('counts a seek from the start of the file', () => {
    const header = { timeBase: [1, 1000], width: 2, height: 2 } as unknown as Parameters<CommandClock['pipeStart']>[0];
    const start = (correctsStarts: boolean): number =>
      clockOf('-ss 0.5 -i late.ts -vf mair -an o.mkv', correctsStarts).pipeStart(header, 700);
    expect(start(false)).toBeCloseTo(0.2);
    expect(start(true)).toBeCloseTo(0.2);
  });
});

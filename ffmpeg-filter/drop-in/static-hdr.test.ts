import { describe, expect, it } from '@jest/globals';
import { hdr10Data } from '../../test/hdr10-data.js';
import { probed } from '../../test/probed-clips.js';
import { parseCommand } from '../command/command-line.js';
import { splitCommand } from '../command/split-command.js';
import { readCommand } from './run-command.js';
import { fillHalf } from '../command/half.js';
import { planHdr, readEncoder } from './static-hdr.js';

const hevc = 'Encoder libx265 [x]:\n  -x265-params <dictionary> E..V.\nEncoder hevc_nvenc [y]:\n';
const answers: Readonly<Record<string, string>> = {
  hevc,
  av1: 'Encoder libaom-av1 [x]:\n  -aom-params <dictionary>\nEncoder libsvtav1 [y]:\n  -svtav1-params <dictionary>\n',
  libsvtav1: 'Encoder libsvtav1 [y]:\n  -svtav1-params     <dictionary>\n',
};
const display = 'master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)';
const all = `hdr10=1:repeat-headers=1:${display}:max-cll=1000,400:chromaloc=2`;
const clip = probed([
  { kind: 'video', codec: 'hevc', colour: { color_transfer: 'smpte2084', color_primaries: 'bt2020' } },
  { kind: 'audio', codec: 'aac' },
  { kind: 'video', codec: 'h264' },
]);

/** The options of HDR10 in the encoding half of a command, each behind `|`, and what is said to be lost. */
async function planned(text: string, sideData = hdr10Data.slice()): Promise<readonly [words: string, lost: string]> {
  const argv = text.split(' ');
  const { found } = readCommand(argv)!;
  const command = parseCommand(argv);
  const split = splitCommand(
    command,
    found,
    command.inputs.map(() => clip),
  );
  const { words, lost, carried } = await planHdr(command, split, {
    sideData,
    chromaLocation: 'topleft',
    ask: async (codec) => answers[codec] ?? '',
  });
  const filled = fillHalf(split.encode, { colour: (stream) => ['|', ...words(stream), '|'] }).join(' ');
  return [
    filled
      .split('|')
      .filter((_, at) => at % 2 === 1)
      .map((each) => each.trim())
      .join(' | '),
    lost(carried !== undefined).join('; '),
  ];
}

const cannot = "HDR10's mastering display and light levels cannot be kept; libx265 and libsvtav1 keep such data";

describe('HDR10 data of a command', () => {
  it.each([
    ['-i a -vf mair -c:v libx265 o.mkv', `-x265-params:v:0 ${all}`],
    ['-i a -vf mair -c copy -vcodec libx265 o.mkv', `-x265-params:v:0 ${all}`],
    ['-i a -vf mair -c:v libx264 -codec:v:0 libx265 -c:a libx265 o.mp4', `-x265-params:v:0 ${all}`],
    ['-i a -vf mair -c:0 hevc o.mkv', `-x265-params:v:0 ${all}`],
    ['-i a -vf mair o.hevc', `-x265-params:v:0 ${all}`],
    ['-i a -map 0:2 -map 0:0 -c copy -c:v:1 libx265 -filter:v:1 mair o.mkv', `-x265-params:v:1 ${all}`],
    ['-i a -lavfi mair,hflip[v] -map [v] -map 0:a -c:v libx265 o.mkv', `-x265-params:v:0 ${all}`],
    [
      '-i a -lavfi mair,split[v][w] -map [v] -c:v libx265 -x265-params max-cll=1,1 o.mkv -map [w] -c:v hevc p.mkv',
      `-x265-params:v:0 hdr10=1:repeat-headers=1:${display}:chromaloc=2:max-cll=1,1 | -x265-params:v:0 ${all}`,
    ],
    ['-i a -vf mair -c:v libx265 -x265-params:v:0 crf=9: o.mkv', `-x265-params:v:0 ${all}:crf=9:`],
    ['-i a -vf mair -c:v libx265 -x265-params:v crf=9 -x265-params:v:1 crf=8 o.mkv', `-x265-params:v:0 ${all}:crf=9`],
    ['-i a -vf mair -c:v libx265 -x265-params hdr10=0:chromaloc=0 o.mkv', ''],
    ['-i a -vf mair -c:v libx265 -chroma_sample_location left -x265-params hdr10=0 o.mkv', ''],
    ['-i a -vf mair -f null -', ''],
  ])('in "%s" is given by %s', async (text, words) => {
    expect(await planned(text)).toEqual([words, '']);
  });

  it.each([
    '-i a -vf mair o.mkv',
    '-i a -vf mair -c:v libx264 o.mp4',
    '-i a -vf mair -c:v av1 -f webm o',
    '-i a -lavfi mair,split[v][w] -map [v] o.mov -map [w] -c:v libx265 -x265-params hdr10=0 p.mkv',
  ])('in "%s" comes to the container', async (text) => {
    expect((await planned(text))[1].includes('HDR10')).toBe(text.includes('hdr10=0'));
  });

  it('goes to SVT-AV1 in its own words', async () => {
    const [words, lost] = await planned('-i a -vf mair -c:v libsvtav1 -svtav1-params tune=0:content-light=1,1 o.mkv');
    expect(words).toMatch(/^-svtav1-params:v:0 mastering-display=G\(0\.265,.*\):tune=0:content-light=1,1$/);
    expect(lost).toBe('');
  });

  it.each([
    ['-i a -vf mair o.ts', cannot],
    ['-i a -vf mair -c:v av1 o.ivf', cannot],
    ['-i a -vf mair -c:v libx265 -c:v libx264 -f avi o.mkv', cannot],
    ['-i a -vf mair -c:v ffv1 o.nut -map 0:a p.mka', `o.nut: ${cannot}`],
    ['-i a -vf mair o.mxf', "HDR10's light levels cannot be kept; libx265 and libsvtav1 keep such data"],
    ['-i a -i b -lavfi [0]mair[c];[c][1:v]overlay o.mkv', cannot],
  ])('in "%s" is said to be lost', async (text, said) => {
    expect(await planned(text)).toEqual(['', said]);
  });

  it.each([
    '-i a -vf zscale=t=linear,mair -c:v libx265 o.mkv',
    '-i a -vf mair,tonemap_opencl -c:v libx265 o.mkv',
    '-i a -vf setparams=auto:tv:bt709,mair -c:v libx265 o.mkv',
    '-i a -vf mair -color_trc arib-std-b67 -c:v libx265 o.mkv',
    '-i a -vf mair -color_primaries:v:0 bt709 -c:v libx265 o.mkv',
  ])('is void in "%s"', async (text) => {
    expect(await planned(text)).toEqual([
      '-x265-params:v:0 chromaloc=2',
      'HDR10 data is left out, as the command changes the colours that it tells of',
    ]);
  });

  it.each([
    '-i a -vf format=gbrp10le,mair,format=yuv420p10le -c:v libx265 o.mkv',
    '-i a -vf scale=out_range=pc,mair,zscale=r=tv -c:v libx265 o.mkv',
    '-i a -vf mair -color_trc smpte2084 -color_range pc -c:v libx265 o.mkv',
  ])('holds in "%s"', async (text) => {
    expect(await planned(text)).toEqual([`-x265-params:v:0 ${all}`, '']);
  });

  it('is no matter where there is none', async () => {
    expect(await planned('-i a -vf mair -c:v libx264 o.mkv', [])).toEqual(['', '']);
    expect(await planned('-i a -vf mair -c:v libx265 o.mkv', [])).toEqual(['-x265-params:v:0 chromaloc=2', '']);
    expect(await planned('-i a -vf tonemap,mair -c:v libx264 o.mkv', [])).toEqual(['', '']);
  });

  it('asks for the encoder that a codec means, and whether it takes such data', () => {
    expect(readEncoder(hevc)).toBe('libx265');
    expect(readEncoder(answers['av1'] ?? '')).toBeUndefined();
    expect(readEncoder(answers['libsvtav1'] ?? '')).toBe('libsvtav1');
    expect(
      readEncoder('Encoder libsvtav1 [y]:\n  -preset <int>\nEncoder x [z]:\n  -svtav1-params <int>'),
    ).toBeUndefined();
    expect(readEncoder("Codec 'x' is not recognized by FFmpeg.")).toBeUndefined();
  });
});

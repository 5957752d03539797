import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeWithFfmpeg, ffmpeg, testedFfmpeg } from '../../test/ffmpeg.js';
import { chunked } from '../../test/video-streams.js';
import { probeHeader } from '../clip/probe-clip.js';
import { restoreVideo } from '../clip/restore-video.js';
import { findFfmpeg } from '../command/find-ffmpeg.js';
import { isStaticHdr } from '../command/hdr-options.js';
import { readNut } from '../transport/read-nut.js';
import { writeMatroska, type HdrNumbers } from '../transport/write-matroska.js';
import { readCommand, runCommand } from './run-command.js';

const hdr: HdrNumbers = {
  display: {
    ...{ red: [0.68, 0.32], green: [0.265, 0.69], blue: [0.15, 0.06], white: [0.3127, 0.329] },
    ...{ minLuminance: 0.0001, maxLuminance: 1000 },
  },
  light: { maxContent: 1000, maxAverage: 400 },
};
const words = (text: string): readonly string[] => text.split(' ').filter((word) => word !== '');
const tags = 'setparams=range=tv:colorspace=bt2020nc:color_trc=smpte2084:color_primaries=bt2020';
const x264 = '-c:v libx264 -preset ultrafast -qp 0';
const uneven = "select='not(mod(n,3))+eq(n,7)+eq(n,20)',settb=1/1000,setpts=PTS+mod(N*137\\,31)";

describeWithFfmpeg('HDR10 data of a container', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mambair-carried-'));
  const at = (name: string): string => join(folder, name);

  /** A clip whose container, and not its frames, has HDR10's data. */
  async function makeClip(name: string, rate: string, filters: string, timeBase: string, options = ''): Promise<void> {
    const pattern = ['-f', 'lavfi', '-i', `testsrc2=s=64x48:r=${rate}:d=1,format=yuv420p10le,setsar=4/3`];
    const exact = ['-fps_mode', 'passthrough', '-enc_time_base', timeBase];
    ffmpeg([...pattern, '-vf', filters, ...exact, ...words('-c:v rawvideo -f nut'), at('raw.nut')]);
    const stream = await readNut(chunked(readFileSync(at('raw.nut'))));
    await writeFile(at('raw.mkv'), writeMatroska(stream.header, hdr, stream.frames));
    const back = ['-copyts', '-i', at('raw.mkv'), '-vf', `${tags},settb=${timeBase}`];
    ffmpeg([...back, ...exact, ...words(`${x264} -bf 2 ${options}`), at(name)]);
  }

  beforeAll(async () => {
    await makeClip('clip.mp4', '24000/1001', 'null', '1/24000', '-video_track_timescale 24000');
    await makeClip('late.mkv', '25', 'setpts=PTS+100.06/TB', '1/1000');
    await makeClip('uneven.mkv', '30', uneven, '1/1000');
    await makeClip('odd.mp4', '30', 'settb=1/12345,setpts=N*500+137', '1/12345', '-video_track_timescale 12345');
    await makeClip('fast.mp4', '60000/1001', 'null', '1/60000', '-video_track_timescale 60000');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** What the container of a file says of the pictures' light, and of their shape. */
  async function factsOf(name: string): Promise<unknown> {
    const { ffprobe } = await findFfmpeg();
    const [stream] = (await probeHeader(ffprobe, at(name))).streams;
    const { sideData, colour, sampleAspectRatio, frameRate, timeBase } = stream!;
    return { sideData: sideData.filter(isStaticHdr), colour, sampleAspectRatio, frameRate, timeBase };
  }
  const dataIn = async (name: string): Promise<number> =>
    ((await factsOf(name)) as { sideData: readonly unknown[] }).sideData.length;

  /** Times and hashes of all frames, or of their packets; without durations, as a pipe cannot tell the last one's. */
  const hashesOf = (name: string, how = ''): string =>
    String(Buffer.from(ffmpeg(words(`-copyts -i ${at(name)} -map 0:v -fps_mode passthrough ${how} -f framemd5 -`))))
      .replace(/^#(extradata|software).*$/gm, '')
      .replace(/^(\d+(?:, *-?\d+){2}), *\d+/gm, '$1');
  const contentOf = (name: string): string => hashesOf(name) + hashesOf(name, '-c copy');

  async function ours(text: string): Promise<string> {
    const said: string[] = [];
    const argv = words(`-v warning -y ${text.replaceAll('MAIR', 'mair=model=identity')}`);
    const command = readCommand(argv.map((word) => (/\.\w{2,4}$/.test(word) ? at(word) : word)));
    await runCommand(command!, { programs: await findFfmpeg(), write: (line) => said.push(line) });
    return said.join('');
  }

  it.each([
    ['clip.mp4', '24000', '', 'MAIR', '-c:v ffv1 out.mkv'],
    ['clip.mp4', '24000', '', 'MAIR', `${x264} -video_track_timescale 24000 out.mp4`],
    ['clip.mp4', '24000', '', 'MAIR,fps=12', `${x264} out.mkv`],
    ['clip.mp4', '24000', '-ss 0.3 -t 0.4', 'MAIR', '-c:v prores_ks -profile:v 3 -video_track_timescale 24000 out.mov'],
    ['late.mkv', '1000', '', 'hflip,MAIR,vflip', `${x264} out.mkv`],
    [
      'late.mkv',
      '1000',
      '-itsoffset 3',
      'MAIR',
      '-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -crf 30 -b:v 0 out.webm',
    ],
    ['odd.mp4', '12345', '', 'MAIR', `${x264} -video_track_timescale 12345 out.mp4`],
    ['uneven.mkv', '1000', '', 'MAIR', `${x264} out.mkv`],
    ['uneven.mkv', '1000', '-ss 0.5', 'MAIR,setpts=0.5*PTS', `${x264} out.mov`],
  ])('of %s at 1/%s s comes through "%s -vf %s %s"', async (input, ticks, before, filters, rest) => {
    const clock = `-fps_mode passthrough -enc_time_base 1/${ticks}`;
    const [, extension] = /out\.(\w+)$/.exec(rest) ?? [];
    const plain = `${before} -i ${at(input)} -vf ${filters.replace('MAIR', 'null')} ${clock} ${rest.replace('out.', `${at('plain')}.`)}`;
    testedFfmpeg(words(plain));
    expect(await ours(`${before} -i ${input} -vf ${filters} ${rest}`)).toBe('');
    expect(await factsOf(`out.${extension}`)).toEqual(await factsOf(`plain.${extension}`));
    expect(await dataIn(`out.${extension}`)).toBe(2);
    expect(contentOf(`out.${extension}`)).toBe(contentOf(`plain.${extension}`));
  });

  it('is kept by a graph with one input for all its outputs, and by none that mixes pictures', async () => {
    expect(await ours(`-i clip.mp4 -lavfi [0]MAIR,split[a][b] -map [a] ${x264} a.mp4 -map [b] ${x264} b.nut`)).toMatch(
      /^mambair: \S*b.nut: HDR10.*\n/,
    );
    expect([await dataIn('a.mp4'), await dataIn('b.nut')]).toEqual([2, 0]);
    expect(await ours(`-i clip.mp4 -i clip.mp4 -lavfi [0]MAIR[a];[a][1]overlay ${x264} mixed.mp4`)).toContain('HDR10');
  });

  it.each([
    ['-i clip.mp4 -vf MAIR -c:v libx265 -x265-params log-level=error said.mp4', 2, false],
    ['-i clip.mp4 -vf MAIR -c:v libx265 -x265-params log-level=error:hdr10=0 said.mp4', 0, false],
    ['-i clip.mp4 -vf MAIR,setparams=color_trc=bt709 -c:v libx264 said.mp4', 0, true],
    ['-i clip.mp4 -vf MAIR -color_trc bt709 -c:v libx264 said.mp4', 0, true],
    ['-i clip.mp4 -vf MAIR -c:v libx264 said.ts', 0, true],
    // Its frame rate does not pass through Matroska.
    ['-i fast.mp4 -vf MAIR -c:v libx264 said.mp4', 0, true],
  ])('after "%s" is there %i times; told as lost: %s', async (text, count, isTold) => {
    expect((await ours(text)).includes('HDR10')).toBe(isTold);
    const [name = ''] = /said\.\w+/.exec(text) ?? [];
    expect(await dataIn(name)).toBe(count);
  });

  it.each(['out.mkv', 'out.mp4', 'out.webm'])('is kept by "mambair video" in %s', async (name) => {
    const codec = name.endsWith('webm') ? 'vp9' : 'libx264';
    for (const input of name === 'out.mp4' ? ['clip.mp4', 'odd.mp4', 'fast.mp4'] : ['clip.mp4']) {
      const warnings: string[] = [];
      await restoreVideo(at(input), at(name), {
        ...{ model: 'identity', codec, overwrite: true, keepChunks: input === 'odd.mp4' },
        ...(codec === 'libx264' ? { encoderOptions: { preset: 'ultrafast', qp: '0' } } : {}),
        warn: ({ message }) => warnings.push(message),
      });
      const isOut = input === 'fast.mp4';
      expect([input, await dataIn(name), warnings.some((each) => each.includes('HDR10'))]).toEqual([
        input,
        isOut ? 0 : 2,
        isOut,
      ]);
    }
  });

  it('leaves times and pictures as they are in "mambair video"', async () => {
    const options = { codec: 'ffv1', overwrite: true } as const;
    for (const input of ['late.mkv', 'uneven.mkv']) {
      await restoreVideo(at(input), at('same.mkv'), { model: 'identity', ...options });
      expect(hashesOf('same.mkv')).toBe(hashesOf(input));
    }
  });
});

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { compareVideos } from '../../test/compare-videos.js';
import { describeWithFfmpeg, ffmpeg, testedFfmpeg } from '../../test/ffmpeg.js';
import { hdr10Data } from '../../test/hdr10-data.js';
import { makeProofClip, proofClips } from '../../test/proof-clips.js';
import { probeFirstFrames, probeHeader } from '../clip/probe-clip.js';
import { findFfmpeg } from '../command/find-ffmpeg.js';
import { mambairFfmpegPath } from './executable.js';
import { readCommand, runCommand } from './run-command.js';

const words = (text: string): readonly string[] => text.split(' ');

describeWithFfmpeg('an HDR10 clip through a command with our filter', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mambair-hdr-'));
  const at = (name: string): string => join(folder, name);
  const exact = '-c:v libx265 -preset ultrafast -x265-params lossless=1:log-level=error';

  beforeAll(() => {
    const clip = proofClips.find(({ name }) => name === 'hdr10.mkv')!;
    makeProofClip(folder, clip);
    makeProofClip(folder, { ...clip, name: 'hdr10.mp4', make: [...clip.make, '-tag:v', 'hvc1'] });
    ffmpeg(['-i', at('hdr10.mkv'), ...words('-c:v ffv1 -pix_fmt gbrp10le'), at('rgb.mkv')]);
    ffmpeg(['-i', at('hdr10.mkv'), ...words('-c:v rawvideo -pix_fmt uyvy422'), at('packed.mov')]);
    const full =
      '-c:v libx264 -pix_fmt yuvj420p -color_range pc -colorspace bt709 -color_trc bt709 -color_primaries bt709';
    ffmpeg([...words(`-f lavfi -i testsrc2=s=96x64:d=0.2 ${full}`), at('full.mp4')]);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs a command whose files lie in the folder; gives what was said. */
  async function run(text: string): Promise<string> {
    const said: string[] = [];
    const argv = words(`-v warning -y ${text.replaceAll('MAIR', 'mair=model=identity')}`);
    const command = readCommand(argv.map((word) => (/\.(mkv|mp4|mov|nut)$/.test(word) ? at(word) : word)));
    await runCommand(command!, { programs: await findFfmpeg(), write: (line) => said.push(line) });
    return said.join('');
  }

  /** The static data of a file's first frames. */
  async function dataOf(name: string): Promise<readonly unknown[]> {
    const { ffprobe } = await findFfmpeg();
    const { sideData } = await probeFirstFrames(ffprobe, at(name), { index: 0 });
    return sideData.filter((each) => /^(Mastering|Content light)/.test(String(each['side_data_type'])));
  }

  it.each([
    `-i hdr10.mkv -vf MAIR ${exact} out.mkv`,
    `-i hdr10.mp4 -vf MAIR ${exact} -tag:v hvc1 out.mp4`,
    `-i hdr10.mkv -lavfi MAIR[v] -map [v] -c:v hevc -preset:v ultrafast -x265-params:v:0 lossless=1:log-level=error out.mkv`,
  ])('keeps everything: %s', async (text) => {
    const name = text.includes('mp4') ? 'mp4' : 'mkv';
    await run(text);
    const { differences, changedSamples, samples } = await compareVideos(at(`hdr10.${name}`), at(`out.${name}`));
    expect(differences).toEqual([]);
    expect([changedSamples, samples > 0]).toEqual([0, true]);
  });

  it.each([
    ['', hdr10Data],
    [' -x265-params max-cll=10,4', [hdr10Data[0], { ...hdr10Data[1], max_content: 10, max_average: 4 }]],
    [' -x265-params no-hdr10=1', []],
  ])('is kept by libx265, but for what the user says:%s', async (parameters, data) => {
    await run(`-i hdr10.mp4 -vf MAIR -c:v libx265 -preset ultrafast${parameters} said.mp4`);
    expect(await dataOf('said.mp4')).toEqual(data);
  });

  const plainest = '-c:v libx265 -preset ultrafast -x265-params lossless=1:log-level=error';

  it.each([
    ['hdr10.mkv', 'format=gbrp10le,MAIR,format=yuv420p10le', plainest, hdr10Data],
    ['hdr10.mkv', 'scale=out_range=pc,MAIR', plainest, hdr10Data],
    ['hdr10.mkv', 'MAIR,scale=out_range=pc', plainest, hdr10Data],
    ['hdr10.mkv', 'setparams=color_trc=arib-std-b67,MAIR', plainest, []],
    ['hdr10.mkv', 'MAIR', `-pix_fmt gbrp10le ${plainest}`, hdr10Data],
    ['hdr10.mkv', 'MAIR', '-c:v libx264rgb -qp 0 -color_primaries bt709', []],
    ['full.mp4', 'format=yuv420p,MAIR', plainest, []],
    ['hdr10.mkv', 'format=nv12,MAIR', '-c:v ffv1', []],
    ['packed.mov', 'MAIR', '-c:v ffv1 -color_range tv', []],
    ['rgb.mkv', 'MAIR', '-c:v ffv1', []],
  ])('%s has the colours and pictures of plain ffmpeg: -vf %s %s', async (input, filters, rest, data) => {
    await run(`${input.endsWith('mkv') ? '-f matroska ' : ''}-i ${input} -vf ${filters} ${rest} ours.mkv`);
    testedFfmpeg(['-i', at(input), '-vf', filters.replace('MAIR', 'null'), ...words(rest), at('plain.mkv')]);
    const { ffprobe, version } = await findFfmpeg();
    const [ours, plain] = await Promise.all(['ours.mkv', 'plain.mkv'].map((name) => probeHeader(ffprobe, at(name))));
    // Since 7.1 ffmpeg remembers the matrix behind RGB; the pipe does not, so YUV made of it is as in 5.1.
    const isForgotten = version.hasNegotiatedColour && filters === 'format=gbrp10le,MAIR,format=yuv420p10le';
    const colour = plain?.streams[0]?.colour;
    expect(ours?.streams[0]?.colour).toEqual(isForgotten ? { ...colour, space: undefined } : colour);
    expect(ours?.streams[0]?.pixelFormat).toBe(plain?.streams[0]?.pixelFormat);
    const md5 = (name: string): string => Buffer.from(ffmpeg(['-i', at(name), ...words('-f md5 -')])).toString('utf8');
    expect(md5('ours.mkv') === md5('plain.mkv')).toBe(!isForgotten);
    expect(await dataOf('ours.mkv')).toEqual(data);
  });

  it('has its colours also from standard input, whatever is to be printed', async () => {
    const { version } = await findFfmpeg();
    const entries = 'stream=color_range,color_space,color_transfer,color_primaries,chroma_location';
    const shown = (name: string): string => {
      const asked = words(`-v error -show_entries ${entries} -of csv=p=0 ${at(name)}`);
      return spawnSync('ffprobe', asked, { encoding: 'utf8' }).stdout.replace(/[\s,]+$/, '');
    };
    testedFfmpeg(['-i', at('hdr10.mkv'), ...words('-vf format=yuv422p10le -an -c:v ffv1'), at('plain.mkv')]);
    // Since 7.1 another format may have another place of chroma.
    const expected = version.hasNegotiatedColour ? shown('plain.mkv') : 'tv,bt2020nc,smpte2084,bt2020,topleft';
    const input = readFileSync(at('hdr10.mkv'));
    for (const level of ['info', 'level+warning']) {
      const argv = words(
        `${mambairFfmpegPath()} -v ${level} -y -i - -vf format=yuv422p10le,mair=model=identity -an -c:v ffv1`,
      );
      const { stderr, status } = spawnSync(process.execPath, [...argv, at('piped.mkv')], { input, encoding: 'utf8' });
      expect([status, level === 'info', /verbose/.test(stderr)]).toEqual([0, stderr.includes('Input #0'), false]);
      expect(shown('piped.mkv')).toBe(expected);
    }
  });

  it('has the tag of its own encoder', async () => {
    await run('-i hdr10.mkv -vf MAIR -c:v ffv1 own.mkv');
    const { ffprobe } = await findFfmpeg();
    expect((await probeHeader(ffprobe, at('own.mkv'))).streams[0]?.tags['ENCODER']).toContain('ffv1');
  });

  it('reaches each output whose encoder takes it, and is missed with a word in the others', async () => {
    const said = await run(
      '-i hdr10.mkv -lavfi [0:v]MAIR,split[a][b] -map [a] -c:v libx265 -preset ultrafast one.mkv -map [b] -c:v ffv1 two.nut',
    );
    expect(await dataOf('one.mkv')).toEqual(hdr10Data);
    expect(await dataOf('two.nut')).toEqual([]);
    expect(said.match(/HDR10/g)).toHaveLength(1);
    expect(said).toContain('two.nut: HDR10');
  });
});

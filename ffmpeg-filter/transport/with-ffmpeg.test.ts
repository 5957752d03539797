import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { pixelFormats } from '../../core/index.js';
import { describeWithFfmpeg, testedFfmpeg as ffmpeg } from '../../test/ffmpeg.js';
import { chunked, framesOf, randomFrame } from '../../test/video-streams.js';
import { probeHeader } from '../clip/probe-clip.js';
import { findFfmpeg } from '../command/find-ffmpeg.js';
import { readNut } from './read-nut.js';
import { readY4m } from './read-y4m.js';
import { writeMatroska } from './write-matroska.js';
import { writeNut } from './write-nut.js';
import { writeY4m } from './write-y4m.js';
import { y4mColourName } from './y4m-format.js';

describeWithFfmpeg('streams of ffmpeg', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mambair-video-'));
  const at = (name: string) => join(folder, name);
  const bytesOf = async (name: string) => new Uint8Array(await readFile(at(name)));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** 12 frames at uneven times, starting at 0.32 s, of an odd size and with oblong pixels. */
  const input = ['-f', 'lavfi', '-i', 'testsrc2=s=33x17:r=30000/1001:d=1,format=yuv444p'];
  const uneven = "select='not(mod(n,3))+eq(n,7)+eq(n,20)',settb=1/90000,setpts=PTS+28800+mod(N*137\\,311),setsar=64/45";
  const exact = ['-fps_mode', 'passthrough', '-enc_time_base', '1/90000', '-c:v', 'rawvideo'];
  const copied = (stream: number, name: string) =>
    ['-map', `${stream}:0`, '-c', 'copy', '-f', 'framecrc', at(name)] as const;

  it('keep every bit and time of every pixel format, through NUT to us and back', async () => {
    const names = pixelFormats.map(({ name }) => name);
    // One process makes all streams. Each is also written plain, so that the reader is checked by itself.
    ffmpeg([
      ...input,
      ...names.flatMap((name) =>
        ['nut', 'rawvideo'].flatMap((kind) => [
          ...exact,
          '-vf',
          uneven,
          '-pix_fmt',
          name,
          '-f',
          kind,
          at(`${name}.${kind}`),
        ]),
      ),
    ]);
    for (const name of names) {
      const stream = await readNut(chunked(await bytesOf(`${name}.nut`)));
      expect(stream.header).toMatchObject({
        pixelFormat: { name },
        width: 33,
        height: 17,
        sampleAspectRatio: [64, 45],
      });
      const frames = await framesOf(stream);
      expect(Buffer.concat(frames.map(({ data }) => data)).equals(await bytesOf(`${name}.rawvideo`))).toBe(true);
      await writeFile(at(`${name}.back.nut`), writeNut(stream.header, frames));
    }
    ffmpeg([
      '-copyts',
      ...names.flatMap((name) => ['-i', at(`${name}.nut`), '-i', at(`${name}.back.nut`)]),
      ...names.flatMap((name, index) => [
        ...copied(2 * index, `${name}.crc`),
        ...copied(2 * index + 1, `${name}.back.crc`),
      ]),
    ]);
    for (const name of names) {
      const before = await readFile(at(`${name}.crc`), 'utf8');
      const times = before
        .split('\n')
        .filter((line) => line.startsWith('0,'))
        .map((line) => Number(line.split(',')[2]));
      expect(times).toHaveLength(12);
      expect(new Set(times.slice(1).map((time, index) => time - (times[index] ?? 0))).size).toBeGreaterThan(3);
      expect(await readFile(at(`${name}.back.crc`), 'utf8')).toBe(before);
    }
  });

  it('keep every bit, time and fact of every pixel format in Matroska', async () => {
    const shape = { width: 33, height: 17, sampleAspectRatio: [64, 45], frameRate: [30000, 1001] } as const;
    const light = { maxContent: 1000, maxAverage: 400 };
    const times = [0, 1, 3755, 28_800, 9_000_000_000];
    // A time base that nanoseconds do not hold.
    const timeBase = [1, 12_345] as const;
    for (const pixelFormat of pixelFormats) {
      const header = { ...shape, pixelFormat, timeBase };
      const frames = times.map((pts, seed) => randomFrame(header, pts, seed + 1));
      await writeFile(at(`${pixelFormat.name}.mkv`), writeMatroska(header, { light }, frames));
      await writeFile(at(`${pixelFormat.name}.exact.nut`), writeNut(header, frames));
    }
    const names = pixelFormats.map(({ name }) => name);
    const back = ['-fps_mode', 'passthrough', '-enc_time_base', '1/12345', '-c:v', 'rawvideo', '-f', 'framecrc'];
    ffmpeg([
      '-copyts',
      ...names.flatMap((name) => ['-i', at(`${name}.mkv`), '-i', at(`${name}.exact.nut`)]),
      ...names.flatMap((name, index) => [
        ...['-map', `${2 * index}:0`, ...back, at(`${name}.mkv.crc`)],
        ...['-map', `${2 * index + 1}:0`, ...back, at(`${name}.nut.crc`)],
      ]),
    ]);
    const { ffprobe } = await findFfmpeg();
    for (const name of names) {
      // But for how long a frame lasts, which is no whole number of ticks and rounded otherwise by ffmpeg 9.
      const [written, exact] = await Promise.all(
        ['mkv', 'nut'].map(async (kind) =>
          (await readFile(at(`${name}.${kind}.crc`), 'utf8')).replace(/^(0(?:, *\d+){2}), *\d+/gm, '$1'),
        ),
      );
      expect(written).toBe(exact);
      expect(written?.match(/^0,.*$/gm)?.map((line) => Number(line.split(',')[2]))).toEqual(times);
    }
    for (const name of ['yuv420p10le', 'gbrap12le', 'rgb0']) {
      const [stream] = (await probeHeader(ffprobe, at(`${name}.mkv`))).streams;
      expect(stream).toMatchObject({ pixelFormat: name, width: 33, height: 17, sampleAspectRatio: '64:45' });
      expect(stream).toMatchObject({ disposition: [], frameRate: { num: 30_000, den: 1001 }, tags: {} });
      expect(stream?.colour.space).toBeUndefined();
      expect(stream?.sideData).toMatchObject([{ max_content: 1000, max_average: 400 }]);
    }
  });

  it('keep every bit and header field of Y4M, to us and back', async () => {
    // ffmpeg has no name for gray of 14 bits.
    const names = pixelFormats
      .filter((format) => format.name !== 'gray14le')
      .filter((format) => y4mColourName({ pixelFormat: format, width: 1, height: 1, timeBase: [1, 1] }) !== undefined)
      .map(({ name }) => name)
      .filter((name) => name !== 'yuva444p');
    const shown = ['-frames:v', '3', '-vf', 'crop=32:17:exact=1,setsar=64/45,setfield=prog', '-strict', '-1'];
    // An even width: ffmpeg 5.1 writes rows of chroma a byte short when it is odd and samples have two bytes.
    ffmpeg([
      ...input,
      ...names.flatMap((name) =>
        ['yuv4mpegpipe', 'rawvideo'].flatMap((kind) => [...shown, '-pix_fmt', name, '-f', kind, at(`${name}.${kind}`)]),
      ),
    ]);
    for (const name of names) {
      const stream = await readY4m(chunked(await bytesOf(`${name}.yuv4mpegpipe`)));
      expect(stream.header).toMatchObject({
        ...{ pixelFormat: { name }, width: 32, height: 17, sampleAspectRatio: [64, 45] },
        ...{ frameRate: [30000, 1001], timeBase: [1001, 30000], fieldOrder: 'progressive' },
      });
      const frames = await framesOf(stream);
      expect(frames).toHaveLength(3);
      expect(Buffer.concat(frames.map(({ data }) => data)).equals(await bytesOf(`${name}.rawvideo`))).toBe(true);
      await writeFile(at(`${name}.y4m`), writeY4m(stream.header, frames));
    }
    ffmpeg([
      ...names.flatMap((name) => ['-i', at(`${name}.yuv4mpegpipe`), '-i', at(`${name}.y4m`)]),
      ...names.flatMap((name, index) => [
        ...copied(2 * index, `${name}.crc`),
        ...copied(2 * index + 1, `${name}.back.crc`),
      ]),
    ]);
    for (const name of names) {
      expect(await readFile(at(`${name}.back.crc`), 'utf8')).toBe(await readFile(at(`${name}.crc`), 'utf8'));
    }
  });
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { hdr10Data } from '../../test/hdr10-data.js';
import { codeOf } from '../../test/video-streams.js';
import { containerOf } from './container.js';
import { losses } from './losses.js';
import { displayMatrix, writeDisplayMatrix } from './orientation.js';
import { decodeWords, planEncode, type EncodePlanInput } from './plan-clip.js';
import type { ClipHeader, ClipPictures, ClipStream } from './probe-clip.js';

const stream: ClipStream = {
  ...{ index: 0, kind: 'video', codec: 'h264', profile: 'High', codecTag: 'avc1', id: undefined, channels: 0 },
  ...{ pixelFormat: 'yuv420p', timeBase: { num: 1, den: 12_800 }, startSeconds: 0, fieldOrder: 'progressive' },
  ...{ width: 64, height: 48, disposition: ['default'], tags: {}, sideData: [], sampleAspectRatio: '1:1' },
  ...{ frameRate: { num: 25, den: 1 }, averageRate: { num: 25, den: 1 }, endPts: 12_800 },
  colour: { range: 'tv', space: undefined, transfer: 'bt470bg', primaries: undefined, chromaLocation: 'left' },
};
const pictures: ClipPictures = {
  ...{ pixelFormat: 'yuv420p', interlaced: false, topFieldFirst: false, sideData: [], packets: 25, firstPts: 0 },
  ...{ last: { pts: 12_288, duration: 512 }, isOnGrid: true },
};
const header = (streams: readonly ClipStream[] = [stream]): ClipHeader => ({
  ...{
    path: '/a.mp4',
    formatName: 'mov,mp4,m4a,3gp,3g2,mj2',
    startTime: 0,
    duration: 1,
    tags: {},
    streams,
    chapters: [],
  },
});
const planned = (more: Partial<EncodePlanInput> = {}): string =>
  planEncode({
    ...{ header: header(), stream, pictures, part: undefined, deinterlace: false, turnsUpright: false },
    ...{ container: containerOf('b.mp4'), encoderOptions: [], frameFormat: 'yuv420p' },
    encoder: { encoder: 'libx264', pixelFormat: 'yuv420p', options: [['crf', '18']] },
    ffmpegVersion: { hasNegotiatedColour: false, writesEncoderTagFirst: false },
    ...more,
  })
    .encode('/b.mp4')
    .join(' ');

describe('the plan of a clip', () => {
  it('gives all video tracks of an mp4 a clock that fits each', () => {
    const second = { ...stream, index: 1, timeBase: { num: 1, den: 30_000 }, disposition: [] };
    expect(planned()).toContain('-video_track_timescale 12800');
    expect(planned({ header: header([stream, second]) })).toContain('-video_track_timescale 960000');
  });

  it('gives colour tags to frames where ffmpeg negotiates colour, and else to the encoder', () => {
    expect(planned()).toContain('-color_range:v:0 tv -color_trc:v:0 gamma28 -chroma_sample_location:v:0 left');
    const negotiated = planned({ ffmpegVersion: { hasNegotiatedColour: true, writesEncoderTagFirst: true } });
    expect(negotiated).toContain('-filter:v:0 setparams=range=tv:color_trc=bt470bg:chroma_location=left ');
    expect(negotiated).not.toMatch(/-color|-chroma/);
  });

  it('takes the tag of the old encoder away, but not that of the new one', () => {
    const tagged = { ...stream, tags: { encoder: 'Lavc', DURATION: '1' } };
    const of = (writesEncoderTagFirst: boolean): string =>
      planned({
        ...{ stream: tagged, header: header([tagged]) },
        ffmpegVersion: { hasNegotiatedColour: true, writesEncoderTagFirst },
      });
    expect(of(false)).toContain('-metadata:s:0 encoder= -metadata:s:0 DURATION=');
    expect(of(true)).toContain('-metadata:s:0 DURATION=');
    expect(of(true)).not.toContain('encoder=');
  });

  it('leaves the ticks to the encoder where all frames are on its grid, and else keeps those of the source', () => {
    expect(planned()).not.toContain('-enc_time_base');
    const uneven = planned({ pictures: { ...pictures, isOnGrid: false } });
    expect(uneven).toContain('-enc_time_base 1/12800');
    expect(uneven).toContain('h264_metadata=tick_rate=50/1,setts=');
  });

  it('moves times that are below zero up for the frames, and back', () => {
    const late = { ...pictures, firstPts: -19_200 };
    const decoding = {
      header: header(),
      stream,
      pictures: late,
      part: undefined,
      deinterlace: false,
      turnsUpright: false,
    };
    expect(decodeWords(decoding).join(' ')).toContain('-output_ts_offset 3');
    expect(planned({ pictures: late })).toContain('-itsoffset -3.000000 -f nut');
  });

  it('keeps fields that are kept, and spells tags as options do', () => {
    const woven = { ...stream, fieldOrder: 'tt' };
    const words = planned({ header: header([woven]), stream: woven, pictures: { ...pictures, topFieldFirst: true } });
    expect(words).toContain('-flags:v:0 +ilme+ildct -x264-params:v:0 tff=1');
    expect(planned()).toContain('-color_trc:v:0 gamma28');
  });

  it('lets ffmpeg make RGB by the tags of the source', () => {
    const colour = { ...stream.colour, space: 'bt2020nc', transfer: undefined };
    const tagged = { ...stream, colour };
    const encoder = { encoder: 'png', pixelFormat: 'rgb24', options: [] };
    const words = planned({ stream: tagged, header: header([tagged]), encoder });
    expect(words).toContain('-filter:v:0 setparams=range=tv:colorspace=bt2020nc');
    expect(words).not.toMatch(/-color_range|-colorspace/);
  });

  it('keeps HDR10 data, and the user’s word on it', () => {
    const bright = { ...pictures, sideData: hdr10Data };
    const encoder = { encoder: 'libx265', pixelFormat: 'yuv420p10le', options: [] };
    expect(planned({ pictures: bright, encoder })).toContain(
      '-x265-params:v:0 hdr10=1:repeat-headers=1:master-display=G(',
    );
    const off = [['x265-params', 'hdr10=0'] as const];
    expect(planned({ pictures: bright, encoder, encoderOptions: off })).toContain('-x265-params:v:0 hdr10=0 ');
  });

  it('joins lists of parameters, and lets the user’s word come last', () => {
    const words = planned({
      encoder: { encoder: 'libx264', pixelFormat: 'yuv420p', options: [['crf', '18']] },
      encoderOptions: [
        ['crf', '20'],
        ['x264-params', 'a=1'],
        ['x264-params', 'b=2'],
      ],
    });
    expect(words).toContain('-crf:v:0 20 -x264-params:v:0 a=1:b=2');
  });
});

describe('what is lost', () => {
  it('is told of tags, marks, chapters, colour and side data by name', () => {
    const source = {
      ...stream,
      tags: { title: 'Main', language: 'und', handler_name: 'x' },
      disposition: ['default', 'comment'],
      sideData: [{ side_data_type: 'DOVI configuration record' }, { side_data_type: 'CPB properties' }],
    };
    const before = { ...header([source]), tags: { artist: 'A' }, chapters: [{ start: '0', end: '1', tags: {} }] };
    const captions = { ...pictures, sideData: [{ side_data_type: 'ATSC A53 Part 4 Closed Captions' }] };
    const found = losses(
      { header: before, stream: source, pictures: captions },
      { header: header(), stream: { ...stream, colour: { ...stream.colour, range: undefined } }, sideData: [] },
      [{ source, fate: { keep: 'copy' }, index: 0 }],
    ).map(({ kind, message }) => `${kind}: ${message}`);
    expect(found).toEqual([
      'tag: the file: the tag artist cannot be kept',
      'chapter: 1 of 1 chapters are lost',
      'tag: stream 0 (video, h264): the tag title cannot be kept',
      'disposition: stream 0 (video, h264): the mark comment cannot be kept',
      'colour: stream 0 (video, h264): the colour range tv cannot be kept',
      'side-data: the Dolby Vision configuration of the pictures is lost',
      'side-data: closed captions (A53) of the pictures is lost',
    ]);
  });
});

describe('orientation', () => {
  const matrix = (rows: string): readonly { side_data_type: string; displaymatrix: string }[] => [
    { side_data_type: 'Display Matrix', displaymatrix: rows },
  ];

  it('is read from what ffprobe prints', () => {
    const turned = '\n00000000: 0 -65536 0\n00000001: 65536 0 0\n00000002: 0 0 1073741824\n';
    expect(displayMatrix(matrix(turned))).toEqual([0, -65_536, 0, 65_536, 0, 0, 0, 0, 1_073_741_824]);
    expect(
      displayMatrix(matrix('\n00000000: 65536 0 0\n00000001: 0 65536 0\n00000002: 0 0 1073741824\n')),
    ).toBeUndefined();
    expect(displayMatrix(matrix('nonsense'))).toBeUndefined();
    expect(displayMatrix([])).toBeUndefined();
  });

  it('is not written into what is no mp4', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mambair-orientation-'));
    await writeFile(join(folder, 'a.mp4'), 'no boxes in here, but some text');
    expect(await codeOf(writeDisplayMatrix(join(folder, 'a.mp4'), 0, [], 1))).toBe('MAMBAIR_VIDEO_MALFORMED');
    await rm(folder, { recursive: true });
  });
});

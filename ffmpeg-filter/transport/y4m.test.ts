import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { pixelFormat, pixelFormats } from '../../core/index.js';
import { mutate, seededRandom } from '../../test/mutate.js';
import { chunked, codeOf, cuts, framesOf, gather, headers, randomFrame } from '../../test/video-streams.js';
import { readY4m } from './read-y4m.js';
import type { VideoHeader } from './video-stream.js';
import { writeY4m } from './write-y4m.js';
import { y4mColourName } from './y4m-format.js';

const bytesOf = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const read = (text: string) => readY4m(chunked(bytesOf(text)));

const writable = pixelFormats.filter(
  (format) => y4mColourName({ pixelFormat: format, width: 1, height: 1, timeBase: [1, 1] }) !== undefined,
);

const details = fc.record(
  {
    fieldOrder: fc.constantFrom('progressive', 'top-first', 'bottom-first', 'mixed'),
    range: fc.constantFrom('limited', 'full'),
    comments: fc.array(fc.stringMatching(/^[!-~]{1,9}$/), { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<Partial<VideoHeader>>;

describe('Y4M', () => {
  it('knows 8 to 16 bits, gray, every usual subsampling and alpha', () => {
    expect(writable.map(({ name }) => name)).toEqual([
      'yuv411p',
      ...['yuv420p', 'yuv422p', 'yuv444p'].flatMap((name) => [
        name,
        ...[9, 10, 12, 14, 16].map((d) => `${name}${d}le`),
      ]),
      'yuva444p',
      ...['gray', 'gray9le', 'gray10le', 'gray12le', 'gray14le', 'gray16le'],
    ]);
  });

  it('gives back header, frame parameters and bytes, however the stream is cut', async () => {
    await fc.assert(
      fc.asyncProperty(headers(writable), details, fc.nat(3), cuts, async (basic, more, count, lengths) => {
        const is420 = basic.pixelFormat.name === 'yuv420p';
        const header: VideoHeader = { ...basic, ...more, ...(is420 ? { chromaLocation: 'left' } : {}) };
        const frames = Array.from({ length: count }, (_, index) => ({
          ...randomFrame(header, index, index),
          ...(index === 1 ? { parameters: 'Ip Xa=b' } : {}),
        }));
        const stream = await readY4m(chunked(await gather(writeY4m(header, frames)), lengths));
        expect(stream.header).toEqual(header);
        expect(await framesOf(stream)).toEqual(frames);
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  it('takes the defaults of the format for what a header leaves out', async () => {
    const { header } = await read('YUV4MPEG2 H3 W5 F30:1 A0:0 I? Znew\n');
    expect(header).toEqual({
      pixelFormat: pixelFormat('yuv420p'),
      chromaLocation: 'center',
      width: 5,
      height: 3,
      timeBase: [1, 30],
      frameRate: [30, 1],
    });
  });

  it.each([
    ['', 'MALFORMED'],
    ['YUV4MPEG W4 H4 F1:1\n', 'MALFORMED'],
    ['YUV4MPEG2 W4 F1:1\n', 'MALFORMED'],
    ['YUV4MPEG2 W4 H-4 F1:1\n', 'MALFORMED'],
    ['YUV4MPEG2 W4 H4 F1\n', 'MALFORMED'],
    ['YUV4MPEG2 W4 H4 F1:1', 'MALFORMED'],
    [`YUV4MPEG2 W4 H4 F1:1 X${'a'.repeat(5000)}\n`, 'MALFORMED'],
    ['YUV4MPEG2 W4 H4 F1:1 Cmono\nFRAMES\n0123456789abcdef', 'MALFORMED'],
    ['YUV4MPEG2 W4 H4 F1:1 Cmono\nFRAME\n0123456789abcde', 'MALFORMED'],
    ['YUV4MPEG2 W4 H4 F0:0 Cmono\n', 'UNSUPPORTED'],
    ['YUV4MPEG2 W4 H4 F1:1 C420p11\n', 'UNSUPPORTED'],
    ['YUV4MPEG2 W999999 H999999 F1:1\n', 'UNSUPPORTED'],
    ['YUV4MPEG2 W99999999 H1 F1:1\n', 'UNSUPPORTED'],
  ])('refuses %j', async (text, code) => {
    expect(await codeOf(read(text).then(framesOf))).toBe(`MAMBAIR_VIDEO_${code}`);
  });

  it('takes damage for what it is, without hanging or taking memory', async () => {
    const whole = bytesOf(
      'YUV4MPEG2 W4 H2 F30000:1001 Ip A1:1 Cmono XCOLORRANGE=FULL\nFRAME\n01234567FRAME It\n89abcdef',
    );
    const random = seededRandom(5);
    const codes = new Set<string>();
    for (let turn = 0; turn < 3000; turn++) {
      const bytes = mutate(whole, random, [whole]);
      codes.add(await codeOf(readY4m(chunked(bytes, [16]), { maxFrameBytes: 2 ** 20 }).then(framesOf)));
    }
    expect([...codes].sort()).toEqual(['MAMBAIR_VIDEO_MALFORMED', 'MAMBAIR_VIDEO_UNSUPPORTED', 'none']);
  });

  it('does not write what it cannot carry', async () => {
    const header: VideoHeader = {
      pixelFormat: pixelFormat('gray'),
      width: 2,
      height: 1,
      timeBase: [1, 90000],
      frameRate: [30, 1],
    };
    const write = (changes: Partial<VideoHeader>, ...times: number[]) =>
      codeOf(
        gather(
          writeY4m(
            { ...header, ...changes },
            times.map((pts) => ({ pts, data: new Uint8Array(2) })),
          ),
        ),
      );
    expect(await write({}, 0, 3000, 6000)).toBe('none');
    expect(await write({}, 0, 3001)).toBe('MAMBAIR_VIDEO_UNSUPPORTED');
    expect(await write({}, 3000)).toBe('MAMBAIR_VIDEO_UNSUPPORTED');
    expect(await write({ pixelFormat: pixelFormat('gbrp') })).toBe('MAMBAIR_VIDEO_UNSUPPORTED');
    expect(await write({ width: 3 }, 0)).toBe('MAMBAIR_OPTION_INVALID');
  });
});

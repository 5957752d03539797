import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { pixelFormat, pixelFormats } from '../../core/index.js';
import { mutate, seededRandom } from '../../test/mutate.js';
import { chunked, codeOf, cuts, framesOf, gather, headers, randomFrame } from '../../test/video-streams.js';
import { encodeBytes, encodeSigned, encodeUnsigned, fileId, flags, nutChecksum, startCodes } from './nut-format.js';
import { readNut } from './read-nut.js';
import type { VideoHeader } from './video-stream.js';
import { writeNut } from './write-nut.js';

const small: VideoHeader = { pixelFormat: pixelFormat('gray'), width: 2, height: 2, timeBase: [1, 25] };
const bytesOf = (header: VideoHeader, times: readonly number[]) =>
  gather(
    writeNut(
      header,
      times.map((pts, index) => randomFrame(header, pts, index + 1)),
    ),
  );

const big = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255);
const packet = (code: bigint, body: number[]) => [
  ...Array.from({ length: 8 }, (_, at) => Number((code >> BigInt(56 - 8 * at)) & 255n)),
  ...encodeUnsigned(body.length + 4),
  ...body,
  ...big(nutChecksum(body)),
];
const numbers = (...values: number[]) => values.flatMap(encodeUnsigned);

/** A stream in the manner of ffmpeg: low bits of times, elision headers, frames without syncpoints, repeated headers, an index. */
function elaborate(
  changes: { readonly streams?: number; readonly tag?: string; readonly width?: number } = {},
): Uint8Array {
  const run = (runFlags: number, delta: number, ...fields: number[]) => [
    ...numbers(runFlags, 1 + fields.length),
    ...encodeSigned(delta),
    ...numbers(...fields),
  ];
  const main = [
    ...numbers(4, 0, changes.streams ?? 1, 65536, 2, 1, 1000, 1, 50),
    ...run(flags.invalid, 0, 1, 0, 0, 0, 1),
    // code 1: low bits of the time; size from the multiplier; a checksum; two reserved fields
    ...run(flags.codedPts | flags.sizeMsb | flags.checksum | flags.reserved, 0, 3, 0, 1, 0, 1),
    // codes 2, 3: a tick after the last frame, 3 or 4 bytes; with the second elision header; the count is 5 − 3
    ...numbers(flags.key, 8, ...encodeSigned(1), 5, 0, 3, 0, 2),
    ...encodeSigned(0),
    ...numbers(2),
    // codes 4 …: everything stated
    ...run(flags.coded, 0, 1, 0, 0, 0, 251),
    ...numbers(2),
    ...encodeBytes([9, 9, 9, 9, 9]),
    ...encodeBytes([7, 8]),
    ...numbers(0),
  ];
  const stream = [
    ...numbers(0, 0),
    ...encodeBytes([...new TextEncoder().encode(changes.tag ?? 'Y800')]),
    ...numbers(1, 4, 100, 0, 0, 0, changes.width ?? 2, 2, 8, 9, 0),
  ];
  const checked = (bytes: number[]) => [...bytes, ...big(nutChecksum(bytes))];
  return Uint8Array.from([
    ...fileId,
    ...packet(startCodes.main, main),
    ...packet(startCodes.stream, stream),
    ...packet(startCodes.info, [
      ...numbers(1, 0, 0, 0, 2),
      ...encodeBytes([88]),
      ...encodeSigned(-4),
      ...numbers(5),
      ...encodeBytes([...new TextEncoder().encode('r_frame_rate')]),
      ...encodeSigned(-1),
      ...encodeBytes([...new TextEncoder().encode('30000/1001')]),
    ]),
    // 2000 ms are 100 ticks of 1/50 s; 2 time bases, the first
    ...packet(startCodes.syncpoint, numbers(2000 * 2, 0)),
    // 103 = 6·16 + 7; size 1 + 3 · 1
    ...checked([1, ...numbers(7, 1, 2, 1000, 1)]),
    ...[1, 2, 3, 4],
    // 104, without its first two bytes
    ...[3, 30, 40],
    ...packet(startCodes.main, main),
    ...packet(startCodes.stream, stream),
    // flags stated: whole time 300 (+ 16), size 4, no elision header; unstated it would be the last run's
    ...[4, ...numbers(flags.codedPts | flags.sizeMsb | flags.headerIndex | flags.coded, 316, 4, 0)],
    ...[5, 6, 7, 8],
    ...packet(startCodes.index, [1, 2, 3]),
  ]);
}

describe('NUT', () => {
  it('gives back header, times and bytes of every frame, however the stream is cut', async () => {
    const times = fc.array(fc.oneof(fc.nat(1000), fc.integer({ min: 0, max: 2 ** 52 })), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(headers(pixelFormats), times, cuts, async (header, pts, lengths) => {
        const frames = pts.map((time, index) => randomFrame(header, time, index));
        const stream = await readNut(chunked(await gather(writeNut(header, frames)), lengths));
        expect(stream.header).toEqual(header);
        expect(await framesOf(stream)).toEqual(frames);
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  it('reads all that the muxer of ffmpeg makes use of', async () => {
    const stream = await readNut(chunked(elaborate(), [3]));
    expect(stream.header).toEqual({ ...small, timeBase: [1, 50], frameRate: [30000, 1001], sampleAspectRatio: [8, 9] });
    expect(await framesOf(stream)).toEqual([
      { pts: 103, data: Uint8Array.of(1, 2, 3, 4) },
      { pts: 104, data: Uint8Array.of(7, 8, 30, 40) },
      { pts: 300, data: Uint8Array.of(5, 6, 7, 8) },
    ]);
  });

  it('reads a stream that ends before its first frame', async () => {
    expect(await framesOf(await readNut(chunked(await bytesOf(small, []))))).toEqual([]);
  });

  it('refuses streams that it would lose something of, before any frame', async () => {
    for (const changes of [
      { streams: 2 },
      { tag: 'h264' },
      { tag: 'BGR\u000f' },
      { width: 2 ** 30 },
      { width: 2 ** 19 },
    ]) {
      const opened = readNut(chunked(elaborate(changes)), { maxFrameBytes: 2 ** 20 - 1 });
      expect(await codeOf(opened)).toBe('MAMBAIR_VIDEO_UNSUPPORTED');
    }
  });

  it('refuses a stream cut off anywhere but between frames', async () => {
    const whole = await bytesOf(small, [5, 6]);
    const ends = new Set<number | string>();
    for (let length = 0; length < whole.length; length++) {
      const read = readNut(chunked(whole.subarray(0, length))).then(framesOf);
      const code = await codeOf(read);
      ends.add(code === 'none' ? (await read).length : code);
    }
    // no frames: after the headers and after a syncpoint; one: after the first frame and the second syncpoint
    expect([...ends]).toEqual(['MAMBAIR_VIDEO_MALFORMED', 0, 1]);
  });

  it('takes damage for what it is, without hanging or taking memory', async () => {
    const others = [await bytesOf(small, [0, 1, 7]), elaborate()];
    const random = seededRandom(3);
    const counts = new Map<string, number>();
    let largest = 0;
    const allocate = (bytes: number) => {
      largest = Math.max(largest, bytes);
      return new Uint8Array(bytes);
    };
    for (let turn = 0; turn < 3000; turn++) {
      const bytes = mutate(others[turn % others.length] ?? others[0] ?? new Uint8Array(0), random, others);
      const code = await codeOf(readNut(chunked(bytes, [16]), { allocate, maxFrameBytes: 2 ** 16 }).then(framesOf));
      counts.set(code, (counts.get(code) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual(['MAMBAIR_VIDEO_MALFORMED', 'MAMBAIR_VIDEO_UNSUPPORTED', 'none']);
    expect(largest).toBeLessThanOrEqual(2 ** 16);
  });

  it('asks for more bytes only when the next frame is wanted, and closes the source when none is', async () => {
    const whole = await bytesOf(small, [0, 1, 2, 3]);
    let asked = 0;
    let isClosed = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        for await (const chunk of chunked(whole, [8])) {
          asked += chunk.length;
          yield chunk;
        }
      } finally {
        isClosed = true;
      }
    }
    const { frames } = await readNut(source());
    for await (const { pts } of frames) {
      expect(asked).toBeLessThan(whole.length);
      if (pts === 1) {
        break;
      }
    }
    expect(isClosed).toBe(true);
  });

  it('passes on an error of its source', async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield* chunked((await bytesOf(small, [0])).subarray(0, 40));
      throw new Error('pipe broke');
    }
    expect(await codeOf(readNut(failing()))).toBe('Error: pipe broke');
  });

  it('does not write times that NUT cannot hold, or frames of another size', async () => {
    expect(await codeOf(bytesOf(small, [-1]))).toBe('MAMBAIR_VIDEO_UNSUPPORTED');
    expect(await codeOf(bytesOf(small, [0.5]))).toBe('MAMBAIR_VIDEO_UNSUPPORTED');
    expect(await codeOf(gather(writeNut(small, [{ pts: 0, data: new Uint8Array(3) }])))).toBe('MAMBAIR_OPTION_INVALID');
  });
});

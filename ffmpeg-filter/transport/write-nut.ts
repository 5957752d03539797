import { frameLayout } from '../../core/index.js';
import {
  encodeBytes,
  encodeSigned,
  encodeUnsigned,
  fileId,
  flags,
  longPacket,
  nutChecksum,
  nutTag,
  startCodes,
} from './nut-format.js';
import { checkFrameLength, unsupported } from './video-stream.js';
import type { VideoFrame, VideoHeader } from './video-stream.js';

/** Low bits of a time that a frame may carry instead of the whole; we always write the whole. */
const msbPtsShift = 14;

/** The one frame code in use. */
const frameCode = 1;

/**
 * Writes NUT with one stream of raw video, in the subset that every ffmpeg reads: version 3, one frame code, a syncpoint
 * before each frame, no index. A chunk is asked for only when the one before is taken; frames are passed on, not
 * copied, so their memory must stay as it is until then. Colour, field order and chroma location have no place in NUT.
 * @throws MAMBAIR_VIDEO_UNSUPPORTED for a negative time, or one above 2^52
 * @throws MAMBAIR_OPTION_INVALID for a frame of the wrong length
 */
export async function* writeNut(
  header: VideoHeader,
  frames: AsyncIterable<VideoFrame> | Iterable<VideoFrame>,
): AsyncGenerator<Uint8Array> {
  const layout = frameLayout(header.pixelFormat, header.width, header.height);
  yield nutHeaders(header);
  let index = 0;
  for await (const frame of frames) {
    checkFrameLength(layout, frame, index);
    if (!Number.isSafeInteger(frame.pts) || frame.pts < 0 || frame.pts > 2 ** 52) {
      throw unsupported(
        'NUT',
        `expected a time from 0 to 2^52 ticks for frame ${index}, got ${frame.pts}; shift the times`,
      );
    }
    yield frameStart(frame.pts, layout.bytes);
    yield frame.data;
    index += 1;
  }
}

function nutHeaders(header: VideoHeader): Uint8Array {
  const [numerator, denominator] = header.timeBase;
  const [aspectWidth, aspectHeight] = header.sampleAspectRatio ?? [0, 0];
  // pts delta, size multiplier, stream, size, reserved, count: six fields.
  const run = (runFlags: number, count: number) =>
    [encodeUnsigned(runFlags), encodeUnsigned(6), encodeSigned(0), ...[1, 0, 0, 0, count].map(encodeUnsigned)].flat();
  const main = [
    ...[3, 1, 65536, 1, numerator, denominator].flatMap(encodeUnsigned),
    ...run(flags.invalid, frameCode),
    ...run(flags.key | flags.codedPts | flags.sizeMsb | flags.checksum, 1),
    // 253 and not 254: the code `N` takes no entry of a run.
    ...run(flags.invalid, 253),
    ...encodeUnsigned(0),
  ];
  const maxPtsDistance = Math.max(1, Math.floor(Math.max(numerator, denominator) / numerator));
  const stream = [
    ...encodeUnsigned(0),
    ...encodeUnsigned(0),
    ...encodeBytes(nutTag(header.pixelFormat)),
    ...[0, msbPtsShift, maxPtsDistance, 0, 0, 0].flatMap(encodeUnsigned),
    ...[header.width, header.height, aspectWidth, aspectHeight, 0].flatMap(encodeUnsigned),
  ];
  const parts = [...fileId, ...packet(startCodes.main, main), ...packet(startCodes.stream, stream)];
  if (header.frameRate !== undefined) {
    const text = (value: string) => encodeBytes(new TextEncoder().encode(value));
    const rate = [...text('r_frame_rate'), ...encodeSigned(-1), ...text(header.frameRate.join('/'))];
    parts.push(...packet(startCodes.info, [...[1, 0, 0, 0, 1].flatMap(encodeUnsigned), ...rate]));
  }
  return Uint8Array.from(parts);
}

/** A syncpoint, which also tells the frame's time to readers that join late, and the frame's header. */
function frameStart(pts: number, size: number): Uint8Array {
  const start = [frameCode, ...encodeUnsigned(pts + 2 ** msbPtsShift), ...encodeUnsigned(size)];
  const syncpoint = packet(startCodes.syncpoint, [...encodeUnsigned(pts), ...encodeUnsigned(0)]);
  return Uint8Array.from([...syncpoint, ...start, ...bigEndian(nutChecksum(start))]);
}

function packet(startCode: bigint, body: readonly number[]): number[] {
  const code = Array.from({ length: 8 }, (_, at) => Number((startCode >> BigInt(56 - 8 * at)) & 255n));
  const start = [...code, ...encodeUnsigned(body.length + 4)];
  const startSum = body.length + 4 > longPacket ? bigEndian(nutChecksum(start)) : [];
  return [...start, ...startSum, ...body, ...bigEndian(nutChecksum(body))];
}

const bigEndian = (value: number): number[] => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255);

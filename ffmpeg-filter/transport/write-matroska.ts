import { frameLayout } from '../../core/index.js';
import { nutTag } from './nut-format.js';
import { checkFrameLength, unsupported } from './video-stream.js';
import type { Rational, VideoFrame, VideoHeader } from './video-stream.js';

/** A point of the CIE 1931 diagram. */
type Chromaticity = readonly [x: number, y: number];

/** HDR10's static data in numbers: SMPTE ST 2086 and CTA-861.3. */
export interface HdrNumbers {
  readonly display?: {
    readonly red: Chromaticity;
    readonly green: Chromaticity;
    readonly blue: Chromaticity;
    readonly white: Chromaticity;
    /** cd/m². */
    readonly minLuminance: number;
    readonly maxLuminance: number;
  };
  /** cd/m², whole numbers. */
  readonly light?: { readonly maxContent: number; readonly maxAverage: number };
}

/** Nanoseconds in a second: the finest clock of Matroska, in which the times are written. */
const second = 1_000_000_000n;

/** Element identifiers of RFC 8794 (EBML) and RFC 9559 (Matroska). */
const ids = {
  ebml: 0x1a45dfa3,
  ebmlVersion: 0x4286,
  ebmlReadVersion: 0x42f7,
  ebmlMaxIdLength: 0x42f2,
  ebmlMaxSizeLength: 0x42f3,
  docType: 0x4282,
  docTypeVersion: 0x4287,
  docTypeReadVersion: 0x4285,
  segment: 0x18538067,
  info: 0x1549a966,
  timestampScale: 0x2ad7b1,
  muxingApp: 0x4d80,
  writingApp: 0x5741,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  trackNumber: 0xd7,
  trackUid: 0x73c5,
  trackType: 0x83,
  flagDefault: 0x88,
  flagLacing: 0x9c,
  defaultDuration: 0x23e383,
  language: 0x22b59c,
  codecId: 0x86,
  video: 0xe0,
  pixelWidth: 0xb0,
  pixelHeight: 0xba,
  displayWidth: 0x54b0,
  displayHeight: 0x54ba,
  displayUnit: 0x54b2,
  colourSpace: 0x2eb524,
  colour: 0x55b0,
  maxContent: 0x55bc,
  maxAverage: 0x55bd,
  mastering: 0x55d0,
  redX: 0x55d1,
  redY: 0x55d2,
  greenX: 0x55d3,
  greenY: 0x55d4,
  blueX: 0x55d5,
  blueY: 0x55d6,
  whiteX: 0x55d7,
  whiteY: 0x55d8,
  maxLuminance: 0x55d9,
  minLuminance: 0x55da,
  cluster: 0x1f43b675,
  timestamp: 0xe7,
  simpleBlock: 0xa3,
} as const;

/** `DisplayUnit`: the aspect ratio of the picture, or nothing known of it. */
const displayUnits = { aspectRatio: 3, unknown: 4 } as const;

/** All but the last of the sizes that eight bytes hold stands for a size that is not known yet. */
const unknownSize = [0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff] as const;

/** ffmpeg makes the frame rate of Matroska of the nanoseconds that a frame lasts, with numbers up to this. */
const largestInRate = 30_000n;

/**
 * True when ffmpeg reads from Matroska what it reads from NUT: times to the tick, and the frame rate, which it must find from
 * the nanoseconds that a frame lasts. It finds 24000/1001, but not 60000/1001.
 */
export function fitsMatroska({ timeBase, frameRate }: VideoHeader): boolean {
  if (frameRate === undefined) {
    return false;
  }
  const [numerator, denominator] = frameRate.map(BigInt) as [bigint, bigint];
  // Slower and faster ones are guessed from the times of the first frames instead.
  const isTaken = numerator > 5n * denominator && numerator < 1000n * denominator;
  const [found, below] = nearestFraction(second, durationOf(frameRate), largestInRate);
  // Ticks must be told apart although times are rounded.
  const hasTicks = BigInt(timeBase[0]) * second >= 8n * BigInt(timeBase[1]);
  return isTaken && found * denominator === below * numerator && hasTicks;
}

/** The fraction of numbers up to `most` that is nearest to another one: its continued fraction, ended where it has to be. */
function nearestFraction(numerator: bigint, denominator: bigint, most: bigint): readonly [bigint, bigint] {
  let [before, last]: [readonly [bigint, bigint], readonly [bigint, bigint]] = [
    [0n, 1n],
    [1n, 0n],
  ];
  for (let [above, below] = [numerator, denominator]; below > 0n; [above, below] = [below, above % below]) {
    const term = above / below;
    const next = [term * last[0] + before[0], term * last[1] + before[1]] as const;
    if (next[0] > most || next[1] > most) {
      const fitting = [0, 1].map((at) => (last[at] === 0n ? term : (most - before[at]!) / last[at]!));
      const least = fitting[0]! < fitting[1]! ? fitting[0]! : fitting[1]!;
      const isNearer = below * (2n * least * last[1] + before[1]) > above * last[1];
      return isNearer ? [least * last[0] + before[0], least * last[1] + before[1]] : last;
    }
    [before, last] = [last, next];
  }
  return last;
}

/**
 * Writes Matroska with one stream of raw video and HDR10's static data beside it, for which NUT has no place: ffmpeg hands
 * that on to its output. A segment of unknown size, one cluster a frame, nothing to seek by. A chunk is asked for only when
 * the one before is taken; frames are passed on, not copied, so their memory must stay as it is until then.
 * Colour tags are left out: they go with the frames. Times are rounded to nanoseconds; a filter `settb` brings them back.
 * Source: RFC 9559 (Matroska) and RFC 8794 (EBML); names of pixel formats as ffmpeg has them in NUT.
 * @throws MAMBAIR_VIDEO_UNSUPPORTED for a negative time, or one above 2^63 ns
 * @throws MAMBAIR_OPTION_INVALID for a frame of the wrong length
 */
export async function* writeMatroska(
  header: VideoHeader,
  hdr: HdrNumbers,
  frames: AsyncIterable<VideoFrame> | Iterable<VideoFrame>,
): AsyncGenerator<Uint8Array> {
  const layout = frameLayout(header.pixelFormat, header.width, header.height);
  const [numerator, denominator] = header.timeBase.map(BigInt) as [bigint, bigint];
  yield Uint8Array.from(fileStart(header, hdr));
  let index = 0;
  for await (const frame of frames) {
    checkFrameLength(layout, frame, index);
    const time = Number.isSafeInteger(frame.pts)
      ? (BigInt(frame.pts) * numerator * second + denominator / 2n) / denominator
      : -1n;
    if (time < 0n || time >= 2n ** 63n) {
      throw unsupported(
        'Matroska',
        `expected a time from 0 to 2^63 ns for frame ${index}, got ${frame.pts} ticks; shift the times`,
      );
    }
    yield Uint8Array.from(clusterStart(time, layout.bytes));
    yield frame.data;
    index += 1;
  }
}

function fileStart(header: VideoHeader, hdr: HdrNumbers): readonly number[] {
  const ebml = element(ids.ebml, [
    ...[...unsigned(ids.ebmlVersion, 1), ...unsigned(ids.ebmlReadVersion, 1)],
    ...[...unsigned(ids.ebmlMaxIdLength, 4), ...unsigned(ids.ebmlMaxSizeLength, 8)],
    ...[...text(ids.docType, 'matroska'), ...unsigned(ids.docTypeVersion, 4), ...unsigned(ids.docTypeReadVersion, 2)],
  ]);
  const info = element(ids.info, [
    ...unsigned(ids.timestampScale, 1),
    ...[...text(ids.muxingApp, 'mambair'), ...text(ids.writingApp, 'mambair')],
  ]);
  const track = element(ids.trackEntry, [
    ...[...unsigned(ids.trackNumber, 1), ...unsigned(ids.trackUid, 1), ...unsigned(ids.trackType, 1)],
    // Without these words the track would be a default one, and English.
    ...[...unsigned(ids.flagDefault, 0), ...unsigned(ids.flagLacing, 0), ...text(ids.language, 'und')],
    ...(header.frameRate === undefined ? [] : unsigned(ids.defaultDuration, durationOf(header.frameRate))),
    ...text(ids.codecId, 'V_UNCOMPRESSED'),
    ...videoElement(header, hdr),
  ]);
  return [...ebml, ...idBytes(ids.segment), ...unknownSize, ...info, ...element(ids.tracks, track)];
}

function videoElement(header: VideoHeader, { display, light }: HdrNumbers): readonly number[] {
  const { width, height, sampleAspectRatio } = header;
  const shape =
    sampleAspectRatio === undefined
      ? unsigned(ids.displayUnit, displayUnits.unknown)
      : [
          ...unsigned(ids.displayWidth, BigInt(width) * BigInt(sampleAspectRatio[0])),
          ...unsigned(ids.displayHeight, BigInt(height) * BigInt(sampleAspectRatio[1])),
          ...unsigned(ids.displayUnit, displayUnits.aspectRatio),
        ];
  const mastering =
    display === undefined
      ? []
      : element(ids.mastering, [
          ...[...double(ids.redX, display.red[0]), ...double(ids.redY, display.red[1])],
          ...[...double(ids.greenX, display.green[0]), ...double(ids.greenY, display.green[1])],
          ...[...double(ids.blueX, display.blue[0]), ...double(ids.blueY, display.blue[1])],
          ...[...double(ids.whiteX, display.white[0]), ...double(ids.whiteY, display.white[1])],
          ...[...double(ids.maxLuminance, display.maxLuminance), ...double(ids.minLuminance, display.minLuminance)],
        ]);
  const levels =
    light === undefined
      ? []
      : [...unsigned(ids.maxContent, light.maxContent), ...unsigned(ids.maxAverage, light.maxAverage)];
  return element(ids.video, [
    ...[...unsigned(ids.pixelWidth, width), ...unsigned(ids.pixelHeight, height), ...shape],
    ...element(ids.colourSpace, nutTag(header.pixelFormat)),
    ...element(ids.colour, [...levels, ...mastering]),
  ]);
}

/** A cluster with one block, up to the frame's own bytes. */
function clusterStart(time: bigint, bytes: number): readonly number[] {
  const timestamp = unsigned(ids.timestamp, time);
  // Track 1, no ticks after the cluster's own time, a key frame.
  const block = [...idBytes(ids.simpleBlock), ...sizeBytes(bytes + 4), 0x81, 0, 0, 0x80];
  return [...idBytes(ids.cluster), ...sizeBytes(timestamp.length + block.length + bytes), ...timestamp, ...block];
}

/** Nanoseconds that a frame lasts. */
const durationOf = ([numerator, denominator]: Rational): bigint =>
  (BigInt(denominator) * second + BigInt(numerator) / 2n) / BigInt(numerator);

/** An unsigned number, most significant byte first, without leading zeros but for 0 itself. */
function bigEndian(value: bigint): readonly number[] {
  const bytes = [Number(value & 255n)];
  for (let rest = value >> 8n; rest > 0n; rest >>= 8n) {
    bytes.unshift(Number(rest & 255n));
  }
  return bytes;
}

/** Identifiers hold the mark of their own length. */
const idBytes = (id: number): readonly number[] => bigEndian(BigInt(id));

/** A size in eight bytes, the first of which says so. */
const sizeBytes = (size: number): readonly number[] => bigEndian((1n << 56n) | BigInt(size));

const element = (id: number, body: readonly number[]): readonly number[] => [
  ...idBytes(id),
  ...sizeBytes(body.length),
  ...body,
];

const unsigned = (id: number, value: number | bigint): readonly number[] => element(id, bigEndian(BigInt(value)));
const text = (id: number, value: string): readonly number[] => element(id, [...new TextEncoder().encode(value)]);

function double(id: number, value: number): readonly number[] {
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setFloat64(0, value);
  return element(id, [...new Uint8Array(bytes.buffer)]);
}

import { execFile } from 'node:child_process';
import { frameLayout, pixelFormat, type VideoChannel } from '../core/index.js';
import { sourceFormat } from '../ffmpeg-filter/clip/source-format.js';
import { probeHeader, type ClipHeader, type ClipStream } from '../ffmpeg-filter/clip/probe-clip.js';
import { decode } from '../ffmpeg-filter/pipeline/decode.js';
import type { VideoFrame } from '../ffmpeg-filter/transport/video-stream.js';

/** One thing in which two videos differ. */
export interface VideoDifference {
  /** `file`, `chapter 1`, `stream 2 (audio)`, `frames`. */
  readonly where: string;
  readonly what: string;
  readonly before: string;
  readonly after: string;
}

/** What two videos were found to have in common, and what not. */
export interface VideoComparison {
  readonly differences: readonly VideoDifference[];
  readonly frames: number;
  /** Packets of all other streams that were compared byte by byte. */
  readonly packets: number;
  /** Samples of the pictures that differ, and the planes that they are in. */
  readonly samples: number;
  readonly changedSamples: number;
}

/** Tags that programs write about themselves or about the stream, whatever its contents. */
const ownTags =
  /^(encoder|creation_time|DURATION.*|BPS.*|NUMBER_OF_.*|_STATISTICS.*|major_brand|minor_version|compatible_brands|vendor_id|rotate)$/i;

const ffmpeg = 'ffmpeg';
const ffprobe = 'ffprobe';

/**
 * Compares two video files strictly: tags, chapters, streams with their order, kinds, codecs, tags and dispositions; every packet of
 * all streams but the video: time, duration, flags, bytes; of the video every frame's time, its colour tags, shape, fields and side
 * data, and, unless `pixels` is false, every sample of every plane.
 */
export async function compareVideos(
  before: string,
  after: string,
  { pixels = true }: { readonly pixels?: boolean } = {},
): Promise<VideoComparison> {
  const [a, b] = await Promise.all([describe(before), describe(after)]);
  const found = new Differences();
  found.compare('file', 'format', a.header.formatName, b.header.formatName);
  found.compare('file', 'tags', ownTagsLeftOut(a.header.tags), ownTagsLeftOut(b.header.tags));
  found.compare('file', 'chapters', a.header.chapters, b.header.chapters);
  found.compare('file', 'streams', a.header.streams.length, b.header.streams.length);
  let packets = 0;
  for (const [at, one] of a.header.streams.entries()) {
    const other = b.header.streams[at];
    if (other === undefined) {
      continue;
    }
    const where = `stream ${at} (${one.kind})`;
    compareStreams(found, where, [one, other], [a.raw[at] ?? {}, b.raw[at] ?? {}], one === a.video);
    if (one !== a.video && one.kind !== 'attachment') {
      packets += await comparePackets(found, where, [before, one], [after, other]);
    }
  }
  if (a.video === undefined || b.video === undefined) {
    return { differences: found.list, frames: 0, packets, samples: 0, changedSamples: 0 };
  }
  const frames = await compareFrames(found, [before, a.video], [after, b.video]);
  const { samples, changed } = pixels
    ? await comparePictures([before, a.video], [after, b.video])
    : { samples: 0, changed: 0 };
  if (changed > 0) {
    found.add('frames', 'samples', `${samples}`, `${changed} of them differ`);
  }
  return { differences: found.list, frames, packets, samples, changedSamples: changed };
}

type Json = Readonly<Record<string, unknown>>;

class Differences {
  readonly list: VideoDifference[] = [];

  add(where: string, what: string, before: string, after: string): void {
    this.list.push({ where, what, before, after });
  }

  compare(where: string, what: string, before: unknown, after: unknown): void {
    const [one, other] = [JSON.stringify(before ?? null), JSON.stringify(after ?? null)];
    if (one !== other) {
      this.add(where, what, one, other);
    }
  }
}

async function describe(path: string) {
  const header = await probeHeader(ffprobe, path);
  const shown = await probeJson(path, '-show_streams', '-show_data_hash', 'md5');
  return { header, raw: (shown['streams'] ?? []) as readonly Json[], video: mainVideo(header) };
}

function mainVideo({ streams }: ClipHeader): ClipStream | undefined {
  const videos = streams.filter(({ kind, disposition }) => kind === 'video' && !disposition.includes('attached_pic'));
  return videos.find(({ disposition }) => disposition.includes('default')) ?? videos[0];
}

const ownTagsLeftOut = (tags: Readonly<Record<string, string>>): readonly (readonly [string, string])[] =>
  Object.entries(tags)
    .filter(([name]) => !ownTags.test(name))
    .map(([name, value]): readonly [string, string] => [name.toLowerCase(), value])
    .sort(([one], [other]) => (one < other ? -1 : 1));

function compareStreams(
  found: Differences,
  where: string,
  [one, other]: readonly [ClipStream, ClipStream],
  [before, after]: readonly [Json, Json],
  isVideo: boolean,
): void {
  found.compare(where, 'kind', one.kind, other.kind);
  found.compare(where, 'disposition', one.disposition, other.disposition);
  found.compare(where, 'tags', ownTagsLeftOut(one.tags), ownTagsLeftOut(other.tags));
  if (one.kind === 'video') {
    found.compare(where, 'colour', one.colour, other.colour);
    for (const name of ['width', 'height', 'sample_aspect_ratio', 'field_order', 'r_frame_rate', 'avg_frame_rate']) {
      found.compare(where, name, before[name], after[name]);
    }
    // Two names of one thing, told apart by the range, which is compared with the colour.
    const plain = (stream: Json) => String(stream['pix_fmt']).replace('yuvj', 'yuv');
    found.compare(where, 'pix_fmt', plain(before), plain(after));
    const sideData = (stream: ClipStream) =>
      stream.sideData.filter(({ side_data_type: kind }) => kind !== 'CPB properties');
    found.compare(where, 'side data', sideData(one), sideData(other));
  }
  if (!isVideo) {
    for (const name of ['codec_name', 'profile', 'sample_rate', 'channels', 'channel_layout', 'extradata_hash']) {
      found.compare(where, name, before[name], after[name]);
    }
  }
}

/** Packets of a stream that is copied; times as fractions, which other time bases may write otherwise. */
async function comparePackets(
  found: Differences,
  where: string,
  [before, one]: readonly [string, ClipStream],
  [after, other]: readonly [string, ClipStream],
): Promise<number> {
  const of = async (path: string, { index }: ClipStream): Promise<readonly Json[]> =>
    ((await probeJson(path, '-select_streams', String(index), '-show_packets', '-show_data_hash', 'md5'))['packets'] ??
      []) as readonly Json[];
  const [p, q] = [await of(before, one), await of(after, other)];
  found.compare(where, 'packets', p.length, q.length);
  const wrong = new Map<string, number>();
  for (const [at, packet] of p.entries()) {
    const twin = q[at];
    if (twin === undefined) {
      break;
    }
    for (const name of ['pts', 'dts', 'duration'] as const) {
      if (!isSameTime(packet[name], one, twin[name], other)) {
        wrong.set(name, (wrong.get(name) ?? 0) + 1);
      }
    }
    for (const name of ['data_hash', 'flags'] as const) {
      if (packet[name] !== twin[name]) {
        wrong.set(name, (wrong.get(name) ?? 0) + 1);
      }
    }
  }
  for (const [name, count] of wrong) {
    found.add(where, `${name} of packets`, `${p.length}`, `${count} of them differ`);
  }
  return p.length;
}

function isSameTime(one: unknown, of: ClipStream, other: unknown, ofOther: ClipStream): boolean {
  if (
    typeof one !== 'number' ||
    typeof other !== 'number' ||
    of.timeBase === undefined ||
    ofOther.timeBase === undefined
  ) {
    return one === other;
  }
  const [a, b] = [of.timeBase, ofOther.timeBase];
  return BigInt(one) * BigInt(a.num) * BigInt(b.den) === BigInt(other) * BigInt(b.num) * BigInt(a.den);
}

/** Facts of every frame of the video but its samples; gives how many there are. */
async function compareFrames(
  found: Differences,
  [before, one]: readonly [string, ClipStream],
  [after, other]: readonly [string, ClipStream],
): Promise<number> {
  const of = async (path: string, { index }: ClipStream): Promise<readonly Json[]> => {
    const shown = await probeJson(path, '-select_streams', String(index), '-show_frames');
    return ((shown['frames'] ?? []) as readonly Json[]).filter(({ media_type: kind }) => kind === 'video');
  };
  const [p, q] = await Promise.all([of(before, one), of(after, other)]);
  found.compare('frames', 'count', p.length, q.length);
  const time = (frame: Json): unknown => frame['pts'] ?? frame['best_effort_timestamp'] ?? frame['pkt_dts'];
  const wrong = new Map<string, number>();
  const count = (name: string): void => void wrong.set(name, (wrong.get(name) ?? 0) + 1);
  for (const [at, frame] of p.entries()) {
    const twin = q[at];
    if (twin === undefined) {
      break;
    }
    if (!isSameTime(time(frame), one, time(twin), other)) {
      count('time');
    }
    for (const name of ['interlaced_frame', 'top_field_first', 'repeat_pict']) {
      if (frame[name] !== twin[name]) {
        count(name);
      }
    }
    if (sideDataText(frame) !== sideDataText(twin)) {
      count('side data');
    }
  }
  for (const [name, differing] of wrong) {
    found.add('frames', name, `${p.length}`, `${differing} of them differ`);
  }
  return p.length;
}

const sideDataText = (frame: Json): string =>
  ((frame['side_data_list'] ?? []) as readonly Json[])
    .map((each) => JSON.stringify(each))
    .filter((text) => !/User Data Unregistered|GOP timecode|Encoding parameters/.test(text))
    .sort()
    .join();

/** Every sample of every plane; RGB of any order in one. */
async function comparePictures(
  one: readonly [string, ClipStream],
  other: readonly [string, ClipStream],
): Promise<{ readonly samples: number; readonly changed: number }> {
  const { pixelFormat: name, decoder } = sourceFormat(one[1], undefined);
  const format = pixelFormat(name);
  const hasAlpha = format.planes.flat().includes('a' satisfies VideoChannel);
  // Only RGB is brought into one order; YUV that is told to be what it is could be scaled to another range.
  const common = format.model !== 'rgb' ? undefined : `gbr${hasAlpha ? 'a' : ''}p${format.depth > 8 ? '16le' : ''}`;
  const bytes = format.depth > 8 ? 2 : 1;
  const [p, q] = await Promise.all([pictures(...one, common, decoder), pictures(...other, common, decoder)]);
  const length = frameLayout(pixelFormat(common ?? name), one[1].width, one[1].height).bytes;
  let [samples, changed] = [0, 0];
  try {
    for (;;) {
      const [x, y] = [await p.frames.next(), await q.frames.next()];
      if (x.done === true || y.done === true) {
        return { samples, changed: changed + (x.done === y.done ? 0 : length) };
      }
      samples += x.value.data.length / bytes;
      changed += changedSamples(x.value, y.value, bytes);
    }
  } finally {
    await Promise.all([p.stop(), q.stop()]);
  }
}

function changedSamples({ data: one }: VideoFrame, { data: other }: VideoFrame, bytes: number): number {
  if (Buffer.compare(one, other) === 0) {
    return 0;
  }
  let changed = 0;
  for (let at = 0; at < one.length; at += bytes) {
    if (one[at] !== other[at] || (bytes === 2 && one[at + 1] !== other[at + 1])) {
      changed += 1;
    }
  }
  return changed;
}

function pictures(path: string, { index }: ClipStream, format: string | undefined, decoder: string | undefined) {
  return decode({
    program: ffmpeg,
    args: [
      ...['-nostdin', '-v', 'quiet', '-noautorotate', ...(decoder === undefined ? [] : ['-c:v', decoder])],
      ...[
        '-i',
        path,
        '-map',
        `0:${index}`,
        ...(format === undefined ? [] : ['-pix_fmt', format]),
        '-fps_mode',
        'passthrough',
      ],
      ...['-c:v', 'rawvideo', '-f', 'nut', 'pipe:1'],
    ],
  });
}

function probeJson(path: string, ...words: readonly string[]): Promise<Json> {
  return new Promise((resolve, reject) => {
    execFile(
      ffprobe,
      ['-v', 'error', '-of', 'json', ...words, '-i', path],
      { maxBuffer: 2 ** 30 },
      (error, printed) => {
        if (error === null) {
          resolve(JSON.parse(printed) as Json);
        } else {
          reject(error);
        }
      },
    );
  });
}

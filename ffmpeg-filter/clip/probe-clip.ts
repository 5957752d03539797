import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { MambairError } from '../../core/index.js';
import { throwIfCancelled } from '../pipeline/cancel.js';
import { readProbe, readRatio, type ProbedStream, type Ratio, type SideData } from '../command/probed-input.js';

/** One chapter: its times in seconds as printed, and its tags. */
export interface Chapter {
  readonly start: string;
  readonly end: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** A stream with what only the making of a whole new file needs. */
export interface ClipStream extends ProbedStream {
  readonly profile: string | undefined;
  /** The four letters of mp4 and its kin. */
  readonly codecTag: string;
  readonly frameRate: Ratio | undefined;
  readonly averageRate: Ratio | undefined;
  /** `4:3` as printed; undefined where it is unknown. */
  readonly sampleAspectRatio: string | undefined;
  /** Where the stream ends, in ticks; undefined where the container does not say. */
  readonly endPts: number | undefined;
}

/** What ffprobe says of a file. */
export interface ClipHeader {
  readonly path: string;
  /** ffmpeg's names of the container, e.g. `mov,mp4,m4a,3gp,3g2,mj2`. */
  readonly formatName: string;
  /** Seconds; 0 where it is unknown. */
  readonly startTime: number;
  readonly duration: number | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly streams: readonly ClipStream[];
  readonly chapters: readonly Chapter[];
}

/** What the first pictures of a stream show, and its packets. */
export interface ClipPictures {
  /** Of a decoded frame; undefined when none can be decoded. */
  readonly pixelFormat: string | undefined;
  readonly interlaced: boolean;
  readonly topFieldFirst: boolean;
  /** Side data of the first frames, each kind once. */
  readonly sideData: readonly SideData[];
  /** Packets in the stream, an estimate of its frames. */
  readonly packets: number;
  /** The earliest time, in ticks; undefined where the container has none. */
  readonly firstPts: number | undefined;
  /** Time and duration of the frame shown last, in ticks. */
  readonly last: { readonly pts: number; readonly duration: number } | undefined;
  /** True when every time is a whole number of frames, counted from zero. */
  readonly isOnGrid: boolean;
}

/** What the first frames of a stream show. */
export interface FirstFrames extends Pick<ClipPictures, 'pixelFormat' | 'interlaced' | 'topFieldFirst' | 'sideData'> {
  /** Number of their stream in the file; undefined when none can be decoded. */
  readonly index: number | undefined;
}

/**
 * Asks ffprobe what is in a file.
 * @throws MAMBAIR_VIDEO_MALFORMED when it is no file that ffprobe can read
 */
export async function probeHeader(ffprobe: string, path: string): Promise<ClipHeader> {
  const printed = await run(ffprobe, path, ['-of', 'json', '-show_streams', '-show_format', '-show_chapters']);
  const { streams } = readProbe(printed);
  const { streams: raw, format, chapters } = JSON.parse(printed) as ProbeJson;
  return {
    path,
    formatName: format?.format_name ?? '',
    startTime: Number(format?.start_time ?? 0) || 0,
    duration: Number(format?.duration) || undefined,
    tags: format?.tags ?? {},
    streams: streams.map((stream, at) => ({ ...stream, ...extras(raw[at] ?? {}) })),
    chapters: (chapters ?? []).map(({ start_time: start, end_time: end, tags }) => ({ start, end, tags: tags ?? {} })),
  };
}

/**
 * Decodes the first frames of a stream for what headers do not say, and reads the times of all its packets, which takes
 * as long as reading the file does.
 * @throws MAMBAIR_CANCELLED
 */
export async function probePictures(
  ffprobe: string,
  { path }: ClipHeader,
  stream: ClipStream,
  signal?: AbortSignal,
): Promise<ClipPictures> {
  const { index: _, ...first } = await probeFirstFrames(ffprobe, path, stream);
  throwIfCancelled(signal);
  return { ...first, ...(await probePackets(ffprobe, path, stream, signal)) };
}

/**
 * What the first frames of a stream show, that of a number or the first one that is no cover; nothing where none can be decoded.
 * `opening`: options without which the file cannot be opened. A signal makes it know nothing.
 */
export async function probeFirstFrames(
  ffprobe: string,
  path: string,
  { index }: { readonly index: number | 'V:0' },
  { opening = [], signal }: { readonly opening?: readonly string[]; readonly signal?: AbortSignal | undefined } = {},
): Promise<FirstFrames> {
  const what = ['-of', 'json', '-select_streams', String(index), '-read_intervals', '%+#3', '-show_frames'];
  const words = [...what, ...opening];
  const shown = await run(ffprobe, path, words, signal).catch(() => '{}');
  const frames = ((JSON.parse(shown) as { frames?: readonly FrameJson[] }).frames ?? []).filter(
    ({ media_type: kind }) => kind === 'video',
  );
  const sideData = new Map<string, SideData>();
  for (const each of frames.flatMap(({ side_data_list: list }) => list ?? [])) {
    sideData.set(String(each['side_data_type']), sideData.get(String(each['side_data_type'])) ?? each);
  }
  return {
    index: frames[0]?.stream_index,
    pixelFormat: frames[0]?.pix_fmt,
    interlaced: frames.some(({ interlaced_frame: flag }) => flag === 1),
    topFieldFirst: frames[0]?.top_field_first === 1,
    sideData: [...sideData.values()],
  };
}

/** Reads the times of all packets of a stream. @throws MAMBAIR_CANCELLED */
export async function probePackets(
  ffprobe: string,
  path: string,
  stream: ClipStream,
  signal?: AbortSignal,
): Promise<Pick<ClipPictures, 'packets' | 'firstPts' | 'last' | 'isOnGrid'>> {
  const { timeBase, frameRate } = stream;
  // Ticks a frame as a fraction; whole numbers of frames are its multiples.
  const ticks = timeBase && frameRate && { num: timeBase.den * frameRate.den, den: timeBase.num * frameRate.num };
  let packets = 0;
  let firstPts: number | undefined;
  let last: { pts: number; duration: number } | undefined;
  let isOnGrid = ticks !== undefined;
  const arguments_ = ['-v', 'error', '-select_streams', String(stream.index), '-show_entries', 'packet=pts,duration'];
  const child = spawn(ffprobe, [...arguments_, '-of', 'csv=p=0', '-i', path], {
    stdio: ['ignore', 'pipe', 'ignore'],
    ...(signal === undefined ? {} : { signal }),
  });
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('close', () => resolve());
  });
  for await (const line of createInterface({ input: child.stdout })) {
    // Side data of packets gives lines of its own.
    const words = /^(-?\d+|N\/A),(-?\d+|N\/A)/.exec(line);
    if (words === null) {
      continue;
    }
    const [, pts = Number.NaN, duration = Number.NaN] = words.map((word) => Number.parseInt(word, 10));
    packets += 1;
    if (Number.isNaN(pts)) {
      isOnGrid = false;
      continue;
    }
    firstPts = Math.min(firstPts ?? pts, pts);
    if (last === undefined || pts > last.pts) {
      last = { pts, duration: Number.isNaN(duration) ? 0 : duration };
    }
    isOnGrid &&= ticks !== undefined && (pts * ticks.den) % ticks.num === 0;
  }
  await ended;
  throwIfCancelled(signal);
  // mp4 knows where the last frame ends; a packet's duration is what its codec says.
  const rest = last === undefined || stream.endPts === undefined ? 0 : stream.endPts - last.pts;
  return { packets, firstPts, last: last === undefined || rest <= 0 ? last : { ...last, duration: rest }, isOnGrid };
}

interface FrameJson {
  readonly media_type?: string;
  readonly stream_index?: number;
  readonly pix_fmt?: string;
  readonly interlaced_frame?: number;
  readonly top_field_first?: number;
  readonly side_data_list?: readonly SideData[];
}

interface ProbeJson {
  readonly streams: readonly Readonly<Record<string, unknown>>[];
  readonly format?: {
    readonly format_name?: string;
    readonly start_time?: string;
    readonly duration?: string;
    readonly tags?: Readonly<Record<string, string>>;
  };
  readonly chapters?: readonly {
    readonly start_time: string;
    readonly end_time: string;
    readonly tags?: Readonly<Record<string, string>>;
  }[];
}

function extras(stream: Readonly<Record<string, unknown>>): Omit<ClipStream, keyof ProbedStream> {
  const text = (key: string): string | undefined => {
    const value = stream[key];
    return typeof value === 'string' && value !== 'unknown' && value !== 'N/A' ? value : undefined;
  };
  const { start_pts: start, duration_ts: duration } = stream;
  return {
    profile: text('profile'),
    codecTag: text('codec_tag_string') ?? '',
    frameRate: readRatio(text('r_frame_rate')),
    averageRate: readRatio(text('avg_frame_rate')),
    sampleAspectRatio: text('sample_aspect_ratio'),
    endPts: typeof start === 'number' && typeof duration === 'number' ? start + duration : undefined,
  };
}

/** Runs ffprobe on a file. What it cannot open it names on standard error, in its last line. */
function run(ffprobe: string, path: string, words: readonly string[], signal?: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(ffprobe, ['-v', 'error', ...words, '-i', path], {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(signal === undefined ? {} : { signal }),
    });
    const out: Buffer[] = [];
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-2000);
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) {
        resolve(Buffer.concat(out).toString());
        return;
      }
      const reason = said.trim().split('\n').at(-1)?.replace(`${path}: `, '') ?? '';
      reject(
        new MambairError(
          'MAMBAIR_VIDEO_MALFORMED',
          `${path}: expected a video that ffprobe can open; it says: ${reason}`,
          {
            detail: { file: path },
          },
        ),
      );
    });
  });
}

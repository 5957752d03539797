import { MambairError } from '../../core/index.js';
import type { FileGroup } from './command-line.js';
import { bareName } from './ffmpeg-options.js';
import type { FfmpegVersion } from './ffmpeg-version.js';

/** A positive fraction, e.g. a time base in seconds. */
export interface Ratio {
  readonly num: number;
  readonly den: number;
}

/** Kinds of stream, as ffprobe names them. */
export type StreamKind = 'video' | 'audio' | 'subtitle' | 'data' | 'attachment';

/** One piece of side data as ffprobe prints it: `side_data_type` and its numbers. */
export type SideData = Readonly<Record<string, unknown>>;

/** One stream of a file as ffprobe describes it. */
export interface ProbedStream {
  readonly index: number;
  readonly kind: StreamKind;
  readonly codec: string;
  /** ffmpeg's name, e.g. `yuv420p`; undefined for streams without a picture. */
  readonly pixelFormat: string | undefined;
  /** As ffprobe prints it, e.g. `0x100`; undefined where the container has none. */
  readonly id: string | undefined;
  readonly timeBase: Ratio | undefined;
  /** Time of its first packet; undefined where it is not known. */
  readonly startSeconds: number | undefined;
  /** ffprobe's names: `progressive`, `tt`, `bb`, `tb`, `bt`; undefined where it does not say. */
  readonly fieldOrder: string | undefined;
  /** Pixels; 0 for streams without a picture. */
  readonly width: number;
  readonly height: number;
  /** 0 for streams without sound. */
  readonly channels: number;
  /** Names of the flags that are set, e.g. `default`, `attached_pic`. */
  readonly disposition: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  /** ffprobe's names; undefined where the stream has no tag. */
  readonly colour: {
    readonly range: string | undefined;
    readonly space: string | undefined;
    readonly transfer: string | undefined;
    readonly primaries: string | undefined;
    readonly chromaLocation: string | undefined;
  };
  /** Of the stream as a whole; its frames may have some of their own. */
  readonly sideData: readonly SideData[];
}

/** What the splitter needs to know of an input. */
export interface ProbedInput {
  readonly streams: readonly ProbedStream[];
  readonly chapters: number;
  /** The demuxer: `mpegts`, `mov,mp4,m4a,3gp,3g2,mj2`; empty where it is not known. */
  readonly format: string;
  /** Where its times begin. */
  readonly startSeconds: number | undefined;
  readonly durationSeconds: number | undefined;
}

/** Options of an input that ffprobe needs too, to open it at all. */
const openingOptions = new Set(
  `f framerate video_size pixel_format sample_rate ar ac channels ch_layout start_number pattern_type loop safe
  protocol_whitelist allowed_extensions user_agent headers cookies probesize analyzeduration`.split(/\s+/),
);

/** The arguments of ffprobe that describe an input for {@link readProbe}. */
export function probeArguments(input: FileGroup): readonly string[] {
  return [
    ...['-v', 'error', '-of', 'json', '-show_streams', '-show_format', '-show_chapters'],
    ...openingWords(input),
    ...['-i', input.url],
  ];
}

/** The options of an input without which it cannot be opened, or is opened as something else. */
export function openingWords({ options }: FileGroup): readonly string[] {
  return options.filter(({ name }) => openingOptions.has(bareName(name))).flatMap(({ words }) => words);
}

/** Reads what ffprobe printed for {@link probeArguments}. @throws MAMBAIR_FILE_READ when that is no such description */
export function readProbe(json: string): ProbedInput {
  let described: unknown;
  try {
    described = JSON.parse(json);
  } catch (cause) {
    throw new MambairError('MAMBAIR_FILE_READ', 'ffprobe should print JSON, but did not; is it a working ffprobe?', {
      cause,
    });
  }
  const { streams, chapters, format } = asRecord(described);
  const { format_name: formatName, start_time: start, duration } = asRecord(format);
  if (!Array.isArray(streams)) {
    throw new MambairError(
      'MAMBAIR_FILE_READ',
      'ffprobe should print a list of streams, but did not; is it a file it can read?',
    );
  }
  return {
    streams: streams.map((stream, index) => readStream(asRecord(stream), index)),
    chapters: Array.isArray(chapters) ? chapters.length : 0,
    format: typeof formatName === 'string' ? formatName : '',
    startSeconds: readSeconds(start),
    durationSeconds: readSeconds(duration),
  };
}

function readStream(stream: Readonly<Record<string, unknown>>, index: number): ProbedStream {
  const text = (key: string): string | undefined => {
    const value = stream[key];
    return typeof value === 'string' ? value : undefined;
  };
  const count = (key: string): number => {
    const value = stream[key];
    return typeof value === 'number' && value > 0 ? value : 0;
  };
  const kind = text('codec_type');
  const sideData = stream['side_data_list'];
  return {
    index,
    kind: kind === 'video' || kind === 'audio' || kind === 'subtitle' || kind === 'attachment' ? kind : 'data',
    codec: text('codec_name') ?? 'unknown',
    pixelFormat: text('pix_fmt'),
    id: text('id'),
    timeBase: readRatio(text('time_base')),
    startSeconds: readSeconds(stream['start_time']),
    fieldOrder: text('field_order'),
    width: count('width'),
    height: count('height'),
    channels: count('channels'),
    disposition: Object.entries(asRecord(stream['disposition']))
      .filter(([, isSet]) => isSet === 1)
      .map(([name]) => name),
    tags: Object.fromEntries(Object.entries(asRecord(stream['tags'])).map(([key, value]) => [key, String(value)])),
    colour: {
      range: text('color_range'),
      space: text('color_space'),
      transfer: text('color_transfer'),
      primaries: text('color_primaries'),
      chromaLocation: text('chroma_location'),
    },
    sideData: Array.isArray(sideData) ? sideData.map(asRecord) : [],
  };
}

/** Reads `1/24000`, `25` or `23.976`; undefined for anything that is not a positive number. */
export function readRatio(text: string | undefined): Ratio | undefined {
  const [, whole, fraction, below] = /^(\d{1,15})(?:\.(\d{1,6}))?(?:[/:](\d{1,15}))?$/.exec(text ?? '') ?? [];
  if (whole === undefined || (fraction !== undefined && below !== undefined)) {
    return undefined;
  }
  const num = Number(whole + (fraction ?? ''));
  const den = below === undefined ? 10 ** (fraction?.length ?? 0) : Number(below);
  return num > 0 && den > 0 && Number.isSafeInteger(num) ? { num, den } : undefined;
}

function readSeconds(value: unknown): number | undefined {
  return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : undefined;
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

/** Values of ffprobe that say nothing. */
const untold = new Set(['unknown', 'unspecified', 'reserved']);

/** True for a pixel format of RGB, by ffmpeg's name. */
export function isRgb(pixelFormat: string): boolean {
  return /^(0|a|x2)?(rgb|bgr|gbr)|^pal8$/.test(pixelFormat);
}

/** What the codes of pictures mean: of a stream, or of frames that have come through filters. */
export type PictureFacts = Pick<ProbedStream, 'colour' | 'pixelFormat'>;

/**
 * Arguments of the filter `setparams` that give frames the colour tags of their source, which the pipe does not carry. An
 * absent tag stays absent. Tags of frames, and not options of the output, because the encoder may get another pixel format:
 * ffmpeg then converts by them, and tells the encoder what it has made. Since it negotiates colour, they hold the place of
 * chroma; and it knows the range and the matrix of RGB, which it would else keep for YUV that is made of it.
 */
export function setparamsWords(
  { colour, pixelFormat }: PictureFacts,
  { hasNegotiatedColour }: Pick<FfmpegVersion, 'hasNegotiatedColour'> = { hasNegotiatedColour: false },
): readonly string[] {
  const { range, space, transfer, primaries, chromaLocation } = colour;
  const isKnown = hasNegotiatedColour && isRgb(pixelFormat ?? '');
  return [
    ['range', isKnown ? undefined : range],
    ['colorspace', isKnown ? undefined : space],
    ['color_trc', transfer],
    ['color_primaries', primaries],
    ['chroma_location', hasNegotiatedColour ? chromaLocation : undefined],
  ].flatMap(([key, value]) => (value === undefined || untold.has(value) ? [] : [`${key}=${value}`]));
}

/**
 * The output option that gives the n-th video stream of an output the place of chroma, which no filter tells before ffmpeg 7.1.
 * @param given the options that the command has for that stream, by their names: what it says holds
 */
export function chromaWords(
  { colour }: PictureFacts,
  n: number,
  given?: ReadonlyMap<string, string>,
): readonly string[] {
  const { chromaLocation: place } = colour;
  const isTold = place !== undefined && !untold.has(place) && given?.has('chroma_sample_location') !== true;
  return isTold ? [`-chroma_sample_location:v:${n}`, place] : [];
}

/** Names of transfer curves that ffmpeg's options spell otherwise than ffprobe. */
const transferNames: Readonly<Record<string, string>> = { bt470m: 'gamma22', bt470bg: 'gamma28' };

/** True when an option of the command names a transfer curve or primaries that are not the source's. */
export function saysOtherLight({ colour }: PictureFacts, given: ReadonlyMap<string, string>): boolean {
  const { transfer = 'unknown', primaries = 'unknown' } = colour;
  const isOther = (option: string, tag: string, spelled = tag): boolean => {
    const said = given.get(option);
    return said !== undefined && !untold.has(tag) && said !== tag && said !== spelled;
  };
  return isOther('color_trc', transfer, transferNames[transfer]) || isOther('color_primaries', primaries);
}

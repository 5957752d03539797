import { MambairError } from '../../core/index.js';
import { rawWords, timeBaseWords } from '../command/half.js';
import type { FfmpegVersion } from '../command/ffmpeg-version.js';
import {
  hdrNumbers,
  hdrOption,
  hdrOptionOf,
  isForContainer,
  saysHdr,
  staticHdr,
  type EncoderOption,
} from '../command/hdr-options.js';
import { isRgb, saysOtherLight, setparamsWords, type Ratio } from '../command/probed-input.js';
import type { VideoHeader } from '../transport/video-stream.js';
import { fitsMatroska, type HdrNumbers } from '../transport/write-matroska.js';
import { familyOfFormat, streamFate, type Container, type StreamFate } from './container.js';
import type { EncoderChoice } from './encoders.js';
import type { ClipHeader, ClipPictures, ClipStream } from './probe-clip.js';
import { sourceFormat } from './source-format.js';

/** A part of a clip, in seconds from its start. */
export interface ClipPart {
  readonly start: number;
  /** Undefined: to the end. */
  readonly end: number | undefined;
}

/** What the decoding of a clip is planned from. */
export interface DecodePlanInput {
  readonly header: ClipHeader;
  readonly stream: ClipStream;
  readonly pictures: ClipPictures;
  /** Undefined: the whole clip, every time as it was. */
  readonly part: ClipPart | undefined;
  readonly deinterlace: boolean;
  /** True when frames go through ffmpeg upright, because the container cannot say how to turn them. */
  readonly turnsUpright: boolean;
}

/** What the encoding of a clip is planned from. */
export interface EncodePlanInput extends DecodePlanInput {
  readonly container: Container;
  readonly encoder: EncoderChoice;
  /** ffmpeg's name of the format that the frames come in. */
  readonly frameFormat: string;
  readonly ffmpegVersion: Pick<FfmpegVersion, 'hasNegotiatedColour' | 'writesEncoderTagFirst'>;
  /** HDR10's static data that the frames come with, in Matroska; undefined: they come in NUT. */
  readonly hdr?: HdrNumbers | undefined;
  /** Options of the user for the encoder. */
  readonly encoderOptions: readonly EncoderOption[];
}

/** A stream of the output beside the video. */
export interface KeptStream {
  readonly source: ClipStream;
  readonly fate: StreamFate;
  /** Its number in the output; undefined for one that has no place there. */
  readonly index: number | undefined;
}

/** The second of the two ffmpeg commands that a clip goes through, without the program's name. */
export interface EncodePlan {
  /**
   * The encoding command: frames come on standard input, everything else from the clip itself.
   * `firstSeconds` is the time of the first frame in the stream of frames, needed where a part is cut out;
   * `trial` reads no more than the beginning of the clip.
   */
  readonly encode: (
    output: string,
    options?: { readonly firstSeconds?: number; readonly trial?: boolean },
  ) => readonly string[];
  readonly streams: readonly KeptStream[];
  /** The video's number among the output's streams. */
  readonly videoIndex: number;
}

const quiet = ['-hide_banner', '-nostdin', '-nostats', '-v', 'error'] as const;

/** Encoders that refuse time bases other than one tick a frame. */
const ownClock = /^(mpeg[124]|mpeg[12]video|mjpeg|msmpeg4|wmv|h26[13]|libxvid|gif)/;

/** Plans what makes the output of restored frames and of everything else in the clip. */
export function planEncode(input: EncodePlanInput): EncodePlan {
  const { header, stream, container, part } = input;
  const streams = keptStreams(input);
  const video = streams.find(({ source }) => source === stream);
  const videoIndex = video?.index ?? 0;
  const encode: EncodePlan['encode'] = (output, options = {}) => [
    ...quiet,
    '-y',
    ...(part === undefined ? ['-copyts'] : []),
    ...pipeWords(input, options.firstSeconds),
    ...(part === undefined ? (options.trial === true ? ['-t', '0.1'] : []) : partWords(part)),
    ...['-i', header.path],
    ...streams.flatMap(({ source, index }) =>
      index === undefined ? [] : ['-map', source === stream ? '0:v:0' : `1:${source.index}`],
    ),
    ...metadataWords(input, streams),
    ...codecWords(input, streams),
    ...container.words,
    // Packets from before the part, which a seek brings along.
    ...(part === undefined ? [] : ['a', 's', 'd'].flatMap((kind) => [`-copypriorss:${kind}`, '0'])),
    // Until ffmpeg 6.1 these were on trial in mp4.
    ...(streams.some(({ source, fate }) => fate.keep === 'copy' && /^(flac|truehd)$/.test(source.codec)) &&
    container.family === 'mp4'
      ? ['-strict', '-2']
      : []),
    output,
  ];
  return { encode, streams, videoIndex };
}

/** Every stream in the order of the source, with what becomes of it. */
function keptStreams({ header, stream, container }: EncodePlanInput): readonly KeptStream[] {
  const family = familyOfFormat(header.formatName);
  let next = 0;
  return header.streams.map((source) => {
    const isCover = source.disposition.includes('attached_pic');
    const fate: StreamFate =
      source === stream
        ? { keep: 'copy' }
        : streamFate({ kind: source.kind, codec: source.codec, codecTag: source.codecTag, isCover }, container, family);
    const isThere = fate.keep === 'copy' || fate.keep === 'convert';
    next += isThere ? 1 : 0;
    return { source, fate, index: isThere ? next - 1 : undefined };
  });
}

/**
 * The ffmpeg command that decodes a clip's frames, without the program's name.
 * @throws MAMBAIR_VIDEO_UNSUPPORTED for pixel formats that frames cannot be handed over in
 */
export function decodeWords(input: DecodePlanInput): readonly string[] {
  const { header, stream, part, deinterlace, turnsUpright } = input;
  const { decoder, convertTo } = sourceFormat(stream, input.pictures.pixelFormat);
  const shiftSeconds = secondsBeforeZero(input);
  const filters = deinterlace ? ['bwdif=mode=send_frame:deint=all'] : [];
  return [
    ...quiet,
    '-copyts',
    ...(part === undefined ? [] : partWords(part)),
    ...(turnsUpright ? [] : ['-noautorotate']),
    ...(decoder === undefined ? [] : ['-c:v', decoder]),
    ...['-i', header.path, '-map', `0:${stream.index}`],
    ...(filters.length === 0 ? [] : ['-vf', filters.join(',')]),
    ...(convertTo === undefined ? [] : ['-pix_fmt', convertTo]),
    ...(shiftSeconds === 0 ? [] : ['-output_ts_offset', String(shiftSeconds)]),
    ...rawWords(stream.timeBase),
  ];
}

/** Seconds that are added to every time in the stream of frames, because it cannot hold negative ones. */
function secondsBeforeZero({ stream, pictures, part }: DecodePlanInput): number {
  const first = pictures.firstPts ?? 0;
  return first < 0 && part === undefined ? Math.ceil(secondsOf(-first, stream.timeBase)) + 1 : 0;
}

const partWords = ({ start, end }: ClipPart): readonly string[] => [
  ...(start > 0 ? ['-ss', String(start)] : []),
  // A length and not `-to`, which ffmpeg counts from the file's own start when it keeps times.
  ...(end === undefined ? [] : ['-t', String(Number((end - start).toFixed(6)))]),
];

/**
 * The stream of frames as the first input. Of a part, times begin at zero as they do in everything that is copied; the
 * frames, which have kept their times, are moved by as much.
 */
function pipeWords(input: EncodePlanInput, firstSeconds: number | undefined): readonly string[] {
  const { header, part } = input;
  const offset = part === undefined ? -secondsBeforeZero(input) : (firstSeconds ?? 0) - header.startTime - part.start;
  const format = input.hdr === undefined ? 'nut' : 'matroska';
  return [...(offset === 0 ? [] : ['-itsoffset', offset.toFixed(6)]), '-f', format, '-i', 'pipe:0'];
}

/** Tags of the film, chapters, tags and flags of every stream, and nothing that the pipe says. */
function metadataWords({ stream, ffmpegVersion }: EncodePlanInput, streams: readonly KeptStream[]): readonly string[] {
  const kept = streams.flatMap(({ source, index }) => (index === undefined ? [] : [{ source, index }]));
  return [
    ...['-map_metadata', '1', '-map_chapters', '1'],
    // One such word turns ffmpeg's own copying off for all streams, so it is given for all.
    ...kept.flatMap(({ source, index }) => [`-map_metadata:s:${index}`, `1:s:${source.index}`]),
    // These tell of the stream as it was.
    ...kept.flatMap(({ source, index }) =>
      source === stream
        ? Object.keys(source.tags)
            .filter((tag) => /^(encoder|BPS|DURATION|NUMBER_OF_\w+|_STATISTICS_\w+)(-\w+)?$/i.test(tag))
            .filter((tag) => !(ffmpegVersion.writesEncoderTagFirst && /^encoder$/i.test(tag)))
            .flatMap((tag) => [`-metadata:s:${index}`, `${tag}=`])
        : [],
    ),
    ...kept.flatMap(({ source, index }) =>
      source.kind === 'attachment'
        ? []
        : [`-disposition:${index}`, source.disposition.length === 0 ? '0' : source.disposition.join('+')],
    ),
  ];
}

function codecWords(input: EncodePlanInput, streams: readonly KeptStream[]): readonly string[] {
  const { stream, pictures, container, encoder, encoderOptions, part, deinterlace } = input;
  const kept = streams.filter(({ index }) => index !== undefined);
  const rank = kept.filter(({ source }) => source.kind === 'video').findIndex(({ source }) => source === stream);
  const at = `:v:${rank}`;
  const options = mergeOptions([...encoder.options, ...hdrOptions(input), ...fieldOptions(input), ...encoderOptions]);
  const { timeBase, filters } = clock(input);
  const parameters = frameTags(input);
  const ticks = input.hdr === undefined ? undefined : stream.timeBase;
  const frameFilters = [
    // Matroska has rounded their times.
    ...(ticks === undefined ? [] : [`settb=${ticks.num}/${ticks.den}`]),
    ...(parameters.length === 0 ? [] : [`setparams=${parameters.join(':')}`]),
    ...(isInterlaced(input) && !deinterlace ? [`setfield=${pictures.topFieldFirst ? 'tff' : 'bff'}`] : []),
  ];
  return [
    ...['-c', 'copy'],
    ...kept.flatMap(({ fate, index }) => (fate.keep === 'convert' ? [`-c:${index}`, fate.codec] : [])),
    ...[`-c${at}`, encoder.encoder],
    ...(encoder.pixelFormat === input.frameFormat ? [] : [`-pix_fmt${at}`, encoder.pixelFormat]),
    ...options.flatMap(([name, value]) => [`-${name}${at}`, value]),
    ...(encoder.encoder === 'libx265' && container.holdsOrientation ? [`-tag${at}`, 'hvc1'] : []),
    ...(frameFilters.length === 0 ? [] : [`-filter${at}`, frameFilters.join(',')]),
    ...colourWords(input, at),
    ...timeBaseWords(timeBase),
    ...(filters.length === 0 ? [] : [`-bsf${at}`, filters.join(',')]),
    ...(container.holdsOrientation && part === undefined ? trackClock(kept) : []),
  ];
}

/** One option sets the clock of all video tracks, so it gets ticks that those of each are a multiple of. */
function trackClock(kept: readonly KeptStream[]): readonly string[] {
  const clocks = kept
    .filter(({ source }) => source.kind === 'video' && !source.disposition.includes('attached_pic'))
    .map(({ source }) => source.timeBase?.den ?? 1);
  const common = clocks.reduce((one, other) => (one / divisor(one, other)) * other, 1);
  return common < 2 ** 31 ? ['-video_track_timescale', String(common)] : [];
}

const divisor = (one: number, other: number): number => (other === 0 ? one : divisor(other, one % other));

/** True for pictures that are woven of two fields. */
export function isInterlaced({ stream, pictures }: Pick<DecodePlanInput, 'stream' | 'pictures'>): boolean {
  return /^(tt|bb|tb|bt)$/.test(stream.fieldOrder ?? '') || pictures.interlaced;
}

/**
 * What HDR10 says of the film, where frames are to go to the encoder in Matroska for it to reach the output's container.
 * Undefined where it needs not, where the user says something else, or where the frames' times or rate would not come through.
 */
export function hdrOfFrames(
  { stream, pictures }: Pick<DecodePlanInput, 'stream' | 'pictures'>,
  {
    frames,
    encoder,
    encoderOptions,
  }: {
    readonly frames: VideoHeader;
    readonly encoder: string;
    readonly encoderOptions: readonly EncoderOption[];
  },
): HdrNumbers | undefined {
  const given = new Map(mergeOptions(encoderOptions));
  const isUsers = saysOtherLight(stream, given) || saysHdr(encoder, given.get(hdrOptionOf(encoder) ?? ''));
  const hdr = staticHdr([...pictures.sideData, ...stream.sideData]);
  const isCarried = isForContainer(hdr, stream.sideData, encoder) && fitsMatroska(frames);
  return isUsers || stream.timeBase === undefined || !isCarried ? undefined : hdrNumbers(hdr);
}

/** What HDR10 says of the film, as far as the user's own parameters do not. */
function hdrOptions({
  stream,
  pictures,
  encoder: { encoder },
  encoderOptions,
}: EncodePlanInput): readonly EncoderOption[] {
  const [, given] = mergeOptions(encoderOptions).find(([name]) => name === hdrOptionOf(encoder)) ?? [];
  const hdr = staticHdr([...pictures.sideData, ...stream.sideData]);
  const option = hdrOption(encoder, hdr, { chromaLocation: stream.colour.chromaLocation, given });
  return option === undefined ? [] : [option];
}

/** Fields that stay fields. */
function fieldOptions(input: EncodePlanInput): readonly EncoderOption[] {
  if (!isInterlaced(input) || input.deinterlace) {
    return [];
  }
  const { encoder } = input.encoder;
  const order = input.stream.fieldOrder;
  return [
    ['flags', '+ilme+ildct'],
    ...(encoder === 'prores_ks' && order !== undefined ? [['field_order', order] as const] : []),
    ...(encoder === 'libx264' && input.pictures.topFieldFirst ? [['x264-params', 'tff=1'] as const] : []),
  ];
}

/** The last of each name holds; lists of parameters of one name are joined. */
function mergeOptions(options: readonly EncoderOption[]): readonly EncoderOption[] {
  const merged = new Map<string, string>();
  for (const [name, value] of options) {
    const before = merged.get(name);
    merged.set(name, before !== undefined && name.endsWith('-params') ? `${before}:${value}` : value);
  }
  return [...merged];
}

/** True where ffmpeg makes RGB of the frames on their way to the encoder: by their tags, which the stream of frames lacks. */
function becomesRgb({ stream, encoder }: EncodePlanInput): boolean {
  return !isRgb(stream.pixelFormat ?? '') && isRgb(encoder.pixelFormat);
}

/** Names of ffmpeg's options that ffprobe spells otherwise. */
const optionNames: Readonly<Record<string, string>> = { bt470m: 'gamma22', bt470bg: 'gamma28', gbr: 'rgb' };

/** The colour tags of the source that the frames are given, because ffmpeg converts by them, or asks nothing else. */
function frameTags(input: EncodePlanInput): readonly string[] {
  const { stream, ffmpegVersion } = input;
  if (ffmpegVersion.hasNegotiatedColour) {
    return setparamsWords(stream, ffmpegVersion);
  }
  return becomesRgb(input) ? setparamsWords(stream) : [];
}

/** The colour tags of the source, which the stream of frames does not carry. An absent tag stays absent. */
function colourWords(input: EncodePlanInput, at: string): readonly string[] {
  const { stream, encoder, ffmpegVersion } = input;
  if (ffmpegVersion.hasNegotiatedColour) {
    // There frames have them; ffmpeg would convert from what is not told to what options name.
    return [];
  }
  const { range, space, transfer, primaries, chromaLocation } = stream.colour;
  // Range and matrix of RGB are not those of the YUV that an encoder makes of it, nor the other way round.
  const isOther = becomesRgb(input) || (isRgb(stream.pixelFormat ?? '') && !isRgb(encoder.pixelFormat));
  const tags = [
    ['-color_range', isOther ? undefined : range],
    ['-colorspace', isOther ? undefined : space === 'gbr' ? 'rgb' : space],
    ['-color_trc', optionNames[transfer ?? ''] ?? transfer],
    ['-color_primaries', primaries],
    ['-chroma_sample_location', isOther ? undefined : chromaLocation],
  ] as const;
  return tags.flatMap(([name, value]) =>
    value === undefined || /^(unknown|unspecified|reserved|N\/A)$/.test(value) ? [] : [`${name}${at}`, value],
  );
}

/** The encoder's ticks, undefined for one a frame; and what is mended on its packets. */
function clock({ stream, pictures, container, encoder, part }: EncodePlanInput): {
  readonly timeBase: Ratio | undefined;
  readonly filters: readonly string[];
} {
  const { timeBase, frameRate } = stream;
  const hasOwnClock = ownClock.test(encoder.encoder) || container.family === 'avi' || container.family === 'gif';
  const { last } = pictures;
  const endsOnGrid =
    last !== undefined &&
    timeBase !== undefined &&
    frameRate !== undefined &&
    last.duration * timeBase.num * frameRate.num === timeBase.den * frameRate.den;
  if (hasOwnClock || timeBase === undefined || (pictures.isOnGrid && endsOnGrid && part === undefined)) {
    return { timeBase: undefined, filters: [] };
  }
  const filters: string[] = [];
  // With the source's ticks the stream's header would promise as many frames a second; some players believe it.
  if (encoder.encoder === 'libx264' && frameRate !== undefined && isNear(frameRate, stream.averageRate)) {
    filters.push(`h264_metadata=tick_rate=${2 * frameRate.num}/${frameRate.den}`);
  }
  // A raw stream has no durations, and the last frame's cannot be told from the next time.
  if (container.holdsOrientation && part === undefined && last !== undefined && last.duration > 0) {
    filters.push(`setts=pts=PTS:dts=DTS:duration=if(eq(PTS\\,${last.pts})\\,${last.duration}\\,DURATION)`);
  }
  return { timeBase, filters };
}

function isNear(rate: Ratio, average: Ratio | undefined): boolean {
  const ratio = average === undefined ? Number.NaN : (rate.num * average.den) / (rate.den * average.num);
  return ratio > 0.98 && ratio < 1.02;
}

const secondsOf = (ticks: number, timeBase: Ratio | undefined): number =>
  timeBase === undefined ? 0 : (ticks * timeBase.num) / timeBase.den;

/** Says that fields cannot be enlarged as they are. */
export function fieldsRefused(path: string): MambairError {
  return new MambairError(
    'MAMBAIR_VIDEO_UNSUPPORTED',
    `${path}: expected whole frames, got interlaced ones, whose two fields show different moments; ` +
      'a network makes their combs worse: deinterlace the clip on the way (--deinterlace)',
    { detail: { file: path } },
  );
}

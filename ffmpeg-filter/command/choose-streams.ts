import type { ProbedInput, ProbedStream, StreamKind } from './probed-input.js';

/** A stream of an input, named by the number of the input and the stream's place in it. */
export interface ChosenStream {
  readonly input: number;
  readonly stream: ProbedStream;
}

const letters: Readonly<Record<string, StreamKind>> = {
  v: 'video',
  V: 'video',
  a: 'audio',
  s: 'subtitle',
  d: 'data',
  t: 'attachment',
};

/** True for a cover picture: a video stream of one frame that belongs to the file. */
export function isCover(stream: ProbedStream): boolean {
  return stream.disposition.includes('attached_pic');
}

/**
 * The streams that a stream specifier (`''`, `0`, `v`, `a:1`, `m:language:eng`, `i:0x101`, …) means, in the order of
 * the file; undefined for specifiers that need more than ffprobe's list of streams (programs, groups).
 */
export function matchSpecifier(
  specifier: string,
  streams: readonly ProbedStream[],
): readonly ProbedStream[] | undefined {
  if (specifier === '' || specifier === 'u') {
    return streams;
  }
  if (/^\d+$/.test(specifier)) {
    return streams.slice(Number(specifier), Number(specifier) + 1);
  }
  const [, letter, rest] = /^([vVasdt])(?::(.*))?$/s.exec(specifier) ?? [];
  if (letter !== undefined) {
    const ofKind = streams.filter((stream) => stream.kind === letters[letter] && !(letter === 'V' && isCover(stream)));
    return matchSpecifier(rest ?? '', ofKind);
  }
  const [, key, value] = /^m:([^:]+)(?::(.*))?$/s.exec(specifier) ?? [];
  if (key !== undefined) {
    return streams.filter(({ tags }) => tags[key] !== undefined && (value === undefined || tags[key] === value));
  }
  const [, id] = /^(?:#|i:)(0x[\da-f]+|\d+)$/i.exec(specifier) ?? [];
  return id === undefined ? undefined : streams.filter((stream) => Number(stream.id) === Number(id));
}

/** What an output file can hold, as far as ffmpeg's own choice of streams asks. */
export interface Container {
  readonly video: 'yes' | 'no' | 'covers';
  readonly audio: boolean;
  /** Kinds of subtitle that its default subtitle encoder takes. */
  readonly subtitle: 'no' | 'text';
  /** False for the mp4 family, which keeps few tags of a stream and has no dispositions to speak of. */
  readonly keepsStreamTags: boolean;
}

const list = (names: string): ReadonlySet<string> => new Set(names.split(' '));
const mp4Family = list('mp4 mov m4v 3gp 3g2 m4a m4b ismv ipod psp f4v mj2');
const withText = list('mkv matroska webm mks');
const audioOnly = list('wav aac adts ac3 eac3 opus oga spx amr w64 m4a m4b ipod dts thd caf mp2 voc au');
const audioWithCover = list('mp3 flac aiff aif');
const pictureOnly = list(
  'gif apng webp png jpg jpeg jxl bmp tif tiff exr dpx ppm pgm pam tga jp2 j2k image2 image2pipe y4m yuv4mpegpipe ' +
    'rawvideo yuv h264 264 hevc 265 h265 ivf obu mjpeg mjpg m1v m2v',
);

/** What an output's format goes by: `-f`, or else the address's extension. */
export function formatName(url: string, format: string | undefined): string {
  return (format ?? /\.([^./\\]+)$/.exec(url)?.[1] ?? '').toLowerCase();
}

/** What a container can hold, from `-f` or else the address's extension. Unknown ones hold picture and sound. */
export function containerOf(url: string, format: string | undefined): Container {
  const name = formatName(url, format);
  return {
    video: audioOnly.has(name) ? 'no' : audioWithCover.has(name) ? 'covers' : 'yes',
    audio: !pictureOnly.has(name),
    subtitle: withText.has(name) ? 'text' : 'no',
    keepsStreamTags: !mp4Family.has(name),
  };
}

/** Kinds of stream that an output wants none of (`-vn`, `-an`, `-sn`), and whether it names a subtitle encoder. */
export interface Wishes {
  readonly container: Container;
  readonly video: boolean;
  readonly audio: boolean;
  readonly subtitle: boolean;
  readonly hasSubtitleEncoder: boolean;
}

/** Subtitles that are pictures: a text encoder cannot take them. */
const bitmapSubtitles = list('dvd_subtitle dvb_subtitle hdmv_pgs_subtitle xsub');

/**
 * The streams that ffmpeg takes for an output without `-map`: the largest video, the audio with most channels, the
 * first subtitle that fits (fftools of 5.1, `open_output_file`). In the order in which they are written.
 */
export function chooseStreams(inputs: readonly (ProbedInput | undefined)[], wishes: Wishes): readonly ChosenStream[] {
  const all = inputs.flatMap((probed, input) => (probed?.streams ?? []).map((stream) => ({ input, stream })));
  const { container } = wishes;
  const wantsCover = container.video === 'covers';
  const best = (kind: StreamKind, size: (stream: ProbedStream) => number): readonly ChosenStream[] => {
    const score = ({ stream }: ChosenStream): number =>
      isCover(stream) && !wantsCover ? 1 : size(stream) + (stream.disposition.includes('default') ? 5_000_000 : 0);
    const candidates = all.filter(
      ({ stream }) => stream.kind === kind && (!wantsCover || kind !== 'video' || isCover(stream)),
    );
    const most = Math.max(...candidates.map(score));
    return candidates.filter((candidate) => score(candidate) === most).slice(0, 1);
  };
  const isFitting = ({ stream }: ChosenStream): boolean =>
    stream.kind === 'subtitle' &&
    (wishes.hasSubtitleEncoder || (container.subtitle === 'text' && !bitmapSubtitles.has(stream.codec)));
  const video = container.video === 'no' ? [] : best('video', ({ width, height }) => width * height);
  return [
    ...(wishes.video ? video : []),
    ...(wishes.audio && container.audio ? best('audio', ({ channels }) => channels) : []),
    ...(wishes.subtitle ? all.filter(isFitting).slice(0, 1) : []),
  ];
}

import { MambairError, pixelFormats } from '../../core/index.js';
import type { PixelFormat } from '../../core/index.js';
import type { Container, ContainerFamily } from './container.js';

/** An encoder, and the pixel format that it is given. */
export interface EncoderChoice {
  readonly encoder: string;
  readonly pixelFormat: string;
  /** Options as name and value, without dash and specifier. */
  readonly options: readonly (readonly [name: string, value: string])[];
  /** What it takes away from the pictures beside its own losses; undefined when nothing. */
  readonly loss?: string;
}

/** Says which pixel formats an encoder of the ffmpeg at hand takes; undefined when it has no such encoder. */
export type EncoderFormats = (encoder: string) => Promise<readonly string[] | undefined>;

/** Names that people use for codecs. */
const aliases: Readonly<Record<string, readonly string[]>> = {
  h264: ['libx264', 'libx264rgb'],
  x264: ['libx264', 'libx264rgb'],
  avc: ['libx264', 'libx264rgb'],
  h265: ['libx265'],
  hevc: ['libx265'],
  x265: ['libx265'],
  vp9: ['libvpx-vp9'],
  vp8: ['libvpx'],
  av1: ['libsvtav1', 'libaom-av1'],
  prores: ['prores_ks'],
  mpeg2: ['mpeg2video'],
};

/** In order of preference; the first that keeps the pictures' depth, chroma and alpha is taken. */
const byContainer: Readonly<Record<ContainerFamily, readonly string[]>> = {
  matroska: ['libx264', 'libx265', 'libx264rgb', 'ffv1'],
  webm: ['libvpx-vp9', 'libaom-av1'],
  mp4: ['libx264', 'libx265', 'libx264rgb', 'libvpx-vp9', 'libaom-av1'],
  mov: ['libx264', 'libx265', 'prores_ks', 'png', 'qtrle', 'ffv1'],
  ts: ['libx264', 'libx265', 'mpeg2video'],
  avi: ['libx264', 'ffv1', 'utvideo'],
  nut: ['ffv1'],
  gif: ['gif'],
  other: ['libx264', 'libx265', 'ffv1'],
};

/** Those of them, or beside them, that take HDR10's static data. */
const forHdr: Readonly<Partial<Record<ContainerFamily, string>>> = {
  matroska: 'libx265',
  webm: 'libsvtav1',
  mp4: 'libx265',
  mov: 'libx265',
  ts: 'libx265',
};

/** Quality where the user says none: pictures that are not told from the original by eye. */
const crf: Readonly<Record<string, { readonly value: number; readonly most: number }>> = {
  libx264: { value: 18, most: 51 },
  libx264rgb: { value: 18, most: 51 },
  libx265: { value: 19, most: 51 },
  'libvpx-vp9': { value: 24, most: 63 },
  libvpx: { value: 10, most: 63 },
  libsvtav1: { value: 24, most: 63 },
  'libaom-av1': { value: 24, most: 63 },
};

/** Options that set the quality of an encoder. */
export const qualityOptions: readonly string[] = ['crf', 'qp', 'b', 'q', 'qscale', 'cq', 'global_quality', 'lossless'];

/** What {@link chooseEncoder} decides by. */
export interface EncoderWish {
  readonly container: Container;
  /** ffmpeg's name, of the frames as they come out of the network. */
  readonly pixelFormat: string;
  readonly width: number;
  readonly height: number;
  /** Codec of the source, as ffprobe names it. */
  readonly sourceCodec: string;
  readonly sourceProfile?: string | undefined;
  /** True for pictures with HDR10's static data, which few encoders take. */
  readonly hasHdr?: boolean;
  /** Encoder or codec that the user names. */
  readonly codec?: string | undefined;
  readonly crf?: number | undefined;
  /** True when the user's own options set the quality in another way. */
  readonly hasQuality?: boolean;
  /** Pixel format that the user names, and thereby agrees to. */
  readonly chosenFormat?: string | undefined;
}

/**
 * Chooses an encoder that keeps depth, chroma and alpha of the frames.
 * @throws MAMBAIR_VIDEO_UNSUPPORTED when none does; the message names what would
 * @throws MAMBAIR_OPTION_INVALID for an encoder that ffmpeg lacks, or a `crf` that does not fit
 */
export async function chooseEncoder(wish: EncoderWish, formatsOf: EncoderFormats): Promise<EncoderChoice> {
  const { container, pixelFormat } = wish;
  const staysProres = /^prores/.test(wish.sourceCodec) && container.family === 'mov';
  const preferred = staysProres ? 'prores_ks' : wish.hasHdr === true ? forHdr[container.family] : undefined;
  const candidates =
    wish.codec === undefined
      ? [...(preferred === undefined ? [] : [preferred]), ...byContainer[container.family]]
      : (aliases[wish.codec.toLowerCase()] ?? [wish.codec]);
  const taken: string[] = [];
  for (const encoder of candidates) {
    const listed = await formatsOf(encoder);
    if (listed === undefined) {
      continue;
    }
    // Alpha of VP8 and VP9 is a stream of its own, which only Matroska and WebM have a place for.
    const holdsAlpha = !encoder.startsWith('libvpx') || ['matroska', 'webm'].includes(container.family);
    const formats = holdsAlpha ? listed : listed.filter((name) => !name.startsWith('yuva'));
    const found = wish.chosenFormat ?? keepingFormat(pixelFormat, formats, staysProres && encoder === preferred);
    if (found !== undefined && (wish.chosenFormat === undefined || formats.length === 0 || formats.includes(found))) {
      return describe(encoder, found, wish);
    }
    taken.push(encoder);
  }
  if (wish.codec !== undefined && taken.length === 0) {
    throw new MambairError(
      'MAMBAIR_OPTION_INVALID',
      `codec: this ffmpeg has no encoder "${wish.codec}"; see ffmpeg -encoders`,
      {
        detail: { option: 'codec' },
      },
    );
  }
  const tried = [...new Set(taken)];
  const others = tried.length === 0 ? '' : `; ${tried.join(', ')} ${tried.length === 1 ? 'does' : 'do'} not`;
  throw new MambairError(
    'MAMBAIR_VIDEO_UNSUPPORTED',
    wish.chosenFormat === undefined
      ? `expected an encoder for ${container.extension} that keeps pictures of ${pixelFormat}${others}; ` +
          'write .mkv, which takes FFV1, or name a pixel format that may lose something (--pixel-format yuv420p)'
      : `expected an encoder for ${container.extension} that takes ${wish.chosenFormat}${others}; name another pixel format or codec`,
    { detail: { pixelFormat } },
  );
}

function describe(encoder: string, pixelFormat: string, wish: EncoderWish): EncoderChoice {
  const quality = crf[encoder];
  if (wish.crf !== undefined && (quality === undefined || wish.crf > quality.most)) {
    throw new MambairError(
      'MAMBAIR_OPTION_INVALID',
      quality === undefined
        ? `crf: ${encoder} has no such quality; leave it out, or choose another codec`
        : `crf: expected 0 to ${quality.most} for ${encoder}, got ${wish.crf}`,
      { detail: { option: 'crf' } },
    );
  }
  const options: (readonly [string, string])[] = [];
  if (quality !== undefined && (wish.crf !== undefined || wish.hasQuality !== true)) {
    options.push(['crf', String(wish.crf ?? quality.value)]);
  }
  if (encoder.startsWith('libvpx')) {
    options.push(...(options.length === 0 ? [] : [['b', '0'] as const]), ['row-mt', '1']);
  }
  if (encoder === 'ffv1') {
    options.push(...ffv1Options(wish));
  }
  if (encoder === 'prores_ks' && /^yuva?444/.test(pixelFormat)) {
    options.push(['profile', '4444']);
  } else if (encoder === 'prores_ks') {
    options.push(['profile', proresProfile(wish.sourceProfile)]);
  }
  const loss = lossOf(wish.pixelFormat, pixelFormat);
  return { encoder, pixelFormat, options, ...(loss === undefined ? {} : { loss }) };
}

/** FFV1 version 3, whose slices are coded side by side; tiny pictures have room for one. */
export function ffv1Options({
  width,
  height,
}: {
  readonly width: number;
  readonly height: number;
}): readonly (readonly [string, string])[] {
  return [['level', '3'], ...(Math.min(width, height) < 64 ? [] : [['slices', '4'] as const])];
}

/** The names that ffprobe gives to what the encoder calls otherwise. */
function proresProfile(profile: string | undefined): string {
  return { Proxy: 'proxy', LT: 'lt', Standard: 'standard', HQ: 'hq' }[profile ?? ''] ?? 'hq';
}

/** Formats that hold the same samples in another order or with padding, as ffmpeg's encoders name them. */
const bigger: Readonly<Record<string, string>> = {
  rgb48be: 'rgb48le',
  rgba64be: 'rgba64le',
  gray16be: 'gray16le',
  ya16be: 'ya16le',
};

function traits(name: string): PixelFormat | undefined {
  const plain = (bigger[name] ?? name).replace(/^yuvj/, 'yuv');
  return pixelFormats.find((format) => format.name === plain);
}

const hasAlpha = ({ planes }: PixelFormat): boolean => planes.flat().includes('a');

/**
 * The format among those of an encoder that loses nothing of a source: the same one, else another order of the same
 * samples, else a greater depth or an alpha that stays opaque.
 */
export function keepingFormat(source: string, formats: readonly string[], mayLoseDepth = false): string | undefined {
  // An encoder that lists nothing takes everything.
  if (formats.length === 0 || formats.includes(source)) {
    return source;
  }
  const wanted = traits(source);
  if (wanted === undefined) {
    return undefined;
  }
  const fits = formats.flatMap((name) => {
    const format = traits(name);
    const isSame =
      format !== undefined &&
      !name.startsWith('yuvj') &&
      format.model === wanted.model &&
      format.chromaShift.horizontal === wanted.chromaShift.horizontal &&
      format.chromaShift.vertical === wanted.chromaShift.vertical &&
      (format.depth >= wanted.depth || mayLoseDepth) &&
      (hasAlpha(format) || !hasAlpha(wanted));
    return isSame
      ? [{ name, cost: Math.abs(format.depth - wanted.depth) + (hasAlpha(format) === hasAlpha(wanted) ? 0 : 0.5) }]
      : [];
  });
  return fits.sort((one, other) => one.cost - other.cost)[0]?.name;
}

/** What becomes of frames in another format, in words. */
function lossOf(source: string, target: string): string | undefined {
  const [from, to] = [traits(source), traits(target)];
  if (from === undefined || to === undefined || source === target) {
    return undefined;
  }
  const losses = [
    ...(to.depth < from.depth ? [`${from.depth} bits become ${to.depth}`] : []),
    ...(hasAlpha(from) && !hasAlpha(to) ? ['transparency is lost'] : []),
    ...(to.model === 'gray' && from.model !== 'gray' ? ['colour is lost'] : []),
    ...(from.model === 'yuv' && to.model === 'yuv' && chromaSize(to) < chromaSize(from) ? ['chroma gets smaller'] : []),
    ...(from.model === 'rgb' && to.model === 'yuv' ? ['RGB becomes YUV'] : []),
  ];
  return losses.length === 0 ? undefined : `${source} → ${target}: ${losses.join(', ')}`;
}

const chromaSize = ({ chromaShift }: PixelFormat): number => -(chromaShift.horizontal + chromaShift.vertical);

/** Reads `ffmpeg -h encoder=NAME`; undefined when it has no such encoder. */
export function readEncoderFormats(help: string): readonly string[] | undefined {
  if (!/^Encoder /m.test(help)) {
    return undefined;
  }
  return /Supported pixel formats: (.*)/.exec(help)?.[1]?.trim().split(/\s+/) ?? [];
}

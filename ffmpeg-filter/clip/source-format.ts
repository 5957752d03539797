import { MambairError, pixelFormats } from '../../core/index.js';
import type { ClipStream } from './probe-clip.js';

/** How frames are handed over by the decoding ffmpeg. */
export interface SourceFormat {
  /** ffmpeg's name, one of those that are read here. */
  readonly pixelFormat: string;
  /** What the decoding ffmpeg must turn frames into; undefined when they are so already. */
  readonly convertTo: string | undefined;
  /** The decoder to use; undefined for ffmpeg's own choice. */
  readonly decoder: string | undefined;
}

/** The same samples in an order that is read here: nothing is lost on the way. */
const repacked: Readonly<Record<string, string>> = {
  pal8: 'bgra',
  nv12: 'yuv420p',
  nv21: 'yuv420p',
  nv16: 'yuv422p',
  nv24: 'yuv444p',
  nv42: 'yuv444p',
  yuyv422: 'yuv422p',
  uyvy422: 'yuv422p',
  yvyu422: 'yuv422p',
  uyyvyy411: 'yuv411p',
  p010le: 'yuv420p10le',
  p016le: 'yuv420p16le',
  p210le: 'yuv422p10le',
  p410le: 'yuv444p10le',
  y210le: 'yuv422p10le',
  y212le: 'yuv422p12le',
  x2rgb10le: 'gbrp10le',
  x2bgr10le: 'gbrp10le',
  monob: 'gray',
  monow: 'gray',
  ya16le: 'rgba64le',
  ya16be: 'rgba64le',
};

const isRead = (format: string): boolean => pixelFormats.some((each) => each.name === format);

/**
 * The format that frames are turned into so that they are read here with the same samples; undefined where they are so already,
 * and where no such format is known.
 */
export function repackedFormat(pixelFormat: string): string | undefined {
  const name = pixelFormat.replace(/^yuvj/, 'yuv');
  const target = repacked[name] ?? name.replace(/be$/, 'le');
  return !isRead(name) && isRead(target) ? target : undefined;
}

/**
 * The pixel format in which frames of a stream come.
 * @throws MAMBAIR_VIDEO_UNSUPPORTED for formats that nothing here can read without a loss, such as float
 */
export function sourceFormat(stream: ClipStream, decoded: string | undefined): SourceFormat {
  // ffmpeg's own decoders of VP8 and VP9 leave alpha out without a word.
  if (/^vp[89]$/.test(stream.codec) && (stream.tags['alpha_mode'] ?? stream.tags['ALPHA_MODE']) === '1') {
    return { pixelFormat: 'yuva420p', convertTo: undefined, decoder: stream.codec === 'vp9' ? 'libvpx-vp9' : 'libvpx' };
  }
  const name = (decoded ?? stream.pixelFormat ?? '').replace(/^yuvj/, 'yuv');
  const convertTo = repackedFormat(name);
  const pixelFormat = convertTo ?? name;
  if (isRead(pixelFormat)) {
    return { pixelFormat, convertTo, decoder: undefined };
  }
  throw new MambairError(
    'MAMBAIR_VIDEO_UNSUPPORTED',
    `expected a pixel format whose frames can be handed over without a loss, got "${name || 'none'}"; convert the clip first`,
    { detail: { pixelFormat: name } },
  );
}

import { pixelFormat, pixelFormats } from '../../core/index.js';
import type { PixelFormat } from '../../core/index.js';
import type { VideoHeader } from './video-stream.js';

/**
 * What reader and writer of Y4M (YUV4MPEG2) share: the names of pixel formats. Sources: the format's description in
 * mjpegtools, and the names that ffmpeg adds for more than 8 bits.
 */

/** A colour space parameter's meaning. */
export interface Y4mColour {
  readonly pixelFormat: PixelFormat;
  readonly chromaLocation?: NonNullable<VideoHeader['chromaLocation']>;
}

/** 8-bit 4:2:0 names say where chroma lies; the first is written when nothing else is known. */
const eightBit: readonly (readonly [string, string, Y4mColour['chromaLocation']?])[] = [
  ['420jpeg', 'yuv420p', 'center'],
  ['420mpeg2', 'yuv420p', 'left'],
  ['420paldv', 'yuv420p', 'topleft'],
  ['420', 'yuv420p', 'center'],
  ['411', 'yuv411p'],
  ['422', 'yuv422p'],
  ['444', 'yuv444p'],
  ['444alpha', 'yuva444p'],
  ['mono', 'gray'],
];

const colours: ReadonlyMap<string, Y4mColour> = new Map([
  ...eightBit.map(([name, format, chromaLocation]): [string, Y4mColour] => [
    name,
    { pixelFormat: pixelFormat(format), ...(chromaLocation === undefined ? {} : { chromaLocation }) },
  ]),
  ...pixelFormats
    .filter(({ name, depth }) => depth > 8 && /^(yuv4(20|22|44)p|gray)\d/.test(name))
    .map((format): [string, Y4mColour] => [
      format.name.replace(/^yuv/, '').replace(/^gray/, 'mono').replace(/le$/, ''),
      { pixelFormat: format },
    ]),
]);

/** Every name of a `C` parameter that is read. */
export const y4mColourNames: readonly string[] = [...colours.keys()];

/** The meaning of a `C` parameter, or undefined for one that is not read. */
export function y4mColour(name: string): Y4mColour | undefined {
  return colours.get(name);
}

/** The `C` parameter of a header, or undefined when Y4M has no name for its pixel format. */
export function y4mColourName(header: VideoHeader): string | undefined {
  const names = [...colours].filter(([, { pixelFormat: format }]) => format.name === header.pixelFormat.name);
  const exact = names.find(([, colour]) => colour.chromaLocation === header.chromaLocation);
  return (exact ?? names[0])?.[0];
}

/** `I` parameters. */
export const y4mFieldOrders = new Map<string, NonNullable<VideoHeader['fieldOrder']>>([
  ['p', 'progressive'],
  ['t', 'top-first'],
  ['b', 'bottom-first'],
  ['m', 'mixed'],
]);

/** The longest header or frame line that is read; real ones are below 200 bytes. */
export const maxLineBytes = 4096;

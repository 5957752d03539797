import { decodeJpegYCbCr } from './encode-jpeg.js';
import { readImageBytes } from './image-bytes.js';
import type { PixelImage } from './pixels.js';
import { readImage } from './read-image.js';
import { has16Bits } from './samples.js';

/** Pixels as the benchmarks know them: 8 bit, 1 channel (gray) or 3 (RGB). */
export interface BenchmarkImage extends PixelImage {
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
}

/**
 * Reads an image as the papers' test scripts do, through OpenCV: always 8 bit (16-bit samples lose their low byte), alpha
 * ignored and not composited, palettes expanded, EXIF orientation applied.
 *
 * - `colour`: RGB; gray files repeat their channel.
 * - `gray`: one channel. A colour JPEG gives its own Y component; a colour PNG is weighted as libpng does, truncated;
 *   other files as OpenCV's `cvtColor`, rounded.
 *
 * @throws the errors of {@link readImage}
 */
export async function readBenchmarkImage(path: string, mode: 'colour' | 'gray'): Promise<BenchmarkImage> {
  const bytes = await readImageBytes(path);
  const { pixels, format } = await readImage(bytes, { name: path });
  if (mode === 'colour') {
    return pickChannels(pixels, pixels.channels <= 2 ? [0, 0, 0] : [0, 1, 2]);
  }
  if (pixels.channels <= 2) {
    return pickChannels(pixels, [0]);
  }
  const planes = format === 'jpeg' ? await decodeJpegYCbCr(bytes, { name: path }) : undefined;
  if (planes !== undefined) {
    return pickChannels(planes, [0]);
  }
  return format === 'png' ? pickChannels(libpngGray(pixels), [0]) : cvtColorGray(pickChannels(pixels, [0, 1, 2]));
}

/** The named channels, 16-bit samples without their low byte. */
function pickChannels(image: PixelImage, picks: readonly [0] | readonly [number, number, number]): BenchmarkImage {
  const { width, height, channels, data } = image;
  const shift = has16Bits(data) ? 8 : 0;
  const result = new Uint8Array(width * height * picks.length);
  for (let from = 0, to = 0; to < result.length; from += channels) {
    for (const pick of picks) {
      result[to++] = (data[from + pick] ?? 0) >> shift;
    }
  }
  return { width, height, channels: picks.length, data: result };
}

/**
 * libpng's `png_set_rgb_to_gray` with OpenCV's weights 0.299 and 0.587 in units of 1/32768: 8-bit results are truncated,
 * 16-bit ones rounded, equal channels passed through.
 */
function libpngGray({ width, height, channels, data }: PixelImage): PixelImage {
  const gray = data.slice(0, width * height);
  const half = has16Bits(data) ? 16384 : 0;
  for (let from = 0, to = 0; to < gray.length; from += channels, to++) {
    const [red, green, blue] = [data[from] ?? 0, data[from + 1] ?? 0, data[from + 2] ?? 0];
    const isGray = red === green && red === blue;
    gray[to] = isGray ? red : (9797 * red + 19234 * green + 3737 * blue + half) >>> 15;
  }
  return { width, height, channels: 1, data: gray };
}

/** OpenCV's `cvtColor` to gray: weights 0.299, 0.587, 0.114 in units of 1/32768, rounded. */
function cvtColorGray({ width, height, data }: BenchmarkImage): BenchmarkImage {
  const gray = new Uint8Array(width * height);
  for (let from = 0, to = 0; to < gray.length; from += 3, to++) {
    gray[to] = (9798 * (data[from] ?? 0) + 19235 * (data[from + 1] ?? 0) + 3735 * (data[from + 2] ?? 0) + 16384) >> 15;
  }
  return { width, height, channels: 1, data: gray };
}

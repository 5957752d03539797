import { MambairError } from '../errors.js';
import { unreadableImage } from './decode-pixels.js';
import { parseJpegHeaders } from './jpeg-markers.js';
import { loadSharp } from './load-sharp.js';
import type { PixelImage } from './pixels.js';
import { readImage, type ReadImageOptions } from './read-image.js';
import { has8Bits } from './samples.js';

/** Choices of {@link encodeJpeg}. */
export interface EncodeJpegOptions {
  /** IJG quality 1…100. */
  readonly quality: number;
  /** Of colour images. @default '4:2:0', as the IJG library and OpenCV have it */
  readonly subsampling?: '4:4:4' | '4:2:0';
}

/**
 * Encodes 8-bit gray or RGB as the IJG library does by default, and so OpenCV's `imencode('.jpg')`: baseline, standard
 * quantisation tables, accurate integer DCT. Huffman tables are optimised, which changes the size and no pixel.
 *
 * @throws MAMBAIR_OPTION_INVALID
 */
export async function encodeJpeg(image: PixelImage, options: EncodeJpegOptions): Promise<Uint8Array> {
  const { width, height, channels, data } = image;
  const { quality, subsampling = '4:2:0' } = options;
  if (!has8Bits(data) || (channels !== 1 && channels !== 3)) {
    throw new MambairError(
      'MAMBAIR_OPTION_INVALID',
      `expected 8-bit gray or RGB pixels for JPEG: got ${channels} channels`,
    );
  }
  if (!(Number.isInteger(quality) && quality >= 1 && quality <= 100)) {
    throw new MambairError(
      'MAMBAIR_OPTION_INVALID',
      `expected a whole number from 1 to 100 for quality: got ${quality}`,
    );
  }
  const sharp = await loadSharp();
  return sharp(data, { raw: { width, height, channels } })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .jpeg({ quality, chromaSubsampling: subsampling })
    .toBuffer();
}

/**
 * Decodes a JPEG to 8-bit gray or RGB, pixels as stored: no profile, no orientation. Accurate integer DCT and smooth
 * chroma upsampling, the IJG library's defaults.
 *
 * @throws MAMBAIR_IMAGE_UNREADABLE
 */
export async function decodeJpeg(bytes: Uint8Array, name = 'the JPEG in memory'): Promise<PixelImage> {
  const isGray = parseJpegHeaders(bytes)?.frame?.components.length === 1;
  const channels = isGray ? 1 : 3;
  const sharp = await loadSharp();
  try {
    const { data, info } = await sharp(bytes, { ignoreIcc: true, failOn: 'error' })
      .toColourspace(isGray ? 'b-w' : 'srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    return {
      width: info.width,
      height: info.height,
      channels,
      data: new Uint8Array(data.buffer, data.byteOffset, data.length),
    };
  } catch (cause) {
    throw unreadableImage(name, cause);
  }
}

/**
 * Decodes a colour JPEG without its conversion to RGB: three channels Y, Cb, Cr of ITU-T T.871 (8 bit, full range, chroma
 * around 128), upright like {@link readImage}. Y is exactly what was stored; going through RGB would round it. Undefined
 * when the file is not coded as YCbCr.
 *
 * @throws MAMBAIR_IMAGE_UNREADABLE, MAMBAIR_IMAGE_TOO_LARGE
 */
export async function decodeJpegYCbCr(
  bytes: Uint8Array,
  options: ReadImageOptions = {},
): Promise<PixelImage | undefined> {
  const relabelled = relabelAsRgb(bytes);
  return relabelled === undefined ? undefined : (await readImage(relabelled, options)).pixels;
}

/** Adobe segment (marker 0xee) that says "no colour transform": version 100, flags 0, transform 0. */
const adobeRgbSegment = Uint8Array.of(0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, 0);

/** Replaces the headers that tell a decoder to convert YCbCr, so that it hands out the planes as they are. */
function relabelAsRgb(bytes: Uint8Array): Uint8Array | undefined {
  const headers = parseJpegHeaders(bytes);
  const components = headers?.frame?.components;
  if (headers === undefined || components?.length !== 3) {
    return undefined;
  }
  const ids = components.map(({ id }) => id).join();
  const isYCbCr = headers.hasJfif || (headers.adobeTransform ?? (ids === '82,71,66' ? 0 : 1)) === 1;
  if (!isYCbCr) {
    return undefined;
  }
  const parts: Uint8Array[] = [bytes.subarray(0, 2), adobeRgbSegment];
  let at = 2;
  for (const { marker, start, end } of headers.segments) {
    parts.push(bytes.subarray(at, start));
    const isColourHeader = marker === 0xe0 || marker === 0xee;
    parts.push(isColourHeader ? new Uint8Array() : bytes.subarray(start, end));
    at = end;
  }
  parts.push(bytes.subarray(at));
  return Buffer.concat(parts);
}

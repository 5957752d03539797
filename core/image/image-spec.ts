import { MambairError } from '../errors.js';
import type { WritableImageFormat } from './image-format.js';
import { encodeExif, exifForPixels, parseExif } from './exif.js';
import { grayProfileAsRgb, isUsableIccProfile } from './icc-profile.js';
import type { ImageMetadata, ImageWarning } from './image-metadata.js';

/** What is to be written: size, samples, and how the file keeps them. */
export interface ImageSpec {
  readonly width: number;
  readonly height: number;
  /** 1 gray, 2 gray + alpha, 3 RGB, 4 RGB + alpha. */
  readonly channels: 1 | 2 | 3 | 4;
  /** Bits per sample of the rows that will come. */
  readonly depth: 8 | 16;
  readonly format: WritableImageFormat;
  /** What to keep of the source: profile, EXIF, XMP, density. */
  readonly metadata?: ImageMetadata;
  /**
   * Colour, 0…255 per channel (gray: the first), on which transparent pixels are laid when the format has no alpha.
   * Without it such an image is refused.
   */
  readonly background?: readonly [number, number, number];
  /** 1…100, for JPEG, WebP and AVIF. @default 95 for JPEG, 92 for WebP, 85 for AVIF */
  readonly quality?: number;
  /** Keeps every pixel exactly, for WebP and AVIF (PNG and TIFF always do, JPEG cannot). @default false */
  readonly lossless?: boolean;
  /** Refuses what `estimateEncoderBytes` says will not fit. @default Infinity */
  readonly memoryBytes?: number;
}

/** Largest width and height that a format can hold. */
const maxSides: Readonly<Record<WritableImageFormat, number>> = {
  png: 10_000_000, // the encoder's own bound; the format's is 2³¹ − 1
  jpeg: 65535,
  webp: 16383,
  tiff: 10_000_000,
  avif: 16384,
};

/** Bits per sample at most, of formats that hold fewer than 16. */
const maxBits: Readonly<Partial<Record<WritableImageFormat, number>>> = { jpeg: 8, webp: 8, avif: 10 };

/** A JPEG segment holds 65533 bytes; the identifiers of EXIF and XMP take some of them. */
const MAX_JPEG_EXIF = 65533 - 6;
const MAX_JPEG_XMP = 65533 - 29;
const MAX_IPTC = 65000;

/** Number of bits per sample that the file will hold. */
export function storedBits(spec: Pick<ImageSpec, 'depth' | 'format'>): number {
  return Math.min(spec.depth, maxBits[spec.format] ?? 16);
}

/**
 * Says before any work begins whether an image can be written, and what it will lose.
 *
 * @returns what the format cannot keep: bits, transparency, metadata
 * @throws MAMBAIR_IMAGE_UNSUPPORTED when a side is too long for the format, or when it has no alpha and no background is
 * given; MAMBAIR_OUT_OF_MEMORY; MAMBAIR_OPTION_INVALID
 */
export function checkWritable(spec: ImageSpec): readonly ImageWarning[] {
  const { width, height, channels, depth, format } = spec;
  requireSpec(spec);
  const limit = maxSides[format];
  if (width > limit || height > limit) {
    const message = `expected at most ${limit} pixels a side for ${format}: the result has ${width} × ${height}; choose png or tiff`;
    throw new MambairError('MAMBAIR_IMAGE_UNSUPPORTED', message, { detail: { format, width, height, limit } });
  }
  const needed = estimateEncoderBytes(spec);
  if (needed > (spec.memoryBytes ?? Infinity)) {
    const message = `expected an encoder within ${spec.memoryBytes} bytes: ${format} needs ${needed} for ${width} × ${height}; choose png, tiff or jpeg, or allow more memory`;
    throw new MambairError('MAMBAIR_OUT_OF_MEMORY', message, { detail: { format, width, height, needed } });
  }
  const warnings: ImageWarning[] = [];
  if (format === 'jpeg' && channels % 2 === 0) {
    if (spec.background === undefined) {
      const message =
        'expected an image without transparency for jpeg: the result has an alpha channel; choose png, webp, tiff or avif, or give a background';
      throw new MambairError('MAMBAIR_IMAGE_UNSUPPORTED', message, { detail: { format, channels } });
    }
    warnings.push({
      code: 'alpha-flattened',
      message: 'transparent pixels were laid on the background: jpeg has no alpha',
    });
  }
  const bits = storedBits(spec);
  if (bits < depth) {
    warnings.push({
      code: 'depth-reduced',
      message: `${depth} bits per channel became ${bits}: ${format} holds no more`,
    });
  }
  return [...warnings, ...fitMetadata(spec).warnings];
}

/** The parts of the metadata that the format can hold, in the form that fits its channels. */
export function keptMetadata(spec: ImageSpec): ImageMetadata {
  return fitMetadata(spec).metadata;
}

function fitMetadata(spec: ImageSpec): { metadata: ImageMetadata; warnings: readonly ImageWarning[] } {
  const { format, metadata = {} } = spec;
  const isJpeg = format === 'jpeg';
  const icc = fittingProfile(spec);
  const exif = fittingExif(spec);
  const xmp = isJpeg && (metadata.xmp?.length ?? 0) > MAX_JPEG_XMP ? undefined : metadata.xmp;
  const canHoldIptc = (isJpeg || format === 'tiff') && (metadata.iptc?.length ?? 0) <= MAX_IPTC;
  const iptc = canHoldIptc ? metadata.iptc : undefined;
  const fitted = { icc, exif, xmp, iptc };
  const warnings: ImageWarning[] = [];
  const names = { icc: 'profile', exif: 'exif', xmp: 'xmp', iptc: 'iptc' } as const;
  for (const part of ['icc', 'exif', 'xmp', 'iptc'] as const) {
    if (metadata[part] !== undefined && fitted[part] === undefined) {
      const message = `the ${names[part]} block does not fit into this ${format} file and was left out`;
      warnings.push({ code: `${names[part]}-dropped`, message });
    }
  }
  const present = Object.entries({ ...metadata, ...fitted }).filter(([, part]) => part !== undefined);
  return { metadata: Object.fromEntries(present), warnings };
}

/** EXIF with the pixel dimensions of the result, when it is sound and the format can hold it. */
function fittingExif({ metadata, format, width, height }: ImageSpec): Uint8Array | undefined {
  const parsed = metadata?.exif === undefined ? undefined : parseExif(metadata.exif);
  const exif = parsed === undefined ? undefined : encodeExif(exifForPixels(parsed, width, height));
  return format === 'jpeg' && (exif?.length ?? 0) > MAX_JPEG_EXIF ? undefined : exif;
}

/** The profile for the channels that the file will have: WebP and AVIF store gray as RGB. */
function fittingProfile({ metadata, format, channels }: ImageSpec): Uint8Array | undefined {
  const icc = metadata?.icc;
  if (icc === undefined || !isUsableIccProfile(icc, channels <= 2 ? 1 : 3)) {
    return undefined;
  }
  return channels <= 2 && (format === 'webp' || format === 'avif') ? grayProfileAsRgb(icc) : icc;
}

/**
 * Memory in bytes that encoding takes beside the rows on disk. PNG, JPEG and TIFF need little whatever the size; WebP and
 * AVIF hold the picture several times (measured: 15 and 31 bytes a pixel).
 */
export function estimateEncoderBytes({
  width,
  height,
  format,
}: Pick<ImageSpec, 'width' | 'height' | 'format'>): number {
  const bytesPerPixel = format === 'webp' ? 16 : format === 'avif' ? 34 : 0;
  return 128 * 2 ** 20 + width * height * bytesPerPixel;
}

function requireSpec({ width, height, channels, depth, format, quality, background }: ImageSpec): void {
  const invalid = (what: string, value: unknown): MambairError =>
    new MambairError('MAMBAIR_OPTION_INVALID', `expected ${what}: got ${String(value)}`);
  for (const [name, side] of [
    ['width', width],
    ['height', height],
  ] as const) {
    if (!Number.isInteger(side) || side < 1) {
      throw invalid(`a whole number above 0 for ${name}`, side);
    }
  }
  if (![1, 2, 3, 4].includes(channels)) {
    throw invalid('1 to 4 for channels', channels);
  }
  if (depth !== 8 && depth !== 16) {
    throw invalid('8 or 16 for depth', depth);
  }
  if (!Object.hasOwn(maxSides, format)) {
    throw invalid(`one of ${Object.keys(maxSides).join(', ')} for format`, format);
  }
  if (quality !== undefined && !(Number.isInteger(quality) && quality >= 1 && quality <= 100)) {
    throw invalid('a whole number from 1 to 100 for quality', quality);
  }
  if (background?.some((value) => !(value >= 0 && value <= 255))) {
    throw invalid('three numbers from 0 to 255 for background', background);
  }
}

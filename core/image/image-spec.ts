import { MambairError } from '../errors.js';
import type { WritableImageFormat } from './image-format.js';
import { type ImageMetadata, type ImageWarning, isUsableIccProfile } from './image-metadata.js';

/** What is to be written: size, samples, and how the file keeps them. */
export interface ImageSpec {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 2 | 3 | 4;
  /** Bits per sample of the rows that will come. */
  readonly depth: 8 | 16;
  readonly format: WritableImageFormat;
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

/** Number of bits per sample that the file will hold. */
export function storedBits(spec: Pick<ImageSpec, 'depth' | 'format'>): number {
  return Math.min(spec.depth, maxBits[spec.format] ?? 16);
}

/**
 * Says before any work begins whether an image can be written, and what it will lose.
 *
 * @returns what the format cannot keep: bits, transparency, metadata
 * @throws MAMBAIR_IMAGE_UNSUPPORTED when a side is too long for the format, or when it has no alpha and no background is
 * given; MAMBAIR_OPTION_INVALID
 */
export function checkWritable(spec: ImageSpec): readonly ImageWarning[] {
  const { width, height, channels, depth, format } = spec;
  requireSpec(spec);
  const limit = maxSides[format];
  if (width > limit || height > limit) {
    const message = `expected at most ${limit} pixels a side for ${format}: the result has ${width} × ${height}; choose png or tiff`;
    throw new MambairError('MAMBAIR_IMAGE_UNSUPPORTED', message, { detail: { format, width, height, limit } });
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
  return [...warnings, ...lostMetadata(spec).map(({ warning }) => warning)];
}

/** The parts of the metadata that the format can hold. */
export function keptMetadata(spec: ImageSpec): ImageMetadata {
  const lost = new Set(lostMetadata(spec).map(({ part }) => part));
  return Object.fromEntries(
    Object.entries(spec.metadata ?? {}).filter(([part]) => !lost.has(part as keyof ImageMetadata)),
  );
}

function lostMetadata({
  metadata = {},
  format,
  channels,
}: ImageSpec): readonly { part: keyof ImageMetadata; warning: ImageWarning }[] {
  const lost: { part: keyof ImageMetadata; warning: ImageWarning }[] = [];
  const { icc, exif, xmp, iptc } = metadata;
  const colourChannels = channels <= 2 ? 1 : 3;
  if (icc !== undefined && !isUsableIccProfile(icc, colourChannels)) {
    lost.push({
      part: 'icc',
      warning: { code: 'profile-dropped', message: 'the colour profile does not fit the channels' },
    });
  } else if (icc !== undefined && colourChannels === 1 && (format === 'webp' || format === 'avif')) {
    const message = `the gray profile was left out: ${format} stores gray as RGB`;
    lost.push({ part: 'icc', warning: { code: 'profile-dropped', message } });
  }
  if (exif !== undefined && format === 'jpeg' && exif.length > MAX_JPEG_EXIF) {
    lost.push({ part: 'exif', warning: { code: 'exif-dropped', message: 'the EXIF block is too large for jpeg' } });
  }
  if (xmp !== undefined && format === 'jpeg' && xmp.length > MAX_JPEG_XMP) {
    lost.push({ part: 'xmp', warning: { code: 'xmp-dropped', message: 'the XMP packet is too large for jpeg' } });
  }
  if (iptc !== undefined && ((format !== 'jpeg' && format !== 'tiff') || iptc.length > 65000)) {
    lost.push({
      part: 'iptc',
      warning: { code: 'iptc-dropped', message: `the IPTC records do not fit into ${format}` },
    });
  }
  return lost;
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

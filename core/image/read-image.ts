import { MambairError, throwIfCancelled } from '../errors.js';
import { decodePixels, type ImageHeader, planDecoding, unreadableImage } from './decode-pixels.js';
import { readImageBytes } from './image-bytes.js';
import { type ImageFormat, sniffImageFormat } from './image-format.js';
import type { ImageMetadata, ImageWarning } from './image-metadata.js';
import { estimateJpegCompression, type JpegCompression } from './jpeg-quality.js';
import { loadSharp } from './load-sharp.js';
import type { PixelImage } from './pixels.js';
import { collectMetadata, type FileDeclarations, readDeclarations } from './source-metadata.js';

/** An image file in memory: pixels as stored, upright, and everything that belongs to them. */
export interface SourceImage {
  /** 8 bit → Uint8Array, more → Uint16Array. Numbers are in the space that `metadata.icc` names, never converted. */
  readonly pixels: PixelImage;
  /** Profile, EXIF, XMP, density. */
  readonly metadata: ImageMetadata;
  /** Found by content. */
  readonly format: ImageFormat;
  /** True when the file's compression kept the pixels exactly. */
  readonly isLossless: boolean;
  /** For JPEG files: how strongly they were compressed. */
  readonly jpeg?: JpegCompression;
  /** What was converted or given up while decoding. */
  readonly warnings: readonly ImageWarning[];
}

/** Limits and choices of {@link readImage}. */
export interface ReadImageOptions {
  /** Name used in messages; by default the path, or "the image in memory". */
  readonly name?: string;
  /** Largest accepted width times height. @default 268402689 (16383²) */
  readonly maxPixels?: number;
  /** Largest accepted file size in bytes. @default 2147483647 */
  readonly maxFileBytes?: number;
  /** Page or frame to read, from 0. Without it an animation is refused, and of a multi-page TIFF the first is read. */
  readonly page?: number;
  /** Reads what can be decoded of a damaged or truncated file; the rest is gray or black. @default false */
  readonly allowDamaged?: boolean;
  readonly signal?: AbortSignal;
}

/** Default of {@link ReadImageOptions.maxPixels}. */
export const DEFAULT_MAX_PIXELS: number = 16383 ** 2;

/**
 * Reads a PNG, JPEG, WebP, TIFF, AVIF or (still) GIF image. The content decides, not the name.
 *
 * - 8 and 16 bit keep their depth; 10- and 12-bit AVIF becomes 16 bit; palettes and 1 to 4 bit are expanded to 8 bit.
 * - gray, gray + alpha, RGB and RGBA keep their channels; CMYK and Lab are converted to sRGB, with a warning.
 * - pixel numbers of RGB and gray are never converted: the profile in `metadata.icc` goes on describing them.
 * - EXIF orientation is applied to the pixels, and reset in the metadata.
 *
 * @throws MAMBAIR_FILE_NOT_FOUND, MAMBAIR_FILE_READ, MAMBAIR_IMAGE_UNREADABLE (damaged, truncated or no image),
 * MAMBAIR_IMAGE_UNSUPPORTED (another kind of file, floating-point or 32-bit samples, more than 4 channels, an
 * animation), MAMBAIR_IMAGE_TOO_LARGE, MAMBAIR_OPTION_INVALID, MAMBAIR_CANCELLED
 */
export async function readImage(source: string | Uint8Array, options: ReadImageOptions = {}): Promise<SourceImage> {
  throwIfCancelled(options.signal);
  const bytes = typeof source === 'string' ? await readImageBytes(source, options.maxFileBytes) : source;
  const name = options.name ?? (typeof source === 'string' ? source : 'the image in memory');
  const format = requireFormat(bytes, name);
  const declarations = readDeclarations(bytes, format);
  if (declarations.isEndless) {
    throw unreadableImage(name, 'its directories form a circle, or are too many');
  }
  const header = await readHeader(bytes, format, name, options);
  const maxPixels = options.maxPixels ?? DEFAULT_MAX_PIXELS;
  if (header.width * header.height > maxPixels) {
    const size = `${header.width} × ${header.height}`;
    const message = `expected an image of at most ${maxPixels} pixels: ${name} has ${size}; raise the limit or shrink it`;
    const detail = { file: name, width: header.width, height: header.height, maxPixels };
    throw new MambairError('MAMBAIR_IMAGE_TOO_LARGE', message, { detail });
  }
  const warnings: ImageWarning[] = [];
  warnings.push(...requireOnePage(header, declarations, format, name, options.page));
  const plan = planDecoding(header, name);
  warnings.push(...plan.warnings);
  throwIfCancelled(options.signal);
  const decoded = await decodePixels(bytes, plan, {
    name,
    maxPixels,
    page: options.page,
    allowDamaged: options.allowDamaged,
  });
  throwIfCancelled(options.signal);
  warnings.push(...decoded.warnings);
  const { pixels } = decoded;
  const collected = await collectMetadata(header, declarations, pixels, plan.isConverted);
  const jpeg = format === 'jpeg' ? estimateJpegCompression(bytes) : undefined;
  return {
    pixels,
    metadata: collected.metadata,
    format,
    isLossless: declarations.isLossless,
    ...(jpeg === undefined ? {} : { jpeg }),
    warnings: [...warnings, ...collected.warnings],
  };
}

function requireFormat(bytes: Uint8Array, name: string): ImageFormat {
  const detail = { file: name };
  if (bytes.length === 0) {
    throw new MambairError('MAMBAIR_IMAGE_UNREADABLE', `expected an image: ${name} is empty`, { detail });
  }
  const content = sniffImageFormat(bytes);
  if (content.format !== undefined) {
    return content.format;
  }
  const known = 'a PNG, JPEG, WebP, TIFF, AVIF or GIF image';
  if (content.description === undefined) {
    throw new MambairError('MAMBAIR_IMAGE_UNREADABLE', `expected ${known}: ${name} is no image that we know`, {
      detail,
    });
  }
  const message = `expected ${known}: ${name} is ${content.description}; convert it first`;
  throw new MambairError('MAMBAIR_IMAGE_UNSUPPORTED', message, { detail });
}

/** Animations are not stills, and a raw file's preview is not the photo: neither is restored by accident. */
function requireOnePage(
  header: ImageHeader,
  declarations: FileDeclarations,
  format: ImageFormat,
  name: string,
  page: number | undefined,
): readonly ImageWarning[] {
  const pages = header.pages ?? 1;
  const detail = { file: name, pages };
  if (declarations.isRaw) {
    const message = `expected a developed image: ${name} is a raw file or holds only a preview; export it as TIFF first`;
    throw new MambairError('MAMBAIR_IMAGE_UNSUPPORTED', message, { detail });
  }
  if (page !== undefined) {
    return [];
  }
  if (declarations.isAnimated || (pages > 1 && (format === 'webp' || format === 'gif'))) {
    const message = `expected a still image: ${name} is an animation; choose a frame with the option page`;
    throw new MambairError('MAMBAIR_IMAGE_UNSUPPORTED', message, { detail });
  }
  return pages > 1 ? [{ code: 'first-page-only', message: `only one of its ${pages} pages was read` }] : [];
}

/** The header is read without limits, so that we can say what is too much of what. */
const unlimited = { limitInputPixels: false, limitInputChannels: false } as const;

async function readHeader(
  bytes: Uint8Array,
  format: ImageFormat,
  name: string,
  { page }: ReadImageOptions,
): Promise<ImageHeader> {
  if (page !== undefined && !(Number.isInteger(page) && page >= 0 && page <= 100_000)) {
    throw new MambairError('MAMBAIR_OPTION_INVALID', `expected for page an integer from 0 to 100000: got ${page}`);
  }
  const pageOption = page === undefined || format === 'png' || format === 'jpeg' ? {} : { page };
  const sharp = await loadSharp();
  try {
    const header = await sharp(bytes, { ...unlimited, ...pageOption }).metadata();
    const expected = format === 'avif' ? 'heif' : format;
    if (header.format === expected && (format !== 'avif' || header.compression === 'av1')) {
      return header;
    }
  } catch (cause) {
    const whole =
      page === undefined
        ? undefined
        : await sharp(bytes, unlimited)
            .metadata()
            .catch(() => undefined);
    if (page !== undefined && whole !== undefined && page >= (whole.pages ?? 1)) {
      const message = `expected for page a number below ${whole.pages ?? 1}, the pages of ${name}: got ${page}`;
      throw new MambairError('MAMBAIR_OPTION_INVALID', message, { detail: { file: name, page } });
    }
    throw unreadableImage(name, cause);
  }
  throw unreadableImage(name, 'its content is not what its first bytes promise');
}

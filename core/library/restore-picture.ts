import type { ErrorCode } from '../errors.js';
import type { Network } from '../executors/executor.js';
import type { ImageMetadata, ImageWarningCode } from '../image/image-metadata.js';
import type { PixelImage } from '../image/pixels.js';
import { readImage } from '../image/read-image.js';
import type { RestoreOptions } from '../restore/options.js';
import { restoreImage } from '../restore/restore-image.js';

/** How a picture is restored; everything has a default. */
export type RestorePictureOptions = Partial<Omit<RestoreOptions, 'warn' | 'recover'>>;

/** Something that was mended or given up on the way, and did not stop the work. */
export interface RestoreWarning {
  readonly code: ErrorCode | ImageWarningCode;
  readonly message: string;
}

/** A restored picture in memory. */
export interface RestoredPicture {
  /** Same channels and depth as the input, `scale` times as wide and high. */
  readonly image: PixelImage;
  /** Profile, EXIF and so on of the input file; absent for raw pixels. */
  readonly metadata?: ImageMetadata;
  /** What was mended, or could not be kept. */
  readonly warnings: readonly RestoreWarning[];
}

/** A network with the way to another one when it fails. */
export interface Runner {
  readonly network: Network;
  readonly recover: RestoreOptions['recover'] | undefined;
  /** What is to be told with the next result. */
  readonly warnings: readonly { readonly code: ErrorCode; readonly message: string }[];
}

/** Restores a file, the bytes of one, or pixels, into memory. Errors: see `Model.restore`. */
export async function restorePicture(
  runner: Runner,
  input: string | Uint8Array | PixelImage,
  options: RestorePictureOptions,
): Promise<RestoredPicture> {
  const warnings: RestoreWarning[] = [...runner.warnings];
  const full = completeOptions(runner, options, warnings);
  if (typeof input !== 'string' && !ArrayBuffer.isView(input)) {
    return { image: await restoreImage(runner.network, input, full), warnings };
  }
  const source = await readImage(input, options.signal === undefined ? {} : { signal: options.signal });
  warnings.push(...source.warnings);
  const image = await restoreImage(runner.network, source.pixels, full);
  return { image, metadata: source.metadata, warnings };
}

/** Fills in what the caller left open, and collects warnings. */
export function completeOptions(
  { recover }: Runner,
  options: RestorePictureOptions,
  warnings: RestoreWarning[],
): RestoreOptions {
  return {
    ...options,
    tile: options.tile ?? 'auto',
    routing: options.routing ?? 'seeded',
    warn: (code, message) => warnings.push({ code, message }),
    ...(recover === undefined ? {} : { recover }),
  };
}

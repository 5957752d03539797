import { stat } from 'node:fs/promises';
import { MambairError } from '../errors.js';
import { imageFormatOfPath, type WritableImageFormat, writableImageFormats } from '../image/image-format.js';
import { readImage } from '../image/read-image.js';
import { openImageWriter } from '../image/write-image.js';
import { restoreImage } from '../restore/restore-image.js';
import { withoutOpaqueAlpha } from './opaque-alpha.js';
import { completeOptions, type RestorePictureOptions, type RestoreWarning, type Runner } from './restore-picture.js';

/** How a file is restored into another. */
export interface RestoreFileOptions extends RestorePictureOptions {
  /** Replace an existing file. @default false */
  readonly overwrite?: boolean;
  /** @default what the output's name says */
  readonly format?: WritableImageFormat;
  /** 1…100, for JPEG, WebP and AVIF. @default 95 for JPEG, 92 for WebP, 85 for AVIF */
  readonly quality?: number;
  /** Colour, 0…255 a channel, on which a transparent picture is laid when the format has no alpha. @default refused */
  readonly background?: readonly [number, number, number];
}

/** A file that was restored. */
export interface RestoredFile {
  /** The file written. */
  readonly output: string;
  /** Pixels before and after. */
  readonly width: number;
  readonly height: number;
  readonly outputWidth: number;
  readonly outputHeight: number;
  /** What was mended, or could not be kept. */
  readonly warnings: readonly RestoreWarning[];
}

/** Restores an image file into another. Errors: see `Model.restoreFile`. */
export async function restoreFile(
  runner: Runner,
  input: string | Uint8Array,
  output: string,
  options: RestoreFileOptions,
): Promise<RestoredFile> {
  const { overwrite = false, format = formatOf(output), quality, background, ...restoreOptions } = options;
  const { signal } = options;
  const { scale } = runner.network;
  if (!overwrite && (await stat(output).catch(() => undefined)) !== undefined) {
    // the writer would say so too, but only after the input has been decoded
    throw new MambairError('MAMBAIR_FILE_EXISTS', `${output} exists; allow overwriting it or choose another name`, {
      detail: { file: output },
    });
  }
  const { pixels: read, metadata, isLossless, warnings: readWarnings } = await readImage(input, cancelledBy(signal));
  const pixels = format === 'jpeg' ? withoutOpaqueAlpha(read) : read;
  const { width, height, channels } = pixels;
  const size = { outputWidth: width * scale, outputHeight: height * scale };
  const writer = await openImageWriter(output, {
    width: size.outputWidth,
    height: size.outputHeight,
    channels,
    depth: pixels.data.BYTES_PER_ELEMENT === 2 ? 16 : 8,
    format,
    metadata,
    overwrite,
    ...(background === undefined ? {} : { background }),
    ...(quality === undefined ? { lossless: isLossless } : { quality }),
    ...cancelledBy(signal),
  });
  const warnings: RestoreWarning[] = [...runner.warnings, ...readWarnings, ...writer.warnings];
  try {
    await restoreImage(runner.network, pixels, completeOptions(runner, restoreOptions, warnings), writer.sink);
    await writer.finish();
  } catch (error) {
    await writer.abort();
    throw error;
  }
  return { output, width, height, ...size, warnings };
}

function formatOf(path: string): WritableImageFormat {
  const format = imageFormatOfPath(path);
  const writable = writableImageFormats.find((each) => each === format);
  if (writable === undefined) {
    throw new MambairError(
      'MAMBAIR_OPTION_INVALID',
      `the name ${path} should end in .png, .jpg, .webp, .tif or .avif, or the format should be given`,
      { detail: { path } },
    );
  }
  return writable;
}

function cancelledBy(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

import { open } from 'node:fs/promises';
import type { Raw, Sharp } from 'sharp';
import { type ImageSpec, keptMetadata, storedBits } from './image-spec.js';
import { loadSharp } from './load-sharp.js';
import { storedLayout } from './row-conversion.js';
import { rowFileBytes } from './row-file.js';
import { addExifToTiff } from './tiff-exif.js';

/** Beyond this many pixels the JPEG encoder no longer holds the whole picture to choose its Huffman tables. */
const MAX_OPTIMISED_JPEG_PIXELS = 16_000_000;

/** A classic TIFF file ends at 4 GiB; deflate may grow what it cannot shrink by a little. */
const MAX_CLASSIC_TIFF_BYTES = 0xf000_0000;

/** Files that {@link encodeImage} works with. */
export interface EncodeFiles {
  /** Rows as a TIFF. */
  readonly rows: string;
  /** One pixel with the metadata. */
  readonly carrier: string;
  /** Where the encoded image goes. */
  readonly output: string;
}

/** The types of the library know only raw operands; it takes all input options here. */
const rowInput = { limitInputPixels: false, failOn: 'error' } as object as { raw: Raw };

/** Encodes rows from disk to a file on disk, in bounded memory for png, jpeg and tiff. Errors of the library pass through. */
export async function encodeImage(files: EncodeFiles, spec: ImageSpec): Promise<void> {
  const metadata = keptMetadata(spec);
  const sharp = await loadSharp();
  // "or" with a black pixel keeps the rows as they are, and the result has the carrier's metadata
  const image = sharp(files.carrier, { ignoreIcc: true, limitInputPixels: false })
    .boolean(files.rows, 'or', rowInput)
    .toColourspace(outputSpace(spec));
  if (metadata.icc !== undefined) {
    image.keepIccProfile();
  }
  if (metadata.xmp !== undefined) {
    image.keepXmp();
  }
  // without EXIF of its own, a WebP or AVIF file gets a minimal block, its only place for the density
  const needsExif = metadata.exif !== undefined || (metadata.density !== undefined && !hasDensityField(spec));
  if (needsExif || metadata.iptc !== undefined || metadata.comments !== undefined) {
    image.keepMetadata();
  }
  await applyFormat(image, spec).toFile(files.output);
  if (spec.format === 'tiff' && (metadata.exif !== undefined || metadata.iptc !== undefined)) {
    await addExifToTiff(files.output, metadata);
  }
  await flush(files.output);
}

function hasDensityField({ format }: ImageSpec): boolean {
  return format !== 'webp' && format !== 'avif';
}

function outputSpace(spec: ImageSpec): string {
  const { channels, depth } = storedLayout(spec);
  if (channels <= 2 && spec.format !== 'webp' && spec.format !== 'avif') {
    return depth === 16 ? 'grey16' : 'b-w';
  }
  return depth === 16 ? 'rgb16' : 'srgb';
}

function applyFormat(image: Sharp, spec: ImageSpec): Sharp {
  const { width, height, quality, lossless = false } = spec;
  switch (spec.format) {
    case 'png':
      return image.png({ compressionLevel: 6, adaptiveFiltering: true });
    case 'jpeg':
      return image.jpeg({
        quality: quality ?? 95,
        chromaSubsampling: '4:4:4',
        optimiseCoding: width * height <= MAX_OPTIMISED_JPEG_PIXELS,
      });
    case 'webp':
      return image.webp({ quality: quality ?? 92, alphaQuality: 100, lossless, exact: true, smartSubsample: true });
    case 'tiff': {
      const pixelsPerMillimetre = (spec.metadata?.density ?? 72) / 25.4;
      return image.tiff({
        compression: 'deflate',
        predictor: 'horizontal',
        bigtiff: rowFileBytes({ ...spec, ...storedLayout(spec) }) > MAX_CLASSIC_TIFF_BYTES,
        xres: pixelsPerMillimetre,
        yres: pixelsPerMillimetre,
        resolutionUnit: spec.metadata?.densityUnit ?? 'inch',
      });
    }
    case 'avif': {
      const bits = storedBits(spec);
      // effort 2 costs a fifth of the default's time for files a few percent larger
      const options = { quality: quality ?? 85, lossless, chromaSubsampling: '4:4:4', effort: 2 };
      return image.avif({ ...options, bitdepth: bits === 8 ? 8 : 10 });
    }
  }
}

async function flush(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Makes the encoder library close the files that its cache of recent operations holds open: on Windows an open file
 * cannot be removed. The cache's limits stay as the program set them.
 */
export async function releaseEncoderFiles(): Promise<void> {
  const sharp = await loadSharp();
  const { max } = sharp.cache().files;
  sharp.cache({ files: 0 });
  sharp.cache({ files: max });
}

import type { ImageHeader } from './decode-pixels.js';
import { encodeExif, exifDensity, type ExifDirectories, exifForPixels, isExifEmpty, parseExif } from './exif.js';
import { isUsableIccProfile } from './icc-profile.js';
import type { ImageFormat } from './image-format.js';
import {
  dropGainMapXmp,
  type ImageMetadata,
  type ImageWarning,
  resetXmpOrientation,
  unwrapIptc,
} from './image-metadata.js';
import { readColourCode } from './iso-media.js';
import { parseJpegHeaders, startsWith } from './jpeg-markers.js';
import { loadSharp } from './load-sharp.js';
import type { PixelImage } from './pixels.js';
import { readPngDeclarations } from './png-chunks.js';
import { readTiffDeclarations } from './tiff-exif.js';

/** What a file says about itself beside what the decoder library reports. */
export interface FileDeclarations {
  readonly isLossless: boolean;
  /** True for an animated PNG, which the decoder takes for a still one. */
  readonly isAnimated: boolean;
  /** True for a camera's raw file under the TIFF signature. */
  readonly isRaw: boolean;
  /** True for a TIFF file whose directories never end. */
  readonly isEndless: boolean;
  /** Colour described otherwise than by a profile: primaries and transfer of ITU-T H.273, or `other`. */
  readonly colourCode: { readonly primaries: number; readonly transfer: number } | 'other' | undefined;
  /** EXIF of a TIFF file. */
  readonly tiffExif: ExifDirectories | undefined;
  readonly tiffIptc: Uint8Array | undefined;
  /** XMP packet of a JPEG file; the decoder hands out none for a file with a gain map. */
  readonly jpegXmp: Uint8Array | undefined;
}

/** Reads a file's declarations. Bounded by its size; never throws. */
export function readDeclarations(bytes: Uint8Array, format: ImageFormat): FileDeclarations {
  const none = {
    isAnimated: false,
    isRaw: false,
    isEndless: false,
    colourCode: undefined,
    tiffExif: undefined,
    tiffIptc: undefined,
    jpegXmp: undefined,
  };
  switch (format) {
    case 'png':
      return { ...none, isLossless: true, ...readPngDeclarations(bytes) };
    case 'gif':
      return { ...none, isLossless: true };
    case 'jpeg':
      return { ...none, isLossless: false, jpegXmp: findJpegXmp(bytes) };
    case 'webp':
      return { ...none, isLossless: isLosslessWebp(bytes) };
    case 'avif':
      return { ...none, isLossless: false, colourCode: readColourCode(bytes) };
    case 'tiff': {
      const { exif, iptc, ...flags } = readTiffDeclarations(bytes);
      return { ...none, ...flags, tiffExif: exif, tiffIptc: iptc };
    }
  }
}

const XMP_SEGMENT = 'http://ns.adobe.com/xap/1.0/\0';

function findJpegXmp(bytes: Uint8Array): Uint8Array | undefined {
  for (const { marker, start, end } of parseJpegHeaders(bytes)?.segments ?? []) {
    const payload = new DataView(bytes.buffer, bytes.byteOffset + start + 4, end - start - 4);
    if (marker === 0xe1 && startsWith(payload, XMP_SEGMENT)) {
      return bytes.slice(start + 4 + XMP_SEGMENT.length, end);
    }
  }
  return undefined;
}

/** Walks the RIFF chunks (WebP container specification) to the first image data: `VP8L` is the lossless kind. */
function isLosslessWebp(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 12; at + 8 <= bytes.length; ) {
    const type = Buffer.from(bytes.subarray(at, at + 4)).toString('latin1');
    if (type === 'VP8L' || type === 'VP8 ') {
      return type === 'VP8L';
    }
    const length = view.getUint32(at + 4, true);
    at += 8 + length + (length & 1);
  }
  return false;
}

/**
 * Puts together the metadata that still holds for the decoded pixels. What cannot be understood is left out, with a
 * warning, so that a broken block never spoils the file that is written later.
 */
export async function collectMetadata(
  header: ImageHeader,
  declarations: FileDeclarations,
  pixels: PixelImage,
  isConverted: boolean,
): Promise<{ metadata: ImageMetadata; warnings: readonly ImageWarning[] }> {
  const warnings: ImageWarning[] = [];
  const icc = isConverted ? undefined : await profileOf(header, declarations, pixels, warnings);
  const exif = exifOf(header, declarations, warnings);
  const iptc = declarations.tiffIptc ?? (header.iptc === undefined ? undefined : unwrapIptc(header.iptc));
  if (iptc === undefined && header.iptc !== undefined) {
    warnings.push({ code: 'iptc-dropped', message: 'the IPTC block is broken or empty and was left out' });
  }
  if (header.gainMap !== undefined) {
    warnings.push({
      code: 'gain-map-dropped',
      message: 'the HDR gain map was left out; the picture is its SDR version',
    });
  }
  // a file with a gain map goes through another decoder, which tells neither XMP nor the real density
  const hasGainMap = header.gainMap !== undefined;
  const xmp = header.xmp ?? (hasGainMap && declarations.jpegXmp ? dropGainMapXmp(declarations.jpegXmp) : undefined);
  const headerDensity = hasGainMap ? undefined : header.density;
  const density = headerDensity ?? (exif === undefined ? undefined : exifDensity(exif));
  return {
    metadata: {
      ...(icc === undefined ? {} : { icc }),
      ...(exif === undefined ? {} : { exif: encodeExif(exifForPixels(exif, pixels.width, pixels.height)) }),
      ...(xmp === undefined ? {} : { xmp: resetXmpOrientation(xmp) }),
      ...(iptc === undefined ? {} : { iptc }),
      ...(density === undefined ? {} : { density }),
      ...(header.resolutionUnit === 'cm' ? { densityUnit: 'cm' as const } : {}),
      ...(header.comments === undefined ? {} : { comments: header.comments }),
    },
    warnings,
  };
}

async function profileOf(
  header: ImageHeader,
  { colourCode }: FileDeclarations,
  pixels: PixelImage,
  warnings: ImageWarning[],
): Promise<Uint8Array | undefined> {
  const colourChannels = pixels.channels <= 2 ? 1 : 3;
  if (header.icc !== undefined) {
    if (isUsableIccProfile(header.icc, colourChannels)) {
      return header.icc;
    }
    warnings.push({
      code: 'profile-dropped',
      message: 'the colour profile is broken or of another kind and was left out',
    });
    return undefined;
  }
  if (colourCode === undefined) {
    return undefined;
  }
  const isDisplayP3 = colourCode !== 'other' && colourCode.primaries === 12 && colourCode.transfer === 13;
  if (isDisplayP3 && colourChannels === 3) {
    return displayP3Profile();
  }
  const message = 'colour is described by codes instead of a profile; they are not carried over, colours may shift';
  warnings.push({ code: 'colour-description-ignored', message });
  return undefined;
}

/** The library's own Display P3 profile, taken from a file that it writes. */
async function displayP3Profile(): Promise<Uint8Array | undefined> {
  const sharp = await loadSharp();
  const pixel = sharp(new Uint8Array(3), { raw: { width: 1, height: 1, channels: 3 } });
  return (await sharp(await pixel.withIccProfile('p3').png().toBuffer()).metadata()).icc;
}

function exifOf(
  header: ImageHeader,
  { tiffExif }: FileDeclarations,
  warnings: ImageWarning[],
): ExifDirectories | undefined {
  const exif = header.exif === undefined ? tiffExif : parseExif(header.exif);
  if (exif === undefined && header.exif !== undefined) {
    warnings.push({ code: 'exif-dropped', message: 'the EXIF block is broken and was left out' });
  }
  return exif === undefined || isExifEmpty(exif) ? undefined : exif;
}

/** A file format that {@link readImage} takes. GIF is read only. */
export type ImageFormat = 'png' | 'jpeg' | 'webp' | 'tiff' | 'avif' | 'gif';

/** A file format that can be written. */
export type WritableImageFormat = Exclude<ImageFormat, 'gif'>;

/** The writable formats, in the order in which help texts name them. */
export const writableImageFormats: readonly WritableImageFormat[] = ['png', 'jpeg', 'webp', 'tiff', 'avif'];

/** File name endings, lower case, without the dot. The first of a format is the one that new files get. */
export const imageExtensions: Readonly<Record<ImageFormat, readonly string[]>> = {
  png: ['png'],
  jpeg: ['jpg', 'jpeg', 'jpe', 'jfif'],
  webp: ['webp'],
  tiff: ['tif', 'tiff'],
  avif: ['avif'],
  gif: ['gif'],
};

/** The format that a file name promises by its ending, or undefined. The content decides when reading. */
export function imageFormatOfPath(path: string): ImageFormat | undefined {
  const extension = /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase();
  if (extension === undefined) {
    return undefined;
  }
  for (const [format, extensions] of Object.entries(imageExtensions)) {
    if (extensions.includes(extension)) {
      return format as ImageFormat; // a key of imageExtensions
    }
  }
  return undefined;
}

/** What the first bytes of a file say it is: a format that can be read, or the name, if known, of what cannot. */
export type SniffedContent =
  | { readonly format: ImageFormat }
  | { readonly format: undefined; readonly description: string | undefined };

/**
 * Tells the format from the content, so that only the wanted decoders ever see a file: a vector drawing or document
 * under an image's name never reaches one. Signatures are those of the formats' standards.
 */
export function sniffImageFormat(bytes: Uint8Array): SniffedContent {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 512)).toString('latin1');
  const format = signatures.find(([signature]) => head.startsWith(signature))?.[1];
  if (format !== undefined) {
    return { format };
  }
  if (head.startsWith('RIFF') && head.slice(8, 12) === 'WEBP') {
    return { format: 'webp' };
  }
  if (head.slice(4, 8) === 'ftyp') {
    return sniffIsoMedia(bytes, head);
  }
  const description =
    foreignSignatures.find(([signature]) => head.startsWith(signature))?.[1] ??
    foreignTexts.find(([pattern]) => pattern.test(head))?.[1];
  return { format: undefined, description };
}

const signatures: readonly (readonly [string, ImageFormat])[] = [
  ['\x89PNG\r\n\x1a\n', 'png'],
  ['\xff\xd8\xff', 'jpeg'],
  ['II*\0', 'tiff'],
  ['MM\0*', 'tiff'],
  ['II+\0', 'tiff'], // BigTIFF
  ['MM\0+', 'tiff'],
  ['GIF87a', 'gif'],
  ['GIF89a', 'gif'],
];

const foreignSignatures: readonly (readonly [string, string])[] = [
  ['%PDF', 'a PDF document'],
  ['BM', 'a BMP image'],
  ['8BPS', 'a Photoshop document'],
  ['\xff\x0a', 'a JPEG XL image'],
  ['\0\0\0\x0cJXL ', 'a JPEG XL image'],
  ['\0\0\0\x0cjP', 'a JPEG 2000 image'],
  ['\xff\x4f\xff\x51', 'a JPEG 2000 image'],
  ['v/1\x01', 'an OpenEXR image'],
  ['#?RADIANCE', 'a Radiance HDR image'],
  ['PK\x03\x04', 'a zip archive'],
  ['\x1f\x8b', 'a gzip archive'],
];

const foreignTexts: readonly (readonly [RegExp, string])[] = [
  [/^(\xef\xbb\xbf)?\s*(<\?xml|<svg|<!--|<!doctype svg)/i, 'an SVG or XML text'],
  [/^\s*(<!doctype html|<html)/i, 'a web page'],
  [/^P[1-7fF]\s/, 'a PNM image'],
];

/** ISO/IEC 23008-12: the `ftyp` box lists the brands; AVIF and HEIC share everything else. */
function sniffIsoMedia(bytes: Uint8Array, head: string): SniffedContent {
  const boxEnd = Math.min(new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0), head.length);
  const brands = [head.slice(8, 12)];
  for (let at = 16; at + 4 <= boxEnd; at += 4) {
    brands.push(head.slice(at, at + 4));
  }
  if (brands.some((brand) => brand === 'avif' || brand === 'avis')) {
    return { format: 'avif' };
  }
  if (brands.some((brand) => /^(hei[cxms]|hev[cx]|mif1)$/.test(brand))) {
    return { format: undefined, description: 'a HEIC photo' };
  }
  return { format: undefined, description: 'a video' };
}

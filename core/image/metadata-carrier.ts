import { type ImageMetadata, wrapIptcForJpeg } from './image-metadata.js';
import type { RowLayout } from './row-file.js';

/**
 * A one-pixel black image in the encoder library's own format (`.v`: 64 bytes of header, pixels, XML) that carries the
 * metadata. The library gives an image the metadata of the first picture that it was made of, and this is the one
 * format in which it reads every kind of metadata, EXIF as a block included.
 */
export function encodeMetadataCarrier(
  metadata: ImageMetadata,
  { channels, depth }: Omit<RowLayout, 'width' | 'height'>,
): Uint8Array {
  const bytes = Buffer.alloc(64 + channels * (depth / 8));
  bytes.writeUInt32BE(0xb6a6f208, 0); // little-endian file
  bytes.writeInt32LE(1, 4); // width
  bytes.writeInt32LE(1, 8); // height
  bytes.writeInt32LE(channels, 12);
  bytes.writeInt32LE(depth === 8 ? 0 : 2, 20); // VipsBandFormat uchar, ushort
  bytes.writeInt32LE(interpretation(channels, depth), 28);
  const pixelsPerMillimetre = (metadata.density ?? DEFAULT_DENSITY) / 25.4;
  bytes.writeFloatLE(pixelsPerMillimetre, 32);
  bytes.writeFloatLE(pixelsPerMillimetre, 36);
  return Buffer.concat([bytes, Buffer.from(encodeXml(metadata))]);
}

/** What nearly all files without a real density say. */
const DEFAULT_DENSITY = 72;

/** VipsInterpretation: sRGB, RGB16, B_W, GREY16. */
function interpretation(channels: number, depth: 8 | 16): number {
  if (channels >= 3) {
    return depth === 8 ? 22 : 25;
  }
  return depth === 8 ? 1 : 26;
}

function encodeXml({ icc, exif, xmp, iptc, densityUnit, comments }: ImageMetadata): string {
  const blob = (name: string, bytes: Uint8Array | undefined): string =>
    bytes === undefined ? '' : `<field type="VipsBlob" name="${name}">${Buffer.from(bytes).toString('base64')}</field>`;
  const text = (name: string, value: string): string =>
    `<field type="VipsRefString" name="${escapeXml(name)}">${escapeXml(value)}</field>`;
  const fields = [
    blob('icc-profile-data', icc),
    blob('exif-data', exif === undefined ? undefined : Buffer.concat([Buffer.from('Exif\0\0'), exif])),
    blob('xmp-data', xmp),
    blob('iptc-data', iptc === undefined ? undefined : wrapIptcForJpeg(iptc)),
    text('resolution-unit', densityUnit === 'cm' ? 'cm' : 'in'),
    ...(comments ?? []).map(({ keyword, text: value }, i) => text(`png-comment-${i}-${keyword}`, value)),
  ];
  return `<?xml version="1.0"?><root xmlns="http://www.vips.ecs.soton.ac.uk/vips/8.6.0"><header></header><meta>${fields.join('')}</meta></root>`;
}

/** XML 1.0 has no way to write control characters and broken surrogate pairs, so they go. */
function escapeXml(text: string): string {
  return text
    .replace(/(?![\t\n\r])[\p{Cc}\p{Cs}\ufffe\uffff]/gu, '')
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

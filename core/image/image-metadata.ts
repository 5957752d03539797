/** What travels beside the pixels of a file. Every part is as its own standard defines it, and absent when unknown. */
export interface ImageMetadata {
  /** ICC profile (ISO 15076-1) of the pixel numbers; absent means sRGB, or its tone curve for gray. */
  readonly icc?: Uint8Array;
  /** EXIF block as a TIFF structure, without the `Exif\0\0` prefix, orientation 1, without thumbnail. */
  readonly exif?: Uint8Array;
  /** XMP packet, UTF-8. */
  readonly xmp?: Uint8Array;
  /** IPTC-IIM records, without any wrapping. */
  readonly iptc?: Uint8Array;
  /** Pixels per inch. */
  readonly density?: number;
  /** The unit in which the density is to be written. */
  readonly densityUnit?: 'inch' | 'cm';
  /** PNG text entries. */
  readonly comments?: readonly { readonly keyword: string; readonly text: string }[];
}

/** Something the caller should know about a file that could be read or written all the same. */
export interface ImageWarning {
  readonly code: ImageWarningCode;
  /** One sentence, without the file's name. */
  readonly message: string;
}

/** Kinds of {@link ImageWarning}; public, like error codes. */
export type ImageWarningCode =
  | 'damaged'
  | 'cmyk-converted'
  | 'lab-converted'
  | 'depth-reduced'
  | 'alpha-flattened'
  | 'first-page-only'
  | 'gain-map-dropped'
  | 'colour-description-ignored'
  | 'profile-dropped'
  | 'exif-dropped'
  | 'xmp-dropped'
  | 'iptc-dropped';

/**
 * Sets `tiff:Orientation` of an XMP packet to 1: some readers prefer it to EXIF, and the pixels are upright by now.
 * All other bytes stay as they are.
 */
export function resetXmpOrientation(xmp: Uint8Array): Uint8Array {
  // Latin-1 maps bytes to characters one to one, so that invalid UTF-8 survives
  const text = Buffer.from(xmp.buffer, xmp.byteOffset, xmp.byteLength).toString('latin1');
  const upright = text.replace(/(tiff:Orientation(?:\s*=\s*["']|>))\s*[2-8](?=\s*["'<])/g, '$11');
  return upright === text ? xmp : new Uint8Array(Buffer.from(upright, 'latin1'));
}

/**
 * Takes out of an XMP packet what announces a gain map (Ultra HDR: `hdrgm:` attributes and the container's directory),
 * which a file without one must not have.
 */
export function dropGainMapXmp(xmp: Uint8Array): Uint8Array {
  const text = Buffer.from(xmp.buffer, xmp.byteOffset, xmp.byteLength).toString('latin1');
  const plain = text
    .replace(/\shdrgm:\w+\s*=\s*("[^"]*"|'[^']*')/g, '')
    .replace(/<(Container:Directory)\b[^>]*>.*?<\/\1\s*>/gs, '');
  return new Uint8Array(Buffer.from(plain, 'latin1'));
}

/** The IPTC-IIM records of a Photoshop image resource block or of bare records; undefined when there are none. */
export function unwrapIptc(block: Uint8Array): Uint8Array | undefined {
  if (block[0] === IIM_TAG_MARKER) {
    return block;
  }
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
  for (let at = bytes.indexOf('8BIM'); at >= 0 && at + 12 <= bytes.length; ) {
    if (bytes.toString('latin1', at, at + 4) !== '8BIM') {
      return undefined;
    }
    const nameLength = bytes.readUInt8(at + 6);
    const sizeAt = at + 6 + ((nameLength + 2) & ~1);
    if (sizeAt + 4 > bytes.length) {
      return undefined;
    }
    const size = bytes.readUInt32BE(sizeAt);
    const end = sizeAt + 4 + size;
    if (end > bytes.length) {
      return undefined;
    }
    if (bytes.readUInt16BE(at + 4) === IPTC_RESOURCE) {
      return size > 0 ? new Uint8Array(bytes.subarray(sizeAt + 4, end)) : undefined;
    }
    at = end + (size & 1);
  }
  return undefined;
}

/** IPTC-IIM records as the Photoshop image resource block that a JPEG file carries. */
export function wrapIptcForJpeg(records: Uint8Array): Uint8Array {
  const head = Buffer.from('Photoshop 3.0\0' + '8BIM' + '\0\0' + '\0\0' + '\0\0\0\0', 'latin1');
  head.writeUInt16BE(IPTC_RESOURCE, 18);
  head.writeUInt32BE(records.length, 22);
  return Buffer.concat([head, records, Buffer.alloc(records.length & 1)]);
}

const IIM_TAG_MARKER = 0x1c;
const IPTC_RESOURCE = 0x0404;

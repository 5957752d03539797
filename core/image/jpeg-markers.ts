/** The parts of a JPEG file's headers that we look at (ITU-T T.81 Annex B). */
export interface JpegHeaders {
  /** Quantisation tables by identifier 0…3, 64 values each in zigzag order. */
  readonly quantisationTables: ReadonlyMap<number, readonly number[]>;
  readonly frame: JpegFrame | undefined;
  /** True when a JFIF segment is there; then three components are Y, Cb, Cr. */
  readonly hasJfif: boolean;
  /** Colour transform of the Adobe segment: 0 none, 1 YCbCr, 2 YCCK. */
  readonly adobeTransform: number | undefined;
  /** Header segments before the first scan, in file order. */
  readonly segments: readonly JpegSegment[];
}

/** One marker segment; `start` at its 0xff byte, `end` after its last byte; the payload begins at `start + 4`. */
export interface JpegSegment {
  readonly marker: number;
  readonly start: number;
  readonly end: number;
}

/** Start of frame: sizes, coding process and components. */
export interface JpegFrame {
  readonly width: number;
  readonly height: number;
  readonly isProgressive: boolean;
  readonly components: readonly JpegComponent[];
}

/** One component of the frame with its sampling factors. */
export interface JpegComponent {
  readonly id: number;
  readonly horizontal: number;
  readonly vertical: number;
  readonly quantisationTable: number;
}

/**
 * Walks the marker segments up to the first scan. Never throws: a segment that lies about its length ends the walk, and
 * what was understood so far is returned, or undefined when the bytes do not start like a JPEG.
 */
export function parseJpegHeaders(bytes: Uint8Array): JpegHeaders | undefined {
  if (bytes.length < 4 || bytes[0] !== 0xff || bytes[1] !== 0xd8) {
    return undefined;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const quantisationTables = new Map<number, readonly number[]>();
  const segments: JpegSegment[] = [];
  let frame: JpegFrame | undefined;
  let hasJfif = false;
  let adobeTransform: number | undefined;
  for (let at = 2; at + 4 <= bytes.length; ) {
    if (bytes[at] !== 0xff) {
      break;
    }
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) {
      at += 1; // fill byte
      continue;
    }
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += 2; // stands alone
      continue;
    }
    const end = at + 2 + view.getUint16(at + 2);
    if (marker === START_OF_SCAN || marker === END_OF_IMAGE || end < at + 4 || end > bytes.length) {
      break;
    }
    segments.push({ marker, start: at, end });
    const payload = new DataView(bytes.buffer, bytes.byteOffset + at + 4, end - at - 4);
    if (marker === 0xdb) {
      readQuantisationTables(payload, quantisationTables);
    } else if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      frame ??= readFrame(payload, marker);
    } else if (marker === 0xe0 && startsWith(payload, 'JFIF\0')) {
      hasJfif = true;
    } else if (marker === 0xee && payload.byteLength >= 12 && startsWith(payload, 'Adobe')) {
      adobeTransform = payload.getUint8(11);
    }
    at = end;
  }
  return { quantisationTables, frame, hasJfif, adobeTransform, segments };
}

const START_OF_SCAN = 0xda;
const END_OF_IMAGE = 0xd9;

/** True when the payload begins with these Latin-1 characters. */
export function startsWith(payload: DataView, text: string): boolean {
  if (payload.byteLength < text.length) {
    return false;
  }
  for (let i = 0; i < text.length; i++) {
    if (payload.getUint8(i) !== text.charCodeAt(i)) {
      return false;
    }
  }
  return true;
}

function readQuantisationTables(payload: DataView, tables: Map<number, readonly number[]>): void {
  for (let at = 0; at < payload.byteLength; ) {
    const info = payload.getUint8(at);
    const is16Bit = info >> 4 !== 0;
    const length = is16Bit ? 128 : 64;
    if (at + 1 + length > payload.byteLength) {
      return;
    }
    const values: number[] = [];
    for (let i = 0; i < 64; i++) {
      values.push(is16Bit ? payload.getUint16(at + 1 + 2 * i) : payload.getUint8(at + 1 + i));
    }
    tables.set(info & 15, values);
    at += 1 + length;
  }
}

function readFrame(payload: DataView, marker: number): JpegFrame | undefined {
  if (payload.byteLength < 6) {
    return undefined;
  }
  const count = payload.getUint8(5);
  if (payload.byteLength < 6 + 3 * count) {
    return undefined;
  }
  const components: JpegComponent[] = [];
  for (let i = 0; i < count; i++) {
    const sampling = payload.getUint8(7 + 3 * i);
    components.push({
      id: payload.getUint8(6 + 3 * i),
      horizontal: sampling >> 4,
      vertical: sampling & 15,
      quantisationTable: payload.getUint8(8 + 3 * i),
    });
  }
  const isProgressive = marker === 0xc2 || marker === 0xc6 || marker === 0xca || marker === 0xce;
  return { width: payload.getUint16(3), height: payload.getUint16(1), isProgressive, components };
}

/** Colour code points of ITU-T H.273. */
export interface ColourCode {
  readonly primaries: number;
  readonly transfer: number;
}

/**
 * The first `colr` box of kind `nclx` (ISO/IEC 14496-12) in the head of an AVIF file, when it says something else than
 * sRGB or BT.709 and there is no profile instead. Never throws.
 */
export function readColourCode(bytes: Uint8Array): ColourCode | undefined {
  // the boxes that hold it come before the pixel data and are small; a search spares a whole box walker
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 65536));
  const at = head.indexOf('colrnclx', 0, 'latin1');
  if (at < 0 || at + 12 > head.length) {
    return undefined;
  }
  const primaries = head.readUInt16BE(at + 8);
  const transfer = head.readUInt16BE(at + 10);
  const isUsual = usualPrimaries.has(primaries) && usualTransfers.has(transfer);
  return isUsual ? undefined : { primaries, transfer };
}

/** BT.709 and sRGB share primaries 1; 2 is "unspecified". */
const usualPrimaries: ReadonlySet<number> = new Set([1, 2]);
/** BT.709, unspecified, BT.601, sRGB, BT.2020 8/10 bit: shown alike by every viewer of photos. */
const usualTransfers: ReadonlySet<number> = new Set([1, 2, 6, 13, 14, 15]);

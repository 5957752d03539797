/** What a PNG file declares before its pixels and our decoder does not use (PNG specification, third edition). */
export interface PngDeclarations {
  /** True for an animated PNG (`acTL` before the pixels). */
  readonly isAnimated: boolean;
  /** How colour is described when it is not sRGB and there is no ICC profile: `cICP`'s codes, or by `gAMA`/`cHRM`. */
  readonly colourCode: { readonly primaries: number; readonly transfer: number } | 'other' | undefined;
}

/** Walks the chunks up to the first pixel data. Bounded by the file's size; never throws. */
export function readPngDeclarations(bytes: Uint8Array): PngDeclarations {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let isAnimated = false;
  let hasProfile = false;
  let colourCode: PngDeclarations['colourCode'];
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    const type = Buffer.from(bytes.subarray(at + 4, at + 8)).toString('latin1');
    if (type === 'IDAT' || at + 12 + length > bytes.length) {
      break;
    }
    const numbers = (count: number): number[] =>
      Array.from({ length: Math.min(count, length >> 2) }, (_, i) => view.getUint32(at + 8 + 4 * i));
    if (type === 'acTL') {
      isAnimated = true;
    } else if (type === 'iCCP' || type === 'sRGB') {
      hasProfile = true;
    } else if (type === 'gAMA') {
      colourCode ??= isNear(numbers(1), [45455]) ? undefined : 'other';
    } else if (type === 'cHRM') {
      colourCode ??= isNear(numbers(8), srgbChromaticities) ? undefined : 'other';
    } else if (type === 'cICP') {
      // stands above all others; in ITU-T H.273 primaries 1 and transfer 13 are sRGB
      const [primaries, transfer] = [bytes[at + 8] ?? 0, bytes[at + 9] ?? 0];
      colourCode = { primaries, transfer };
      hasProfile = primaries === 1 && transfer === 13;
      break;
    }
    at += 12 + length;
  }
  return { isAnimated, colourCode: hasProfile ? undefined : colourCode };
}

/** White, red, green, blue as x and y times 100000. */
const srgbChromaticities = [31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000];

function isNear(values: readonly number[], expected: readonly number[]): boolean {
  return values.length === expected.length && values.every((value, i) => Math.abs(value - (expected[i] ?? 0)) <= 500);
}

import { type JpegFrame, parseJpegHeaders } from './jpeg-markers.js';

/** How strongly a JPEG file was compressed, as its own headers tell. */
export interface JpegCompression {
  /** IJG quality 1…100 whose luminance table is equal or nearest to the file's; what `-quality` means to most tools. */
  readonly quality: number;
  /** True when the luminance table is exactly the IJG table of that quality; else `quality` is a comparison. */
  readonly isStandardTable: boolean;
  /** Chroma subsampling, such as `4:2:0`; `gray` for one component, `other` for unusual factors or four components. */
  readonly subsampling: '4:4:4' | '4:2:2' | '4:2:0' | '4:4:0' | '4:1:1' | '4:1:0' | 'gray' | 'other';
  readonly isProgressive: boolean;
}

/**
 * Estimates the compression of a JPEG file from its headers, without decoding. Undefined when the headers hold no frame
 * or no luminance table. Never throws.
 */
export function estimateJpegCompression(bytes: Uint8Array): JpegCompression | undefined {
  const headers = parseJpegHeaders(bytes);
  const frame = headers?.frame;
  const first = frame?.components[0];
  if (headers === undefined || frame === undefined || first === undefined) {
    return undefined;
  }
  const table = headers.quantisationTables.get(first.quantisationTable);
  if (table === undefined) {
    return undefined;
  }
  return { ...nearestIjgQuality(table), subsampling: subsamplingOf(frame), isProgressive: frame.isProgressive };
}

/** The luminance table that the IJG library makes for a quality 1…100, zigzag order, 8-bit baseline range 1…255. */
export function ijgLuminanceTable(quality: number): readonly number[] {
  // jpeg_quality_scaling and jpeg_add_quant_table of the IJG library, integer arithmetic
  const scale = quality < 50 ? Math.floor(5000 / quality) : 200 - 2 * quality;
  return standardLuminance.map((value) => Math.min(255, Math.max(1, Math.floor((value * scale + 50) / 100))));
}

/** ITU-T T.81 Table K.1, zigzag order. */
const standardLuminance: readonly number[] = [
  16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61,
  60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77, 113, 121,
  112, 100, 120, 92, 101, 103, 99,
];

function nearestIjgQuality(table: readonly number[]): { quality: number; isStandardTable: boolean } {
  let quality = 1;
  let smallest = Infinity;
  for (let candidate = 1; candidate <= 100 && smallest > 0; candidate++) {
    const expected = ijgLuminanceTable(candidate);
    let distance = 0;
    for (let i = 0; i < 64 && distance < smallest; i++) {
      // relative, because a step of 4 means much at 8 and nothing at 200
      distance += Math.abs(Math.log((table[i] || 1) / (expected[i] ?? 1)));
    }
    if (distance < smallest) {
      smallest = distance;
      quality = candidate;
    }
  }
  return { quality, isStandardTable: smallest === 0 };
}

function subsamplingOf(frame: JpegFrame): JpegCompression['subsampling'] {
  const [luma, cb, cr, fourth] = frame.components;
  if (luma === undefined || cb === undefined) {
    return 'gray';
  }
  const isUsual =
    cr !== undefined && fourth === undefined && cb.horizontal === cr.horizontal && cb.vertical === cr.vertical;
  if (!isUsual) {
    return 'other';
  }
  return subsamplingNames.get(`${luma.horizontal / cb.horizontal}x${luma.vertical / cb.vertical}`) ?? 'other';
}

const subsamplingNames: ReadonlyMap<string, JpegCompression['subsampling']> = new Map([
  ['1x1', '4:4:4'],
  ['2x1', '4:2:2'],
  ['2x2', '4:2:0'],
  ['1x2', '4:4:0'],
  ['4x1', '4:1:1'],
  ['4x2', '4:1:0'],
]);

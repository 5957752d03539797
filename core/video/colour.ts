import { MambairError } from '../errors.js';

/** How luma and chroma were made from red, green and blue; ffprobe's names of `color_space`. */
export type YuvMatrix = 'bt709' | 'bt470bg' | 'smpte170m' | 'fcc' | 'smpte240m' | 'bt2020nc';

/** Luma weights of red and blue; green has the rest. ITU-T H.273, table 4. */
const weights: Readonly<Record<YuvMatrix, { readonly red: number; readonly blue: number }>> = {
  bt709: { red: 0.2126, blue: 0.0722 },
  bt470bg: { red: 0.299, blue: 0.114 },
  smpte170m: { red: 0.299, blue: 0.114 },
  fcc: { red: 0.3, blue: 0.11 },
  smpte240m: { red: 0.212, blue: 0.087 },
  bt2020nc: { red: 0.2627, blue: 0.0593 },
};

/** `limited`: black and white are codes 16 and 235 of 8 bits; `full`: 0 and 255. */
export type ColourRange = 'limited' | 'full';

/** Where the chroma sample of a 2×2 block of luma samples lies; ffprobe's names of `chroma_location`. */
export type ChromaLocation = 'left' | 'center' | 'topleft' | 'top' | 'bottomleft' | 'bottom';

/** What codes mean. `matrix` and `chromaLocation` are without meaning for gray and RGB formats. */
export interface FrameColour {
  readonly matrix: YuvMatrix;
  readonly range: ColourRange;
  readonly chromaLocation: ChromaLocation;
}

/** Tags that say nothing. */
const unknownTags = ['unknown', 'unspecified', 'reserved', 'N/A', ''];

/**
 * The matrix to use for a clip: the tagged one; without a tag BT.709 from 720 lines on and BT.601 below, as players do.
 * @throws MAMBAIR_VIDEO_UNSUPPORTED for matrices that are no linear function of the coded R'G'B', such as `bt2020c`, `ictcp`
 */
export function matrixForTag(tag: string | undefined, height: number): YuvMatrix {
  if (tag === undefined || unknownTags.includes(tag)) {
    return height >= 720 ? 'bt709' : 'smpte170m';
  }
  if (!Object.hasOwn(weights, tag)) {
    throw new MambairError(
      'MAMBAIR_VIDEO_UNSUPPORTED',
      `expected a matrix (color_space) of ${Object.keys(weights).join(', ')}, got "${tag}"; convert the clip to one of them`,
      { detail: { matrix: tag } },
    );
  }
  return tag as YuvMatrix;
}

/** Weights of R', G', B' in luma; they sum to 1. */
export function lumaWeights(matrix: YuvMatrix): {
  readonly red: number;
  readonly green: number;
  readonly blue: number;
} {
  const { red, blue } = weights[matrix];
  return { red, green: 1 - red - blue, blue };
}

/** Codes of black and neutral, and code steps per unit: signal = (code − offset)/scale. */
export interface CodeScale {
  readonly lumaOffset: number;
  readonly lumaScale: number;
  readonly chromaOffset: number;
  readonly chromaScale: number;
  /** The largest code. */
  readonly max: number;
}

/** ITU-T H.273, equations 20 to 28: limited range scales with 2^(depth − 8), full range uses every code. */
export function codeScale(depth: number, range: ColourRange): CodeScale {
  const step = 2 ** (depth - 8);
  const max = 2 ** depth - 1;
  return range === 'limited'
    ? { lumaOffset: 16 * step, lumaScale: 219 * step, chromaOffset: 128 * step, chromaScale: 224 * step, max }
    : { lumaOffset: 0, lumaScale: max, chromaOffset: 128 * step, chromaScale: max, max };
}

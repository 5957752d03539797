import { MambairError } from '../errors.js';

/** One tile along one axis, in input pixels. */
export interface TileSpan {
  /** The tile reads `[start, end)`. The last tile of an official plan may end beyond the image: those pixels are mirrored. */
  readonly start: number;
  readonly end: number;
  /** Of its result `[keepStart, keepEnd)` is used, which lies in the image. */
  readonly keepStart: number;
  readonly keepEnd: number;
  /** The first `fadeIn` and the last `fadeOut` kept pixels are shared with the neighbour and blended; 0 is a hard cut. */
  readonly fadeIn: number;
  readonly fadeOut: number;
}

/** The tiles along one axis, in order. Kept parts cover `[0, length)`; they overlap in the fades only. */
export interface AxisPlan {
  readonly length: number;
  readonly spans: readonly TileSpan[];
}

/** The tiles of a picture: every row span with every column span. */
export interface TilePlan {
  readonly rows: AxisPlan;
  readonly columns: AxisPlan;
}

/** One tile of a {@link TilePlan}. */
export interface TileRectangle {
  readonly rows: TileSpan;
  readonly columns: TileSpan;
}

/** One tile over the whole axis. */
export function planWholeAxis(length: number): AxisPlan {
  return { length, spans: [{ start: 0, end: length, keepStart: 0, keepEnd: length, fadeIn: 0, fadeOut: 0 }] };
}

/**
 * The tiles of the official test scripts of MambaIR, MambaIRv2 and MaIR: about 100 to 200 pixels, a tenth more on each
 * inner side, padded at the end to equal tiles, cut hard.
 */
export function planOfficialAxis(length: number): AxisPlan {
  const count = Math.floor(length / 200) + 1;
  const tile = Math.ceil(length / count);
  const overlap = Math.floor(tile / 10);
  const spans = Array.from({ length: count }, (_, i) => ({
    start: i === 0 ? 0 : i * tile - overlap,
    end: i === count - 1 ? count * tile : (i + 1) * tile + overlap,
    keepStart: i * tile,
    keepEnd: Math.min(length, (i + 1) * tile),
    fadeIn: 0,
    fadeOut: 0,
  }));
  return { length, spans };
}

/**
 * Tiles start and end at multiples of this: the networks work in windows of 8 or 16 pixels, counted from the tile's
 * corner, and neighbouring tiles agree best when their windows lie on one grid.
 */
const windowSide = 16;

/**
 * Tiles of at most `tile` pixels that share at least `overlap`, both in whole windows of 16 pixels: as few as possible,
 * spread evenly, none much smaller than the others. What two tiles share is blended, except where a third tile would
 * come in: there the outermost context is left out.
 * @throws MAMBAIR_OPTION_INVALID unless 0 ≤ overlap ≤ tile / 2 and tile ≥ 16
 */
export function planAxis(length: number, options: { readonly tile: number; readonly overlap: number }): AxisPlan {
  const { tile, overlap } = options;
  if (!(tile >= windowSide && overlap >= 0 && overlap <= tile / 2)) {
    throw new MambairError(
      'MAMBAIR_OPTION_INVALID',
      `tiles are at least ${windowSide} pixels and share 0 to half their side, not tile ${tile} with overlap ${overlap}`,
    );
  }
  if (length <= tile) {
    return planWholeAxis(length);
  }
  // from here on in windows
  const total = Math.ceil(length / windowSide);
  const most = Math.floor(tile / windowSide);
  const least = Math.min(Math.ceil(overlap / windowSide), Math.floor(most / 2));
  const count = Math.ceil((total - least) / (most - least));
  const size = Math.ceil((total + (count - 1) * least) / count);
  const starts = Array.from({ length: count }, (_, i) => Math.floor((i * (total - size)) / (count - 1)) * windowSide);
  const ends = starts.map((start) => Math.min(length, start + size * windowSide));
  const shared = starts.slice(1).map((start, i) => ends[i]! - start);
  const widestFade = size * windowSide - Math.max(...shared);
  const fades = shared.map((pixels) => Math.min(pixels, widestFade));
  const fadeStarts = fades.map((fade, i) => starts[i + 1]! + Math.floor((shared[i]! - fade) / 2));
  const spans = starts.map((start, i) => ({
    start,
    end: ends[i]!,
    keepStart: i === 0 ? 0 : fadeStarts[i - 1]!,
    keepEnd: i === count - 1 ? length : fadeStarts[i]! + fades[i]!,
    fadeIn: i === 0 ? 0 : fades[i - 1]!,
    fadeOut: i === count - 1 ? 0 : fades[i]!,
  }));
  return { length, spans };
}

/** Rows and columns of the largest tile of a plan: what the network's memory depends on. */
export function largestTile(plan: TilePlan): { readonly height: number; readonly width: number } {
  const longest = (axis: AxisPlan): number => Math.max(...axis.spans.map((span) => span.end - span.start));
  return { height: longest(plan.rows), width: longest(plan.columns) };
}

/** How many tiles a plan has. */
export function tileCount(plan: TilePlan): number {
  return plan.rows.spans.length * plan.columns.spans.length;
}

/** The input pixels a span reads: its own, and beyond the end those mirrored at the last one, which is not repeated. */
export function sourceIndices(span: TileSpan, length: number): Int32Array {
  return Int32Array.from({ length: span.end - span.start }, (_, i) => {
    const position = span.start + i;
    return position < length ? position : 2 * (length - 1) - position;
  });
}

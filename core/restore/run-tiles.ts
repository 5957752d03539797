import { throwIfCancelled } from '../errors.js';
import { blendRow, fadeWeights } from './blend.js';
import { inOrder } from './in-order.js';
import type { Progress } from './options.js';
import type { PlanarRows } from './tensor-tiles.js';
import { allocateFloats } from './tensor-tiles.js';
import type { TilePlan, TileRectangle, TileSpan } from './tile-plan.js';
import { tileCount } from './tile-plan.js';

/** What {@link runTiles} needs to know. */
export interface TileJob {
  readonly plan: TilePlan;
  readonly scale: number;
  readonly channels: number;
  /** Gives the planes `[h · scale, w · scale]` of one tile's result; `report` takes the fraction done of this tile. */
  readonly restoreTile: (tile: TileRectangle, report: (fraction: number) => void) => Promise<readonly Float32Array[]>;
  readonly emit: (rows: PlanarRows) => Promise<void>;
  /** Tiles that are restored at a time: their results are joined in order. @default 1 */
  readonly tilesAtOnce?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((progress: Progress) => void) | undefined;
}

/**
 * Runs the tiles of a plan row by row and joins their results: kept parts side by side, fades blended, first across,
 * then down. Holds one row of tiles in float32; finished rows leave at once.
 * @throws MAMBAIR_CANCELLED between tiles, MAMBAIR_OUT_OF_MEMORY, and what `restoreTile` and `emit` throw
 */
export async function runTiles(job: TileJob): Promise<void> {
  const { plan, scale, signal } = job;
  const total = tileCount(plan);
  const width = plan.columns.length * scale;
  const underWay = new Map<TileRectangle, number>();
  let finishedTiles = 0;
  const report = (): void => {
    const done = [...underWay.values()].reduce((sum, fraction) => sum + fraction, finishedTiles);
    job.progress?.({ done, total, unit: 'tiles' });
  };
  const restore = async (tile: TileRectangle): Promise<readonly Float32Array[]> => {
    throwIfCancelled(signal);
    underWay.set(tile, 0);
    const planes = await job.restoreTile(tile, (fraction) => {
      underWay.set(tile, fraction);
      report();
    });
    underWay.delete(tile);
    finishedTiles += 1;
    report();
    return planes;
  };

  const [firstRow] = plan.rows.spans;
  const [firstColumn] = plan.columns.spans;
  if (total === 1 && firstRow?.end === plan.rows.length && firstColumn?.end === plan.columns.length) {
    const planes = await restore({ rows: firstRow, columns: firstColumn });
    await job.emit({ firstRow: 0, rowCount: plan.rows.length * scale, width, planes });
    return;
  }

  const keptRows = (span: TileSpan): number => (span.keepEnd - span.keepStart) * scale;
  const stripRows = Math.max(...plan.rows.spans.map(keptRows));
  const carryRows = Math.max(...plan.rows.spans.map((span) => span.fadeOut)) * scale;
  const planesOf = (rows: number): Float32Array[] =>
    Array.from({ length: job.channels }, () => allocateFloats(rows * width));
  const strip = planesOf(stripRows);
  /** The last rows of the strip above, which the next one fades over. */
  const carry = planesOf(carryRows);
  const tiles = plan.rows.spans.flatMap((rows) => plan.columns.spans.map((columns) => ({ rows, columns })));
  for await (const { item: tile, result: planes } of inOrder(tiles, job.tilesAtOnce ?? 1, restore)) {
    const { rows, columns } = tile;
    placeTile(tile, { planes, scale, strip, width });
    if (columns !== plan.columns.spans.at(-1)) {
      continue;
    }
    const fadeIn = rows.fadeIn * scale;
    const fadeOut = rows.fadeOut * scale;
    const rowCount = keptRows(rows) - fadeOut;
    for (const [c, plane] of strip.entries()) {
      fadeDown(plane, carry[c]!, fadeIn, width);
      carry[c]!.set(plane.subarray(rowCount * width, (rowCount + fadeOut) * width));
    }
    throwIfCancelled(signal);
    const finished = strip.map((plane) => plane.subarray(0, rowCount * width));
    await job.emit({ firstRow: rows.keepStart * scale, rowCount, width, planes: finished });
  }
}

/** Copies the kept part of a tile's result into the strip, blended with the tile to its left over the fade. */
function placeTile(
  { rows, columns }: TileRectangle,
  join: {
    readonly planes: readonly Float32Array[];
    readonly scale: number;
    readonly strip: readonly Float32Array[];
    readonly width: number;
  },
): void {
  const { planes, scale, strip, width } = join;
  const tileWidth = (columns.end - columns.start) * scale;
  const weights = fadeWeights(columns.fadeIn * scale);
  const left = (columns.keepStart - columns.start) * scale;
  const kept = (columns.keepEnd - columns.keepStart) * scale;
  for (const [c, plane] of planes.entries()) {
    for (let y = 0; y < (rows.keepEnd - rows.keepStart) * scale; y += 1) {
      const source = ((rows.keepStart - rows.start) * scale + y) * tileWidth + left;
      const target = y * width + columns.keepStart * scale;
      blendRow(strip[c]!, target, { data: plane, offset: source }, weights);
      strip[c]!.set(plane.subarray(source + weights.length, source + kept), target + weights.length);
    }
  }
}

/** Replaces the first rows of a strip by the blend from the rows carried over to them. */
function fadeDown(strip: Float32Array, carry: Float32Array, rowCount: number, width: number): void {
  const weights = fadeWeights(rowCount);
  for (let y = 0; y < rowCount; y += 1) {
    for (let i = y * width; i < (y + 1) * width; i += 1) {
      strip[i] = carry[i]! + weights[y]! * (strip[i]! - carry[i]!);
    }
  }
}

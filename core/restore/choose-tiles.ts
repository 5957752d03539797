import type { Network } from '../executors/executor.js';
import type { RestoreOptions } from './options.js';
import { defaultMemoryBytes, smallestTile } from './options.js';
import type { AxisPlan, TilePlan } from './tile-plan.js';
import { largestTile, planAxis, planOfficialAxis, planWholeAxis } from './tile-plan.js';

interface Size {
  readonly height: number;
  readonly width: number;
}

/** Sides that are tried are multiples of this. */
const sideStep = 16;

/** The overlap where none is asked for: 32 pixels, less in small tiles. */
export function defaultOverlap(tile: number): number {
  return Math.min(32, Math.floor(tile / 4));
}

function planBothAxes(size: Size, plan: (length: number) => AxisPlan): TilePlan {
  return { rows: plan(size.height), columns: plan(size.width) };
}

/** Tiles of at most `tile` pixels a side; an overlap that is too wide for them is narrowed to half a tile. */
export function planTilesOf(size: Size, tile: number, overlap: number | undefined): TilePlan {
  const shared = Math.min(overlap ?? defaultOverlap(tile), Math.floor(tile / 2));
  return planBothAxes(size, (length) => planAxis(length, { tile, overlap: shared }));
}

/** Bytes beside the network: the tiles in and out, and the rows under way, all float32 (see `runTiles`). */
function bytesBesideNetwork(plan: TilePlan, network: Network, channels: number): number {
  const { height, width } = largestTile(plan);
  const area = network.scale ** 2;
  const isWhole = plan.rows.spans.length * plan.columns.spans.length === 1;
  const tileBytes = 4 * channels * height * width * (1 + area);
  const tilesAtOnce = isWhole ? 1 : (network.runsAtOnce ?? 1);
  return tilesAtOnce * tileBytes + (isWhole ? 0 : 4 * channels * height * plan.columns.length * area);
}

/**
 * The tiles of a picture for `options.tile`. `channels` counts the picture's, alpha included. `auto` takes the whole
 * picture if that fits the memory, else the largest square tiles that do, at least {@link smallestTile} wide. A tile
 * beyond what the executor can address at all is never planned: the largest possible one takes its place, with a
 * warning.
 */
export function chooseTiles(
  network: Network,
  size: Size,
  options: RestoreOptions & { readonly channels: number },
): TilePlan {
  const { tile, overlap, channels, warn } = options;
  const whole = planBothAxes(size, planWholeAxis);
  const asked =
    tile === 'official'
      ? planBothAxes(size, planOfficialAxis)
      : typeof tile === 'number'
        ? planTilesOf(size, tile, overlap)
        : whole;
  const fits = (plan: TilePlan, budget: number): boolean => {
    const { height, width } = largestTile(plan);
    const { totalBytes, limitBytes } = network.plan(height, width);
    return totalBytes <= limitBytes && totalBytes + bytesBesideNetwork(plan, network, channels) <= budget;
  };
  const budget = tile === 'auto' ? (options.memoryBytes ?? defaultMemoryBytes) : Number.POSITIVE_INFINITY;
  if (fits(asked, budget)) {
    return asked;
  }
  let side = smallestTile;
  // Both ends are multiples of the step: else the middle of the last two could be the lower one, for ever.
  let tooLarge = (Math.ceil(Math.max(size.height, size.width, smallestTile) / sideStep) + 1) * sideStep;
  while (tooLarge - side > sideStep) {
    const middle = Math.floor((side + tooLarge) / 2 / sideStep) * sideStep;
    if (fits(planTilesOf(size, middle, overlap), budget)) {
      side = middle;
    } else {
      tooLarge = middle;
    }
  }
  const chosen = planTilesOf(size, side, overlap);
  if (tile !== 'auto') {
    warn?.('MAMBAIR_OUT_OF_MEMORY', `tiles of "${tile}" are more than the device can hold; using ${side} pixels`);
  } else if (!fits(chosen, budget)) {
    warn?.(
      'MAMBAIR_OUT_OF_MEMORY',
      `${Math.round(budget / 2 ** 20)} MiB hold no tile; using the smallest, ${side} pixels, and more memory`,
    );
  }
  return chosen;
}

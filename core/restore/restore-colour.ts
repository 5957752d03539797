import type { GuardedNetwork, TilePlace } from './failure-policy.js';
import { tensorFromPlanes, tensorPlanes } from './tensor-tiles.js';

/** Where a tile lies and how large it is, in input pixels. */
export interface PlacedTile extends TilePlace {
  readonly height: number;
  readonly width: number;
}

async function runPlanes(
  guarded: GuardedNetwork,
  planes: readonly Float32Array[],
  tile: PlacedTile,
): Promise<readonly Float32Array[]> {
  return tensorPlanes(await guarded.run(tensorFromPlanes(planes, tile.height, tile.width), tile));
}

/** Gray through an RGB network: three times the same in, the mean of what comes out. */
async function restoreGrayAsRgb(
  guarded: GuardedNetwork,
  gray: Float32Array,
  tile: PlacedTile,
): Promise<readonly Float32Array[]> {
  const [red, green, blue] = await runPlanes(guarded, [gray, gray, gray], tile);
  const mean = new Float32Array(red!.length);
  for (let i = 0; i < mean.length; i += 1) {
    mean[i] = (red![i]! + green![i]! + blue![i]!) / 3;
  }
  return [mean];
}

/**
 * Restores the luma and keeps the chroma. With Y = 0.299 R + 0.587 G + 0.114 B (JFIF) and fixed Cb and Cr, a change of
 * Y moves all three channels by the same amount, so no conversion back is needed and none rounds.
 */
async function restoreLuma(
  guarded: GuardedNetwork,
  [red, green, blue]: readonly [Float32Array, Float32Array, Float32Array],
  tile: PlacedTile,
): Promise<readonly Float32Array[]> {
  const luma = new Float32Array(red.length);
  for (let i = 0; i < luma.length; i += 1) {
    luma[i] = 0.299 * red[i]! + 0.587 * green[i]! + 0.114 * blue[i]!;
  }
  const [restored] = await runPlanes(guarded, [luma], tile);
  const result = [red, green, blue].map((plane) => plane.slice());
  for (const plane of result) {
    for (let i = 0; i < luma.length; i += 1) {
      plane[i]! += restored![i]! - luma[i]!;
    }
  }
  return result;
}

/** A gray network that upscales does so with each channel as a picture of its own. */
async function restoreEachChannel(
  guarded: GuardedNetwork,
  planes: readonly Float32Array[],
  tile: PlacedTile,
): Promise<readonly Float32Array[]> {
  const results: Float32Array[] = [];
  for (const [c, plane] of planes.entries()) {
    const report = (fraction: number): void => tile.report?.((c + fraction) / planes.length);
    results.push(...(await runPlanes(guarded, [plane], { ...tile, report })));
  }
  return results;
}

/**
 * Takes gray (one plane) or RGB (three planes `[h, w]` in [0, 1]) through a gray or an RGB network and gives as many
 * planes `[h · scale, w · scale]`.
 * @throws what {@link GuardedNetwork.run} throws
 */
export function restoreColour(
  guarded: GuardedNetwork,
  planes: readonly Float32Array[],
  tile: PlacedTile,
): Promise<readonly Float32Array[]> {
  const [red, green, blue] = planes;
  if (planes.length === guarded.channels) {
    return runPlanes(guarded, planes, tile);
  }
  if (red !== undefined && green !== undefined && blue !== undefined) {
    return guarded.scale === 1
      ? restoreLuma(guarded, [red, green, blue], tile)
      : restoreEachChannel(guarded, planes, tile);
  }
  return restoreGrayAsRgb(guarded, red!, tile);
}

import { MambairError } from '../errors.js';
import type { Network } from '../executors/executor.js';
import type { PixelImage, RowSink } from '../image/pixels.js';
import { keepHiddenColours, limitAlpha, opacityOf, repeatPixels } from './alpha.js';
import { chooseTiles } from './choose-tiles.js';
import { GuardedNetwork } from './failure-policy.js';
import { fillTransparent } from './fill-transparent.js';
import type { RestoreOptions } from './options.js';
import { checkRestoreOptions } from './options.js';
import { createPixels, isFiniteData, quantise, whiteLevel } from './pixel-tensor.js';
import type { PlacedTile } from './restore-colour.js';
import { restoreColour } from './restore-colour.js';
import { runTiles } from './run-tiles.js';
import type { PlanarRows } from './tensor-tiles.js';
import type { TileRectangle } from './tile-plan.js';
import { sourceIndices } from './tile-plan.js';

/** About how many bytes of finished rows a sink is handed at once. */
const pieceBytes = 4 * 2 ** 20;

/** The planes `[h, w]` a tile reads of an image, in [0, 1], mirrored beyond the end. */
function readPlanes(image: PixelImage, { rows, columns }: TileRectangle): Float32Array[] {
  const { channels, data } = image;
  const white = whiteLevel(data);
  const rowIndices = sourceIndices(rows, image.height);
  const columnIndices = sourceIndices(columns, image.width);
  return Array.from({ length: channels }, (_, c) => {
    const plane = new Float32Array(rowIndices.length * columnIndices.length);
    let at = 0;
    for (const y of rowIndices) {
      for (const x of columnIndices) {
        plane[at] = data[(y * image.width + x) * channels + c]! / white;
        at += 1;
      }
    }
    return plane;
  });
}

/** Restores what one tile reads: colour and, if there is any, alpha on its own. */
async function restoreTile(
  guarded: GuardedNetwork,
  planes: readonly Float32Array[],
  tile: PlacedTile,
): Promise<readonly Float32Array[]> {
  const { height, width } = tile;
  const { scale } = guarded;
  const hasAlpha = planes.length % 2 === 0;
  const alpha = hasAlpha ? planes.at(-1)! : undefined;
  const colour = hasAlpha ? planes.slice(0, -1) : planes;
  const opacity = alpha === undefined ? 'opaque' : opacityOf(alpha);
  const size = { height, width, scale };
  if (opacity === 'transparent') {
    return planes.map((plane) => repeatPixels(plane, size));
  }
  if (alpha === undefined) {
    return restoreColour(guarded, colour, tile);
  }
  const filled = fillTransparent(colour, alpha, size);
  if (opacity === 'opaque' || scale === 1) {
    const restored = await restoreColour(guarded, filled, tile);
    if (scale === 1) {
      // denoising and JPEG repair are about colour: alpha stays as it is, and so does what it hides
      keepHiddenColours(restored, colour, alpha);
    }
    return [...restored, repeatPixels(alpha, size)];
  }
  const half = (from: number): PlacedTile => ({ ...tile, report: (fraction) => tile.report?.(from + fraction / 2) });
  const restored = await restoreColour(guarded, filled, half(0));
  const [restoredAlpha] = await restoreColour(guarded, [alpha], half(0.5));
  limitAlpha(restoredAlpha!, alpha, size);
  return [...restored, restoredAlpha!];
}

/** Rounds finished rows to pixels of the image's depth and hands them on in pieces of a few MiB. */
async function writeRows(rows: PlanarRows, like: PixelImage, sink: RowSink): Promise<void> {
  const { channels } = like;
  const rowBytes = rows.width * channels * like.data.BYTES_PER_ELEMENT;
  const rowsAtOnce = Math.min(rows.rowCount, Math.max(1, Math.floor(pieceBytes / rowBytes)));
  const piece = createPixels(like.data, rowsAtOnce * rows.width * channels);
  for (let first = 0; first < rows.rowCount; first += rowsAtOnce) {
    const height = Math.min(rowsAtOnce, rows.rowCount - first);
    for (const [c, plane] of rows.planes.entries()) {
      const values = plane.subarray(first * rows.width, (first + height) * rows.width);
      quantise(values, piece, { offset: c, stride: channels });
    }
    const data = piece.subarray(0, height * rows.width * channels);
    await sink.write({ width: rows.width, height, channels, data });
  }
}

function requireImage({ width, height, channels, data }: PixelImage): void {
  const isSize = Number.isInteger(width) && Number.isInteger(height) && width >= 1 && height >= 1;
  if (!isSize || ![1, 2, 3, 4].includes(channels) || data.length !== width * height * channels) {
    throw new MambairError(
      'MAMBAIR_SHAPE_MISMATCH',
      `an image of ${width} × ${height} × ${channels} needs at least 1 × 1 pixels, 1 to 4 channels and as many samples, ` +
        `it has ${data.length}`,
    );
  }
  if (data.BYTES_PER_ELEMENT === 4 && !isFiniteData(data as Float32Array)) {
    throw new MambairError('MAMBAIR_NOT_FINITE', 'the image to restore holds NaN or infinite samples');
  }
}

/** Collects all rows in one image. @throws MAMBAIR_OUT_OF_MEMORY when it is too large for one array */
function collector(like: PixelImage, scale: number): { readonly sink: RowSink; readonly result: PixelImage } {
  const width = like.width * scale;
  const height = like.height * scale;
  let data: PixelImage['data'];
  try {
    data = createPixels(like.data, width * height * like.channels);
  } catch (cause) {
    throw new MambairError(
      'MAMBAIR_OUT_OF_MEMORY',
      `the result of ${width} × ${height} pixels does not fit one array; take it row by row through a sink`,
      { cause },
    );
  }
  let at = 0;
  const write = (rows: PixelImage): Promise<void> => {
    data.set(rows.data, at);
    at += rows.data.length;
    return Promise.resolve();
  };
  return { sink: { write }, result: { width, height, channels: like.channels, data } };
}

/**
 * Takes a picture through a network: width and height times `network.scale`, same channels, same depth.
 *
 * Tiles run one after the other; finished rows are rounded half to even and leave through `sink`, so that a picture
 * larger than memory passes. Without a sink the whole result is returned.
 * Gray goes through RGB networks as gray. Colour through a gray network: at ×1 its luma is restored and its chroma kept
 * (JPEG repair), else each channel is upscaled by itself. Alpha is upscaled on its own (at ×1 kept exactly), opaque and
 * empty areas stay so, and colours unseen under full transparency do not bleed out.
 * @throws MAMBAIR_SHAPE_MISMATCH, MAMBAIR_OPTION_INVALID, MAMBAIR_NOT_FINITE, MAMBAIR_OUT_OF_MEMORY,
 * MAMBAIR_DEVICE_LOST, MAMBAIR_CANCELLED, and what the sink throws
 */
export async function restoreImage(network: Network, image: PixelImage, options: RestoreOptions): Promise<PixelImage>;
export async function restoreImage(
  network: Network,
  image: PixelImage,
  options: RestoreOptions,
  sink: RowSink,
): Promise<void>;
export async function restoreImage(
  network: Network,
  image: PixelImage,
  options: RestoreOptions,
  sink?: RowSink,
): Promise<PixelImage | void> {
  checkRestoreOptions(options);
  requireImage(image);
  const guarded = new GuardedNetwork(network, options);
  const collected = sink === undefined ? collector(image, network.scale) : undefined;
  const target = sink ?? collected!.sink;
  await runTiles({
    plan: chooseTiles(network, image, { ...options, channels: image.channels }),
    scale: network.scale,
    tilesAtOnce: network.runsAtOnce,
    channels: image.channels,
    signal: options.signal,
    progress: options.progress,
    restoreTile: (tile, report) =>
      restoreTile(guarded, readPlanes(image, tile), {
        originX: tile.columns.start,
        originY: tile.rows.start,
        height: tile.rows.end - tile.rows.start,
        width: tile.columns.end - tile.columns.start,
        report,
      }),
    emit: (rows) => writeRows(rows, image, target),
  });
  return collected?.result;
}

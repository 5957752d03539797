import type { ErrorCode } from '../errors.js';
import { MambairError } from '../errors.js';
import type { Network } from '../executors/executor.js';

/** How far a long call is. `done` grows from 0 to `total`; it moves in fractions while a tile runs. */
export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly unit: 'tiles';
}

/** How a picture is taken through a network. */
export interface RestoreOptions {
  /**
   * - `auto`: the whole picture where the memory allows it, else the largest tiles that fit;
   * - `whole`: one tile;
   * - `official`: the papers' tiles, cut hard (figures are comparable, seams can show);
   * - a number: tiles of at most this many pixels a side, 32 or more.
   */
  readonly tile: 'auto' | 'whole' | 'official' | number;
  /** Pixels that neighbouring tiles share at least, blended; 0 up to half a tile. */
  readonly overlap?: number;
  /** What network, tile and rows may take together, in bytes (default 1 GiB); only `auto` looks at it. */
  readonly memoryBytes?: number;
  /** `seeded` draws the router's noise from the position in the picture, so tiles agree; `argmax` draws none. */
  readonly routing: 'seeded' | 'argmax';
  /** uint32, default 0. */
  readonly seed?: number;
  /** Stops between the steps of a tile; no result appears. */
  readonly signal?: AbortSignal;
  /** Called now and then, with the work done so far. */
  readonly progress?: (progress: Progress) => void;
  /** Told what went wrong and was mended: smaller tiles, another network. */
  readonly warn?: (code: ErrorCode, message: string) => void;
  /**
   * Finds another network when one has failed in a way that smaller tiles do not mend; asked again if that one fails, too.
   * Undefined when nothing helps.
   */
  readonly recover?: (failed: Network, code: ErrorCode) => Promise<Recovered | undefined>;
}

/** A network to go on with. */
export interface Recovered {
  readonly network: Network;
  /** How it runs, to end the sentence "going on …"; absent when this was said before. */
  readonly how?: string;
}

/** 1 GiB. */
export const defaultMemoryBytes = 2 ** 30;

/** The smallest tile side that is tried, in pixels: below it nearly everything is overlap. */
export const smallestTile = 32;

function invalid(option: string, expected: string, got: unknown): MambairError {
  return new MambairError('MAMBAIR_OPTION_INVALID', `${option} must be ${expected}, not ${String(got)}`, {
    detail: { option },
  });
}

/** Checks what types cannot. @throws MAMBAIR_OPTION_INVALID naming the option */
export function checkRestoreOptions({ tile, overlap, memoryBytes, seed }: RestoreOptions): void {
  if (typeof tile === 'number' && !(Number.isInteger(tile) && tile >= smallestTile)) {
    throw invalid('tile', `"auto", "whole", "official" or a whole number from ${smallestTile}`, tile);
  }
  if (overlap !== undefined && !(Number.isInteger(overlap) && overlap >= 0)) {
    throw invalid('overlap', 'a whole number of pixels, 0 or more', overlap);
  }
  if (overlap !== undefined && typeof tile === 'number' && overlap > tile / 2) {
    throw invalid('overlap', `at most half a tile (${Math.floor(tile / 2)})`, overlap);
  }
  if (memoryBytes !== undefined && !(memoryBytes > 0)) {
    throw invalid('memoryBytes', 'a positive number of bytes', memoryBytes);
  }
  if (seed !== undefined && !(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32)) {
    throw invalid('seed', 'a whole number from 0 to 4294967295', seed);
  }
}

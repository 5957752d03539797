import { type ErrorCode, isMambairError, MambairError } from '../errors.js';
import type { Network, Routing, RunOptions } from '../executors/executor.js';
import type { CodedPictures } from '../tensor/coded-picture.js';
import type { Tensor } from '../tensor/tensor.js';
import { planTilesOf } from './choose-tiles.js';
import type { RestoreOptions } from './options.js';
import { smallestTile } from './options.js';
import { isFiniteData } from './pixel-tensor.js';
import { runTiles } from './run-tiles.js';
import { copyRows, createTensor, cropTensor, tensorPlanes } from './tensor-tiles.js';

/** Where a tile lies in the picture, in input pixels, and who wants to know how far it is. */
export interface TilePlace {
  readonly originX: number;
  readonly originY: number;
  /** Takes the fraction done, 0 to 1. */
  readonly report?: (fraction: number) => void;
}

/**
 * The largest tiles that networks had memory for, in pixels a side: kept for their next pictures, so that not each of
 * them begins with a tile that fails.
 */
const largestSides = new WeakMap<Network, number>();

/** Networks for which codes go as tensors, since they failed in a way that nothing else mended. */
const codesFailed = new WeakSet<Network>();

const problems: Partial<Record<ErrorCode, string>> = {
  MAMBAIR_OUT_OF_MEMORY: 'the smallest tile does not fit the memory',
  MAMBAIR_NOT_FINITE: 'the network gave values that are not finite',
  MAMBAIR_DEVICE_LOST: 'the device was lost',
};

/**
 * A network that mends what can be mended: the one place of the failure policy.
 * - out of memory: this tile and all further ones run in parts of half the side, down to {@link smallestTile};
 * - a result that is not finite, a lost device, no memory for the smallest tile: the tile runs again, and all further
 *   ones run, on the network that `options.recover` finds.
 * Each is told to `warn`. What comes out is always finite.
 */
export class GuardedNetwork {
  readonly scale: number;
  readonly channels: number;
  readonly #options: RestoreOptions;
  #network: Network;
  #mending: Promise<void> = Promise.resolve();

  /** @throws MAMBAIR_OPTION_INVALID for a network that does not map gray to gray or RGB to RGB */
  constructor(network: Network, options: RestoreOptions) {
    if (network.inputChannels !== network.outputChannels || ![1, 3].includes(network.inputChannels)) {
      throw new MambairError(
        'MAMBAIR_OPTION_INVALID',
        `a network for pictures maps 1 channel to 1 or 3 to 3, this one ${network.inputChannels} to ${network.outputChannels}`,
      );
    }
    this.#network = network;
    this.#options = options;
    this.scale = network.scale;
    this.channels = network.inputChannels;
  }

  /** What runs now. */
  get network(): Network {
    return this.#network;
  }

  /**
   * Runs a tile `[1, C, h, w]`.
   * @throws MAMBAIR_NOT_FINITE, MAMBAIR_OUT_OF_MEMORY, MAMBAIR_DEVICE_LOST when nothing helps; MAMBAIR_CANCELLED
   */
  async run(input: Tensor, place: TilePlace): Promise<Tensor> {
    const side = Math.max(...input.shape.slice(2));
    for (;;) {
      const network = this.#network;
      if (side > (largestSides.get(network) ?? Number.POSITIVE_INFINITY)) {
        return this.#runInParts(input, place);
      }
      try {
        return await this.#runFinite(network, input, place);
      } catch (error) {
        await this.#mend(error, network, side);
      }
    }
  }

  /**
   * Runs a picture as codes, on the network that is found if this one fails. Undefined where that takes none, or can not:
   * the way by tensors meets the same failure and mends it.
   * @throws MAMBAIR_CANCELLED, MAMBAIR_DISPOSED
   */
  async runCodes(codes: Uint8Array, pictures: CodedPictures, options: RunOptions): Promise<Uint8Array | undefined> {
    for (;;) {
      const network = this.#network;
      if (network.runCodes === undefined || codesFailed.has(network)) {
        return undefined;
      }
      try {
        return await network.runCodes(codes, pictures, options);
      } catch (error) {
        if (isMambairError(error, 'MAMBAIR_CANCELLED') || isMambairError(error, 'MAMBAIR_DISPOSED')) {
          throw error;
        }
        // No memory for a whole frame asks for tiles, which go as tensors.
        const isMended =
          !isMambairError(error, 'MAMBAIR_OUT_OF_MEMORY') &&
          (await this.#mend(error, network, smallestTile).then(
            () => true,
            () => false,
          ));
        if (!isMended) {
          codesFailed.add(network);
          return undefined;
        }
      }
    }
  }

  /** Makes another attempt possible; tiles that ran side by side, and failed alike, in turn. @throws as the attempt when nothing helps */
  #mend(error: unknown, network: Network, side: number): Promise<void> {
    const mended = this.#mending.then(() =>
      network === this.#network ? this.#mendNow(error, network, side) : undefined,
    );
    this.#mending = mended.catch(() => undefined);
    return mended;
  }

  async #mendNow(error: unknown, network: Network, side: number): Promise<void> {
    const { warn, recover } = this.#options;
    const problem = isMambairError(error) ? problems[error.code] : undefined;
    if (!isMambairError(error) || problem === undefined) {
      throw error;
    }
    const { code } = error;
    if (side > (largestSides.get(network) ?? Number.POSITIVE_INFINITY)) {
      // Another tile, which ran beside this one, met the same and said so.
      return;
    }
    if (code === 'MAMBAIR_OUT_OF_MEMORY' && side > smallestTile) {
      const largest = Math.max(smallestTile, Math.floor(side / 32) * 16);
      largestSides.set(network, largest);
      warn?.(code, `a tile of ${side} pixels does not fit the memory; going on with ${largest}`);
      return;
    }
    const recovered = await recover?.(network, code);
    if (recovered === undefined) {
      throw error;
    }
    this.#network = recovered.network;
    if (recovered.how !== undefined) {
      warn?.(code, `${problem}; going on ${recovered.how}`);
    }
  }

  async #runInParts(input: Tensor, place: TilePlace): Promise<Tensor> {
    const [, channels = 0, height = 0, width = 0] = input.shape;
    const { scale } = this;
    const output = createTensor([1, channels, height * scale, width * scale]);
    const planes = tensorPlanes(output);
    await runTiles({
      plan: planTilesOf({ height, width }, largestSides.get(this.#network) ?? smallestTile, this.#options.overlap),
      scale,
      channels,
      signal: this.#options.signal,
      progress: ({ done, total }) => place.report?.(done / total),
      restoreTile: async (part, report) => {
        const originX = place.originX + part.columns.start;
        const originY = place.originY + part.rows.start;
        return tensorPlanes(await this.run(cropTensor(input, part), { originX, originY, report }));
      },
      emit: (rows) => copyRows(rows, planes),
    });
    return output;
  }

  async #runFinite(network: Network, input: Tensor, place: TilePlace): Promise<Tensor> {
    const { output } = await network.run(input, this.#runOptions(place));
    if (!isFiniteData(output.data)) {
      throw new MambairError(
        'MAMBAIR_NOT_FINITE',
        'the network gave values that are not finite; nothing of this tile was written',
      );
    }
    return output;
  }

  #runOptions({ originX, originY, report }: TilePlace): RunOptions {
    const { routing, seed = 0, signal } = this.#options;
    const route: Routing = routing === 'argmax' ? { kind: 'argmax' } : { kind: 'seeded', seed, originX, originY };
    return {
      routing: route,
      ...(signal === undefined ? {} : { signal }),
      ...(report === undefined ? {} : { progress: (done: number, total: number) => report(done / total) }),
    };
  }
}

import { isMambairError, MambairError } from '../errors.js';
import type { Network, Routing, RunOptions } from '../executors/executor.js';
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
 * A network that mends what can be mended: the one place of the failure policy.
 * - out of memory: this tile and all further ones run in parts of half the side, down to {@link smallestTile};
 * - a result that is not finite: the tile runs once more on the fallback network;
 * - a lost device: everything from here on runs on the fallback network.
 * Each is told to `warn`. What comes out is always finite.
 */
export class GuardedNetwork {
  readonly scale: number;
  readonly channels: number;
  readonly #options: RestoreOptions;
  #network: Network;
  #fallback: Promise<Network> | undefined;
  #largestSide = Number.POSITIVE_INFINITY;

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

  /**
   * Runs a tile `[1, C, h, w]`.
   * @throws MAMBAIR_NOT_FINITE, MAMBAIR_OUT_OF_MEMORY, MAMBAIR_DEVICE_LOST when nothing helps; MAMBAIR_CANCELLED
   */
  async run(input: Tensor, place: TilePlace): Promise<Tensor> {
    const side = Math.max(...input.shape.slice(2));
    if (side > this.#largestSide) {
      return this.#runInParts(input, place);
    }
    try {
      return await this.#runFinite(input, place);
    } catch (error) {
      if (!isMambairError(error, 'MAMBAIR_OUT_OF_MEMORY') || side <= smallestTile) {
        throw error;
      }
      this.#largestSide = Math.max(smallestTile, Math.floor(side / 32) * 16);
      this.#options.warn?.(
        'MAMBAIR_OUT_OF_MEMORY',
        `a tile of ${side} pixels does not fit the memory; going on with ${this.#largestSide}`,
      );
      return this.#runInParts(input, place);
    }
  }

  /** Frees the fallback network, if one was made; the guarded network stays the caller's. */
  async dispose(): Promise<void> {
    const fallback = this.#fallback;
    this.#fallback = undefined;
    // a fallback that could not be made was reported when it was asked for
    await fallback?.then(
      (network) => network.dispose(),
      () => undefined,
    );
  }

  async #runInParts(input: Tensor, place: TilePlace): Promise<Tensor> {
    const [, channels = 0, height = 0, width = 0] = input.shape;
    const { scale } = this;
    const output = createTensor([1, channels, height * scale, width * scale]);
    const planes = tensorPlanes(output);
    await runTiles({
      plan: planTilesOf({ height, width }, this.#largestSide, this.#options.overlap),
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

  async #runFinite(input: Tensor, place: TilePlace): Promise<Tensor> {
    const options = this.#runOptions(place);
    const output = await this.#runOrReplaceDevice(input, options);
    if (isFiniteData(output.data)) {
      return output;
    }
    const problem = 'the network gave values that are not finite';
    const safer = await this.#safer();
    if (safer === undefined) {
      throw new MambairError('MAMBAIR_NOT_FINITE', `${problem}; nothing of this tile was written`);
    }
    this.#options.warn?.('MAMBAIR_NOT_FINITE', `${problem}; running the tile again on the safer path`);
    const again = await safer.run(input, options);
    if (!isFiniteData(again.output.data)) {
      throw new MambairError(
        'MAMBAIR_NOT_FINITE',
        `${problem}, also on the safer path; nothing of this tile was written`,
      );
    }
    return again.output;
  }

  async #runOrReplaceDevice(input: Tensor, options: RunOptions): Promise<Tensor> {
    try {
      return (await this.#network.run(input, options)).output;
    } catch (error) {
      const safer = isMambairError(error, 'MAMBAIR_DEVICE_LOST') ? await this.#safer() : undefined;
      if (safer === undefined) {
        throw error;
      }
      this.#options.warn?.('MAMBAIR_DEVICE_LOST', 'the device was lost; going on with the safer path');
      this.#network = safer;
      return (await safer.run(input, options)).output;
    }
  }

  /** The fallback network, unless there is none or it is what runs already. */
  async #safer(): Promise<Network | undefined> {
    this.#fallback ??= this.#options.fallback?.();
    const network = await this.#fallback;
    return network === this.#network ? undefined : network;
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

import { MambairError } from '../errors.js';
import type { Network } from '../executors/executor.js';
import type { Tensor } from '../tensor/tensor.js';
import { chooseTiles } from './choose-tiles.js';
import { GuardedNetwork, type TilePlace } from './failure-policy.js';
import type { RestoreOptions } from './options.js';
import { checkRestoreOptions } from './options.js';
import { runTiles } from './run-tiles.js';
import { copyRows, createTensor, cropTensor, tensorPlanes } from './tensor-tiles.js';

/**
 * Takes `[1, C, h, w]` in [0, 1] through a network tile by tile and gives `[1, C, h · scale, w · scale]`, not clamped.
 * With `tile: 'official'` this is the papers' test procedure.
 * @throws MAMBAIR_SHAPE_MISMATCH, MAMBAIR_OPTION_INVALID, MAMBAIR_NOT_FINITE, MAMBAIR_OUT_OF_MEMORY, MAMBAIR_CANCELLED
 */
export async function restoreTensor(network: Network, input: Tensor, options: RestoreOptions): Promise<Tensor> {
  checkRestoreOptions(options);
  const [batch, channels, height = 0, width = 0] = input.shape;
  if (input.shape.length !== 4 || batch !== 1 || channels !== network.inputChannels || height < 1 || width < 1) {
    throw new MambairError(
      'MAMBAIR_SHAPE_MISMATCH',
      `this network restores a tensor of shape [1, ${network.inputChannels}, h, w], not [${input.shape.join(', ')}]`,
    );
  }
  const guarded = new GuardedNetwork(network, options);
  return restoreInTiles(guarded, input, options, async (part, place) => tensorPlanes(await guarded.run(part, place)));
}

/**
 * A tensor of any number of channels tile by tile. `restorePart` takes a part through the guarded network and gives its
 * planes, `scale` times as large. @throws what {@link restoreTensor} does and `restorePart` raises
 */
export async function restoreInTiles(
  guarded: GuardedNetwork,
  input: Tensor,
  options: RestoreOptions,
  restorePart: (part: Tensor, place: TilePlace) => Promise<readonly Float32Array[]>,
): Promise<Tensor> {
  const [, channels = 0, height = 0, width = 0] = input.shape;
  const { scale } = guarded;
  const output = createTensor([1, channels, height * scale, width * scale]);
  const planes = tensorPlanes(output);
  await runTiles({
    plan: chooseTiles(guarded.network, { height, width }, { ...options, channels }),
    scale,
    tilesAtOnce: guarded.network.runsAtOnce,
    channels,
    signal: options.signal,
    progress: options.progress,
    restoreTile: ({ rows, columns }, report) => {
      const isWhole = rows.start === 0 && rows.end === height && columns.start === 0 && columns.end === width;
      const part = isWhole ? input : cropTensor(input, { rows, columns });
      return restorePart(part, { originX: columns.start, originY: rows.start, report });
    },
    emit: (rows) => copyRows(rows, planes),
  });
  return output;
}

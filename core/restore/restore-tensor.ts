import { MambairError } from '../errors.js';
import type { Network } from '../executors/executor.js';
import type { Tensor } from '../tensor/tensor.js';
import { chooseTiles } from './choose-tiles.js';
import { GuardedNetwork } from './failure-policy.js';
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
  const guarded = new GuardedNetwork(network, options);
  const [batch, channels, height = 0, width = 0] = input.shape;
  if (input.shape.length !== 4 || batch !== 1 || channels !== guarded.channels || height < 1 || width < 1) {
    throw new MambairError(
      'MAMBAIR_SHAPE_MISMATCH',
      `this network restores a tensor of shape [1, ${guarded.channels}, h, w], not [${input.shape.join(', ')}]`,
    );
  }
  const { scale } = guarded;
  const output = createTensor([1, channels, height * scale, width * scale]);
  const planes = tensorPlanes(output);
  try {
    await runTiles({
      plan: chooseTiles(network, { height, width }, { ...options, channels }),
      scale,
      channels,
      signal: options.signal,
      progress: options.progress,
      restoreTile: async (tile, report) => {
        const place = { originX: tile.columns.start, originY: tile.rows.start, report };
        return tensorPlanes(await guarded.run(cropTensor(input, tile), place));
      },
      emit: (rows) => copyRows(rows, planes),
    });
  } finally {
    await guarded.dispose();
  }
  return output;
}

import type { Network } from '../executors/executor.js';
import type { Tensor } from '../tensor/tensor.js';
import type { RestoreOptions } from './options.js';
import { restoreTensor } from './restore-tensor.js';
import { createTensor } from './tensor-tiles.js';

/** One of the eight symmetries of a square: first the columns are reversed, then the rows, then both are exchanged. */
interface Symmetry {
  readonly reversesColumns: boolean;
  readonly reversesRows: boolean;
  readonly transposes: boolean;
}

/**
 * Visits every pixel of `[1, C, h, w]` with its place in the transformed tensor, whose width is h when transposed:
 * `visit(index in the original, index in the transformed)`.
 */
function forEachPlace(shape: readonly number[], symmetry: Symmetry, visit: (from: number, to: number) => void): void {
  const [, channels = 0, height = 0, width = 0] = shape;
  for (let c = 0; c < channels; c += 1) {
    const plane = c * height * width;
    for (let y = 0; y < height; y += 1) {
      const row = symmetry.reversesRows ? height - 1 - y : y;
      for (let x = 0; x < width; x += 1) {
        const column = symmetry.reversesColumns ? width - 1 - x : x;
        const to = symmetry.transposes ? column * height + row : row * width + column;
        visit(plane + y * width + x, plane + to);
      }
    }
  }
}

/**
 * {@link restoreTensor} over the eight flips and transpositions of the input, undone on the outputs and averaged with
 * equal weight before anything is rounded: the "+" results of the papers (BasicSR `test_selfensemble`, MaIR+). Eight
 * times the time. Tiles are planned for each transformed input on its own, as MaIR+ does.
 * @throws what {@link restoreTensor} throws
 */
export async function selfEnsemble(network: Network, input: Tensor, options: RestoreOptions): Promise<Tensor> {
  const [, channels = 0, height = 0, width = 0] = input.shape;
  const average = createTensor([1, channels, height * network.scale, width * network.scale]);
  const sums = new Float64Array(average.data.length);
  for (let i = 0; i < 8; i += 1) {
    const symmetry = { reversesColumns: (i & 1) !== 0, reversesRows: (i & 2) !== 0, transposes: (i & 4) !== 0 };
    const transformed = createTensor(symmetry.transposes ? [1, channels, width, height] : [1, channels, height, width]);
    forEachPlace(input.shape, symmetry, (from, to) => {
      transformed.data[to] = input.data[from]!;
    });
    const { progress } = options;
    const output = await restoreTensor(network, transformed, {
      ...options,
      ...(progress && {
        progress: ({ done, total, unit }) => progress({ done: i * total + done, total: 8 * total, unit }),
      }),
    });
    forEachPlace(average.shape, symmetry, (from, to) => {
      sums[from]! += output.data[to]!;
    });
  }
  average.data.set(sums.map((sum) => sum / 8));
  return average;
}

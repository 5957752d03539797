import { MambairError, throwIfCancelled } from '../core/errors.js';
import type { Network, RunOptions } from '../core/executors/executor.js';
import type { Tensor } from '../core/tensor/tensor.js';

/** One call of a fake network. */
export interface RecordedRun {
  readonly input: Tensor;
  readonly options: RunOptions;
}

/** A network that is a plain function, and remembers its calls. */
export interface FakeNetwork extends Network {
  readonly runs: readonly RecordedRun[];
  readonly isDisposed: boolean;
}

interface FakeOptions {
  readonly channels?: number;
  readonly scale?: number;
  /** Bytes per input pixel of the memory plan; the limit is 1 GiB. */
  readonly bytesPerPixel?: number;
  readonly compute: (input: Tensor, options: RunOptions) => Tensor | Promise<Tensor>;
}

/** Makes a network of a function. */
export function fakeNetwork({ channels = 3, scale = 1, bytesPerPixel = 100, compute }: FakeOptions): FakeNetwork {
  const runs: RecordedRun[] = [];
  let isDisposed = false;
  return {
    scale,
    inputChannels: channels,
    outputChannels: channels,
    runs,
    get isDisposed() {
      return isDisposed;
    },
    plan: (height, width) => ({
      weightBytes: 0,
      activationBytes: height * width * bytesPerPixel,
      scratchBytes: 0,
      totalBytes: height * width * bytesPerPixel,
      limitBytes: 2 ** 30,
    }),
    async run(input, options) {
      throwIfCancelled(options.signal);
      runs.push({ input, options });
      options.progress?.(1, 2);
      return { output: await compute(input, options), taps: new Map() };
    },
    dispose() {
      isDisposed = true;
      return Promise.resolve();
    },
  };
}

/** Gives `value(pixel, output row, output column)` at every output pixel, from the input pixel below it. */
export function mapPixels(
  input: Tensor,
  scale: number,
  value: (pixel: number, row: number, column: number) => number,
): Tensor {
  const [batch = 0, channels = 0, height = 0, width = 0] = input.shape;
  const data = new Float32Array(input.data.length * scale * scale);
  let at = 0;
  for (let row = 0; row < batch * channels * height * scale; row += 1) {
    const source = (row - (row % scale)) / scale;
    for (let x = 0; x < width * scale; x += 1) {
      data[at] = value(input.data[source * width + (x - (x % scale)) / scale]!, row % (height * scale), x);
      at += 1;
    }
  }
  return { shape: [batch, channels, height * scale, width * scale], data };
}

/** Repeats every pixel `scale` × `scale` times; ×1 is the identity. */
export function repeatNetwork(
  options: { channels?: number; scale?: number; bytesPerPixel?: number } = {},
): FakeNetwork {
  return fakeNetwork({ ...options, compute: (input) => mapPixels(input, options.scale ?? 1, (pixel) => pixel) });
}

/** The toy of the tiling fixtures: what it adds depends on the place in the tile, so any wrong offset shows. */
export function toyNetwork(channels: number, scale: number): FakeNetwork {
  return fakeNetwork({
    channels,
    scale,
    compute: (input) => mapPixels(input, scale, (pixel, y, x) => pixel + (y % 256) / 512 + (x % 256) / 131072),
  });
}

/** Repeats pixels, but has no memory for tiles of more than `side` pixels. */
export function tightNetwork(side: number, options: { channels?: number; scale?: number } = {}): FakeNetwork {
  return fakeNetwork({
    ...options,
    compute(input) {
      if (Math.max(...input.shape.slice(2)) > side) {
        throw new MambairError('MAMBAIR_OUT_OF_MEMORY', `no memory for more than ${side} pixels`);
      }
      return mapPixels(input, options.scale ?? 1, (pixel) => pixel);
    },
  });
}

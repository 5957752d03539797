import type { MambaIRv2Config } from '../core/architectures/mambairv2/config.js';
import { weightShapes } from '../core/architectures/mambairv2/weight-shapes.js';
import { elementCount, type StoredTensor, type Tensor } from '../core/tensor/tensor.js';

/** A network of every kind of op that runs in milliseconds. */
export const smallConfig: MambaIRv2Config = {
  variant: 'light',
  inChans: 3,
  embedDim: 8,
  depths: [2],
  numHeads: [2],
  windowSize: 4,
  dInner: 8,
  dState: 3,
  dtRank: 1,
  numTokens: 5,
  innerRank: 2,
  ffnDim: 8,
  convffnKernelSize: 5,
  qkvBias: true,
  patchNorm: true,
  resiConnection: '1conv',
  upsampler: 'pixelshuffledirect',
  upscale: 2,
  headFeatures: 0,
  imgRange: 1,
};

// Looked up once: in a vm context, such as a test runner's, a global costs more than the arithmetic around it.
const { imul } = Math;

/** Numbers from 0 to 1, the same for the same seed (Mulberry32, public domain, by Tommy Ettinger). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Random weights for a configuration, as large as a trained network's, so that activations stay near 1. */
export function randomCheckpoint(config: MambaIRv2Config, seed: number): Map<string, StoredTensor> {
  const random = randomNumbers(seed);
  return new Map(
    [...weightShapes(config)].map(([key, shape]) => {
      const fanIn = shape.length < 2 ? 4 : elementCount(shape.slice(1));
      const isNorm = /norm\d?\.weight$/.test(key);
      const values = Float32Array.from({ length: elementCount(shape) }, () =>
        isNorm ? 0.8 + 0.4 * random() : (random() - 0.5) * Math.sqrt(12 / fanIn) * 0.7,
      );
      return [key, { dtype: 'F32', shape, bytes: new Uint8Array(values.buffer) }];
    }),
  );
}

/** A random image batch `[B, C, h, w]` in [0, 1]. */
export function randomImage(shape: readonly [number, number, number, number], seed: number): Tensor {
  const random = randomNumbers(seed);
  return { shape, data: Float32Array.from({ length: elementCount(shape) }, random) };
}

import { publishedConfigurations } from '../architectures/mambairv2/published.js';
import { weightShapes } from '../architectures/mambairv2/weight-shapes.js';
import { MambairError } from '../errors.js';
import { elementCount, type StoredTensor, type TensorMap } from '../tensor/tensor.js';

/** The published routers are nearly uniform: entropy above 0.9998·ln T in every block. It decides what routing costs. */
const routerSize = 0.01;

/**
 * Weights for a published configuration, e.g. `lightSR_x4`: random, the same every time, and as large as a trained
 * network's, so that a run costs what a real one costs. For measuring speed where no checkpoint is at hand.
 * @throws MAMBAIR_OPTION_INVALID for an unknown configuration
 */
export function randomWeights(configuration: string): TensorMap {
  const published = publishedConfigurations.find(({ name }) => name === configuration);
  if (published === undefined) {
    throw new MambairError(
      'MAMBAIR_OPTION_INVALID',
      `the configuration should be one of ${publishedConfigurations.map(({ name }) => name).join(', ')}, not "${configuration}"`,
    );
  }
  const random = randomNumbers();
  const tensors = new Map<string, StoredTensor>();
  for (const [key, shape] of weightShapes(published.config)) {
    const fanIn = shape.length < 2 ? 4 : elementCount(shape.slice(1));
    const isNormWeight = /norm\d?\.weight$/.test(key);
    const size = key.includes('assm.route.2') ? routerSize : 1;
    const values = Float32Array.from({ length: elementCount(shape) }, () =>
      isNormWeight ? 0.8 + 0.4 * random() : (random() - 0.5) * Math.sqrt(6 / fanIn) * size,
    );
    tensors.set(key, { dtype: 'F32', shape, bytes: new Uint8Array(values.buffer) });
  }
  return tensors;
}

/** A picture of smooth shapes and noise, `[1, channels, height, width]` in [0, 1]. */
export function testPicture(channels: number, height: number, width: number): Float32Array {
  const random = randomNumbers();
  return Float32Array.from({ length: channels * height * width }, (_, index) => {
    const x = index % width;
    const y = Math.floor(index / width) % height;
    return 0.45 + 0.3 * Math.sin(x / 9) * Math.cos(y / 7) + 0.2 * random();
  });
}

/** Numbers from 0 to 1 (Mulberry32, public domain, by Tommy Ettinger). */
function randomNumbers(): () => number {
  let state = 1;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

import type { WeightReference } from '../core/graph/graph.js';
import type { Draw } from '../core/ops/op-case.js';
import { elementCount, type StoredTensor } from '../core/tensor/tensor.js';
import { randomNumbers } from './random-network.js';

/** Random numbers from 0 to 1 that belong to a name (its FNV-1a hash is the seed). */
export function numbersOf(name: string): () => number {
  let hash = 0x811c9dc5;
  for (const character of name) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  }
  return randomNumbers(hash);
}

/** Makes weights as graphs ask for them; each is drawn from its own name. */
export class SeededWeights {
  readonly tensors = new Map<string, StoredTensor>();

  /** Default values are uniform with variance 1 / fan-in; vectors from −1 to 1. */
  weight(key: string, shape: readonly number[], draw?: Draw): WeightReference {
    const fanIn = shape.length < 2 ? 3 : elementCount(shape.slice(shape[0] === 1 ? 2 : 1));
    const random = numbersOf(key);
    const values = Float32Array.from({ length: elementCount(shape) }, (_, pixel) =>
      draw === undefined ? (2 * random() - 1) * Math.sqrt(3 / fanIn) : draw(random, { channel: 0, pixel }),
    );
    this.tensors.set(key, { dtype: 'F32', shape, bytes: new Uint8Array(values.buffer) });
    return { key, shape };
  }
}

/** A source of numbers 0 ≤ x < 1 that gives the same sequence for the same seed (mulberry32). */
export type Random = () => number;

/** @see Random */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** An integer from 0 to `limit` - 1. */
export function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

/** Values that tell readers which trust a length from those which do not. */
const extremes = [
  0n,
  1n,
  127n,
  255n,
  65535n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 53n,
  2n ** 62n,
  2n ** 63n,
  -1n,
];

type Mutation = (bytes: Uint8Array, random: Random, others: readonly Uint8Array[]) => Uint8Array;

const join = (...parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

const mutations: readonly Mutation[] = [
  // a flipped bit
  (bytes, random) => {
    const changed = new Uint8Array(bytes);
    const at = below(random, changed.length);
    changed[at] = (changed[at] ?? 0) ^ (1 << below(random, 8));
    return changed;
  },
  // another byte
  (bytes, random) => {
    const changed = new Uint8Array(bytes);
    changed[below(random, changed.length)] = below(random, 256);
    return changed;
  },
  // cut off
  (bytes, random) => bytes.subarray(0, below(random, bytes.length)),
  // a number that lies, of 1, 2, 4 or 8 bytes
  (bytes, random) => {
    const number = new Uint8Array(8);
    new DataView(number.buffer).setBigUint64(
      0,
      BigInt.asUintN(64, extremes[below(random, extremes.length)] ?? 0n),
      true,
    );
    const changed = new Uint8Array(bytes);
    const width = 2 ** below(random, 4);
    const at = below(random, Math.max(1, changed.length - width));
    changed.set(number.subarray(0, Math.min(width, changed.length - at)), at);
    return changed;
  },
  // a piece left out
  (bytes, random) => {
    const at = below(random, bytes.length);
    return join(bytes.subarray(0, at), bytes.subarray(at + 1 + below(random, 16)));
  },
  // a piece repeated
  (bytes, random) => {
    const at = below(random, bytes.length);
    const end = at + 1 + below(random, 64);
    return join(bytes.subarray(0, end), bytes.subarray(at));
  },
  // random bytes put in
  (bytes, random) => {
    const at = below(random, bytes.length);
    const noise = Uint8Array.from({ length: 1 + below(random, 8) }, () => below(random, 256));
    return join(bytes.subarray(0, at), noise, bytes.subarray(at));
  },
  // the start of this file, the end of another
  (bytes, random, others) => {
    const other = others[below(random, others.length)] ?? bytes;
    return join(bytes.subarray(0, below(random, bytes.length)), other.subarray(below(random, other.length)));
  },
];

/** One to four random changes to a file; `others` are files to splice with. */
export function mutate(bytes: Uint8Array, random: Random, others: readonly Uint8Array[] = []): Uint8Array {
  let changed = bytes;
  for (let left = 1 + below(random, 4); left > 0 && changed.length > 0; left--) {
    const mutation = mutations[below(random, mutations.length)];
    changed = mutation === undefined ? changed : mutation(changed, random, others);
  }
  return changed;
}

const stateSize = 624;
const shiftSize = 397;

/**
 * The Mersenne Twister MT19937 (Matsumoto and Nishimura 1998) with the integer seeding of NumPy's legacy generator
 * (`numpy.random.seed`), and that generator's doubles and normals, so that the papers' noise can be drawn again.
 */
export class Mt19937 {
  readonly #state = new Uint32Array(stateSize);
  #position = stateSize;
  #cachedNormal: number | undefined;

  /** `seed` is a uint32. */
  constructor(seed: number) {
    this.#state[0] = seed;
    for (let i = 1; i < stateSize; i += 1) {
      const previous = this.#state[i - 1]!;
      this.#state[i] = Math.imul(1812433253, previous ^ (previous >>> 30)) + i;
    }
  }

  #twist(): void {
    const state = this.#state;
    for (let i = 0; i < stateSize; i += 1) {
      const mixed = (state[i]! & 0x80000000) | (state[(i + 1) % stateSize]! & 0x7fffffff);
      state[i] = state[(i + shiftSize) % stateSize]! ^ (mixed >>> 1) ^ (mixed & 1 ? 0x9908b0df : 0);
    }
    this.#position = 0;
  }

  /** The next 32 random bits, as a uint32. */
  nextUint32(): number {
    if (this.#position === stateSize) {
      this.#twist();
    }
    let word = this.#state[this.#position]!;
    this.#position += 1;
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  }

  /** Uniform in [0, 1) with 53 random bits. */
  nextDouble(): number {
    const high = this.nextUint32() >>> 5;
    const low = this.nextUint32() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /** Standard normal by Marsaglia's polar method, whose second value is kept for the next call. */
  nextNormal(): number {
    if (this.#cachedNormal !== undefined) {
      const cached = this.#cachedNormal;
      this.#cachedNormal = undefined;
      return cached;
    }
    let x1: number;
    let x2: number;
    let radius: number;
    do {
      x1 = 2 * this.nextDouble() - 1;
      x2 = 2 * this.nextDouble() - 1;
      radius = x1 * x1 + x2 * x2;
    } while (radius >= 1 || radius === 0);
    const factor = Math.sqrt((-2 * Math.log(radius)) / radius);
    this.#cachedNormal = factor * x1;
    return factor * x2;
  }
}

/**
 * Memory for frames that is used again: a new array for every frame costs more than reading it, as it comes zeroed and has
 * to be collected. Give one pool to what reads frames and to what restores them.
 */
export class FramePool {
  readonly #free = new Map<number, Uint8Array[]>();
  #allocate: ((bytes: number) => Uint8Array | undefined) | undefined;
  /** Arrays from before there was better memory; they are not used again. */
  readonly #early = new Set<Uint8Array>();
  #allocated = 0;

  /** Arrays that were made so far: as many as were in use at once. */
  get allocated(): number {
    return this.#allocated;
  }

  /** An array of exactly this length; its contents are anything. */
  readonly take = (bytes: number): Uint8Array => {
    const free = this.#free.get(bytes)?.pop();
    if (free !== undefined) {
      return free;
    }
    this.#allocated += 1;
    const made = this.#allocate?.(bytes) ?? new Uint8Array(bytes);
    if (this.#allocate === undefined) {
      this.#early.add(made);
    }
    return made;
  };

  /** Makes arrays by this from now on, as long as it gives any. */
  allocateBy(allocate: (bytes: number) => Uint8Array | undefined): void {
    this.#allocate = allocate;
    this.#free.clear();
  }

  /** Takes an array back that nobody reads any more. */
  give(frame: Uint8Array): void {
    if (this.#allocate !== undefined && this.#early.delete(frame)) {
      return;
    }
    const free = this.#free.get(frame.length);
    if (free === undefined) {
      this.#free.set(frame.length, [frame]);
    } else {
      free.push(frame);
    }
  }
}

/** An array of a pool, or one of no pool's, with several readers: the last to be done gives it back. */
export class SharedFrame {
  readonly #pool: FramePool | undefined;
  readonly #data: Uint8Array;
  #readers: number;

  constructor(pool: FramePool | undefined, data: Uint8Array, readers: number) {
    this.#pool = pool;
    this.#data = data;
    this.#readers = readers;
  }

  /** One more reader, while there is another still. */
  share(): void {
    this.#readers += 1;
  }

  /** One reader less. */
  done(): void {
    this.#readers -= 1;
    if (this.#readers === 0) {
      this.#pool?.give(this.#data);
    }
  }
}

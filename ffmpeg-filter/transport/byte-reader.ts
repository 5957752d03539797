/** Reads bytes one after the other from chunks of any size; holds one chunk at a time. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #ended: (offset: number) => Error;
  #chunk = new Uint8Array(0);
  #position = 0;
  #chunkOffset = 0;

  /** `ended` makes the error for a source that ends where more bytes must follow. */
  constructor(source: AsyncIterable<Uint8Array>, ended: (offset: number) => Error) {
    this.#source = source[Symbol.asyncIterator]();
    this.#ended = ended;
  }

  /** Bytes taken so far. */
  get offset(): number {
    return this.#chunkOffset + this.#position;
  }

  /** The next byte, or undefined at the end of the source. */
  async byteOrEnd(): Promise<number | undefined> {
    if (this.#position === this.#chunk.length && !(await this.#load())) {
      return undefined;
    }
    const byte = this.#chunk[this.#position];
    this.#position += 1;
    return byte;
  }

  /** The next byte. */
  async byte(): Promise<number> {
    const byte = await this.byteOrEnd();
    if (byte === undefined) {
      throw this.#ended(this.offset);
    }
    return byte;
  }

  /** Fills `target` with the next bytes. */
  async fill(target: Uint8Array): Promise<void> {
    let filled = 0;
    while (filled < target.length) {
      const part = await this.#part(target.length - filled);
      target.set(part, filled);
      filled += part.length;
    }
  }

  /** Passes over bytes without keeping them. */
  async skip(count: number): Promise<void> {
    let left = count;
    while (left > 0) {
      left -= (await this.#part(left)).length;
    }
  }

  /** Tells the source that no more is wanted. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  /** At least one and at most `limit` bytes, valid until the next call. */
  async #part(limit: number): Promise<Uint8Array> {
    if (this.#position === this.#chunk.length && !(await this.#load())) {
      throw this.#ended(this.offset);
    }
    const part = this.#chunk.subarray(this.#position, this.#position + limit);
    this.#position += part.length;
    return part;
  }

  async #load(): Promise<boolean> {
    for (;;) {
      const next = await this.#source.next();
      this.#chunkOffset += this.#chunk.length;
      this.#position = 0;
      if (next.done === true) {
        this.#chunk = new Uint8Array(0);
        return false;
      }
      this.#chunk = next.value as Uint8Array<ArrayBuffer>;
      if (this.#chunk.length > 0) {
        return true;
      }
    }
  }
}

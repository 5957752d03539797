/** Thrown by {@link ByteReader} when the bytes end too early; its owner turns it into an error of its own. */
export type EndOfBytes = (wanted: number, left: number) => Error;

/** Reads numbers and runs of bytes one after another, and never beyond the end. Little-endian unless named otherwise. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #onEnd: EndOfBytes;
  /** Where the next byte is read. */
  at: number;

  constructor(bytes: Uint8Array, start: number, onEnd: EndOfBytes) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#onEnd = onEnd;
    this.at = start;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  i32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  /** Rounded beyond 2^53, which is beyond the length of any file. */
  u64(): number {
    return Number(this.#view.getBigUint64(this.#advance(8), true));
  }

  i64(): bigint {
    return this.#view.getBigInt64(this.#advance(8), true);
  }

  f64BigEndian(): number {
    return this.#view.getFloat64(this.#advance(8), false);
  }

  /** The next `length` bytes, as a view. */
  take(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** The bytes up to the next line feed, which is consumed and left out. */
  line(): Uint8Array {
    const end = this.#bytes.indexOf(0x0a, this.at);
    const line = this.take((end === -1 ? this.#bytes.length + 1 : end) - this.at);
    this.at += 1;
    return line;
  }

  #advance(length: number): number {
    const start = this.at;
    if (length > this.#bytes.length - start) {
      throw this.#onEnd(length, this.#bytes.length - start);
    }
    this.at = start + length;
    return start;
  }
}

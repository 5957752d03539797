import type { ErrorCode, MambairError } from '../errors.js';
import { fileError } from '../tensor/file-error.js';

/** Memory that a pickle's values may take by our estimate, beyond {@link bytesPerByteRead} for each byte read. */
const baseAllowance = 32 * 2 ** 20;
const bytesPerByteRead = 8;

/**
 * Where a pickle stands, how far it has been read, and how much its values cost: what every part of the machine needs
 * to raise an error or to stop a pickle that makes much out of little.
 */
export class PickleContext {
  readonly fileName: string;
  /** The pickle within the file, e.g. `archive/data.pkl`. */
  readonly part: string;
  /** Where the pickle and its current opcode begin, in the bytes it is read from. */
  readonly start: number;
  opcodeStart: number;
  #cost = 0;

  constructor(fileName: string, part: string, start: number) {
    this.fileName = fileName;
    this.part = part;
    this.start = start;
    this.opcodeStart = start;
  }

  /** An error at the current opcode. */
  error(code: ErrorCode, message: string): MambairError {
    const detail = { part: this.part, offset: this.opcodeStart };
    return fileError(code, this.fileName, `${this.part}, byte ${this.opcodeStart}: ${message}`, detail);
  }

  malformed(message: string): MambairError {
    return this.error('MAMBAIR_PICKLE_MALFORMED', message);
  }

  forbidden(message: string): MambairError {
    return this.error('MAMBAIR_PICKLE_FORBIDDEN', message);
  }

  /**
   * Accounts for memory about to be taken, and for work on values made earlier, which a pickle can repeat at will.
   * @throws MAMBAIR_PICKLE_LIMIT
   */
  charge(bytes: number): void {
    this.#cost += bytes;
    if (this.#cost > baseAllowance + bytesPerByteRead * (this.opcodeStart - this.start)) {
      throw this.error(
        'MAMBAIR_PICKLE_LIMIT',
        'the pickle builds more values than a file of its size needs; this is no ordinary checkpoint',
      );
    }
  }
}

/** Estimated bytes of the machine's values, from V8's object sizes, rounded up. */
export const costs = {
  /** any object: a float, a tuple without its items */
  object: 64,
  /** an element of a tuple or list, and its place on the stack */
  item: 16,
  /** the elements of a list, which V8 makes room for at the first one */
  array: 160,
  /** a dict: its hash table is the greater part */
  dict: 256,
  /** an entry of a dict, key not included */
  entry: 64,
  /** an entry of the memo, which pays for time too: the table is built anew each time it doubles */
  memo: 128,
} as const;

import type { ErrorCode, MambairError } from '../errors.js';
import { excerpt, fileError } from './file-error.js';
import { maxRank } from './shape.js';

/** One tensor as a safetensors header announces it; nothing about it is checked against the data yet. */
export interface HeaderEntry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** First byte and the byte after the last, counted from the start of the data. */
  readonly begin: number;
  readonly end: number;
}

/** The content of a safetensors header, in the file's order. */
export interface SafetensorsHeader {
  readonly entries: readonly HeaderEntry[];
  readonly metadata: ReadonlyMap<string, string>;
}

/** The header follows its length, a u64. */
const headerStart = 8;

/** No model has a hundredth of this many tensors; the limit bounds what a hostile header makes us build. */
const maxNames = 100_000;

const isSpace = (unit: number) => unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09;

/**
 * Reads the JSON of a safetensors header. JSON.parse is not fit for it: of two equal names it keeps the last one, it
 * rounds integers, and it accepts any nesting. This reader knows the few forms that the format allows, at the places
 * where it allows them, and so needs neither recursion nor a depth limit.
 * @throws MAMBAIR_SAFETENSORS_MALFORMED, MAMBAIR_SAFETENSORS_LIMIT
 */
export function readHeader(json: string, fileName: string): SafetensorsHeader {
  const scanner = new HeaderScanner(json, fileName);
  const entries: HeaderEntry[] = [];
  const metadata = new Map<string, string>();
  scanner.object('the header', (name) => {
    if (name === '__metadata__') {
      scanner.object('__metadata__', (key) => metadata.set(key, scanner.string(`the metadata ${excerpt(key)}`)));
    } else {
      entries.push(readEntry(scanner, name));
    }
  });
  scanner.end();
  return { entries, metadata };
}

function readEntry(scanner: HeaderScanner, name: string): HeaderEntry {
  const what = `tensor ${excerpt(name)}`;
  let dtype: string | undefined;
  let shape: readonly number[] | undefined;
  let offsets: readonly number[] | undefined;
  scanner.object(what, (field) => {
    if (field === 'dtype') {
      dtype = scanner.string(`dtype of ${what}`);
    } else if (field === 'shape') {
      shape = scanner.integers(`shape of ${what}`);
    } else if (field === 'data_offsets') {
      offsets = scanner.integers(`data_offsets of ${what}`);
    } else {
      throw scanner.malformed(`${what} has a field ${excerpt(field)}; only dtype, shape and data_offsets are known`);
    }
  });
  if (dtype === undefined || shape === undefined || offsets === undefined) {
    const missing = dtype === undefined ? 'dtype' : shape === undefined ? 'shape' : 'data_offsets';
    throw scanner.malformed(`${what} has no ${missing}`);
  }
  const [begin, end] = offsets;
  if (begin === undefined || end === undefined || offsets.length !== 2) {
    throw scanner.malformed(`data_offsets of ${what} should be two integers, but are ${offsets.length}`);
  }
  return { name, dtype, shape, begin, end };
}

class HeaderScanner {
  readonly #text: string;
  readonly #fileName: string;
  #at = 0;

  constructor(text: string, fileName: string) {
    this.#text = text;
    this.#fileName = fileName;
  }

  malformed(message: string): MambairError {
    return this.#error('MAMBAIR_SAFETENSORS_MALFORMED', message);
  }

  /** An error at the current place, as a byte of the file. */
  #error(code: ErrorCode, message: string): MambairError {
    const offset = headerStart + new TextEncoder().encode(this.#text.slice(0, this.#at)).length;
    return fileError(code, this.#fileName, `${message} (byte ${offset})`, { offset });
  }

  /** An object; `member` is called with each key, at its value, and must consume it. */
  object(what: string, member: (key: string) => void): void {
    const keys = new Set<string>();
    this.#expect('{', what);
    if (this.#take('}')) {
      return;
    }
    do {
      const key = this.string(`a name in ${what}`);
      if (keys.has(key)) {
        throw this.malformed(`${what} has the name ${excerpt(key)} twice`);
      }
      if (keys.size === maxNames) {
        throw this.#error('MAMBAIR_SAFETENSORS_LIMIT', `${what} has more than ${maxNames} names`);
      }
      keys.add(key);
      this.#expect(':', `${excerpt(key)} in ${what}`);
      member(key);
    } while (this.#take(','));
    this.#expect('}', what);
  }

  string(what: string): string {
    this.#expect('"', what);
    const start = this.#at;
    let isEscaped = false;
    for (;;) {
      const unit = this.#text.charCodeAt(this.#at);
      if (Number.isNaN(unit) || unit < 0x20) {
        throw this.malformed(`${what} is a string without an end, or with a control character`);
      }
      this.#at += 1;
      if (unit === 0x22) {
        break;
      }
      if (unit === 0x5c) {
        isEscaped = true;
        this.#at += 1;
      }
    }
    const raw = this.#text.slice(start, this.#at - 1);
    const value = isEscaped ? this.#unescape(raw, what) : raw;
    if (/\p{Surrogate}/u.test(value)) {
      throw this.malformed(`${what} holds half of a surrogate pair`);
    }
    return value;
  }

  #unescape(raw: string, what: string): string {
    try {
      return JSON.parse(`"${raw}"`) as string;
    } catch {
      throw this.malformed(`${what} has an escape that JSON does not know`);
    }
  }

  /** An array of integers 0…2^53 - 1, written without fraction or exponent. */
  integers(what: string): readonly number[] {
    const values: number[] = [];
    this.#expect('[', what);
    if (this.#take(']')) {
      return values;
    }
    do {
      if (values.length === maxRank) {
        throw this.#error('MAMBAIR_SAFETENSORS_LIMIT', `${what} has more than ${maxRank} numbers`);
      }
      values.push(this.#integer(what));
    } while (this.#take(','));
    this.#expect(']', what);
    return values;
  }

  #integer(what: string): number {
    this.#skipSpace();
    const pattern = /(?:0|[1-9][0-9]{0,15})(?![0-9.eE])/y;
    pattern.lastIndex = this.#at;
    const digits = pattern.exec(this.#text)?.[0];
    const value = Number(digits);
    if (digits === undefined || !Number.isSafeInteger(value)) {
      throw this.malformed(`${what} should hold integers from 0 to 2^53 - 1 only`);
    }
    this.#at += digits.length;
    return value;
  }

  /** Nothing but spaces may follow: writers pad the header with them. */
  end(): void {
    this.#skipSpace();
    if (this.#at !== this.#text.length) {
      throw this.malformed('something follows the end of the header object');
    }
  }

  #skipSpace(): void {
    while (isSpace(this.#text.charCodeAt(this.#at))) {
      this.#at += 1;
    }
  }

  #take(character: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== character) {
      return false;
    }
    this.#at += 1;
    return true;
  }

  #expect(character: string, what: string): void {
    if (!this.#take(character)) {
      const found = this.#text[this.#at];
      throw this.malformed(
        `${what}: expected ${character}, found ${found === undefined ? 'the end of the header' : excerpt(found)}`,
      );
    }
  }
}

import type { PickleContext } from './pickle-context.js';
import { costs } from './pickle-context.js';
import type { PickleValue } from './pickle-values.js';

/** Python puts at most a thousand items behind a mark; the rest is depth of nesting. */
const maxStack = 200_000;

/** The stack of a pickle machine, with its marks, and the memo. No opcode takes values from below the last mark. */
export class PickleStack {
  readonly #context: PickleContext;
  readonly #values: PickleValue[] = [];
  readonly #marks: number[] = [];
  // A map, since a pickle may write slot 2^32 - 1 first.
  readonly #memo = new Map<number, PickleValue>();

  constructor(context: PickleContext) {
    this.#context = context;
  }

  push(value: PickleValue): void {
    if (this.#values.length >= maxStack) {
      throw this.#context.error('MAMBAIR_PICKLE_LIMIT', `the stack may hold at most ${maxStack} values`);
    }
    this.#values.push(value);
  }

  top(): PickleValue {
    const value = this.#values.at(-1);
    if (this.#available() < 1 || value === undefined) {
      throw this.#context.malformed('an opcode finds no value on the stack');
    }
    return value;
  }

  pop(): PickleValue {
    const value = this.top();
    this.#values.pop();
    return value;
  }

  /** The last `count` values, the topmost last. */
  popMany(count: number): PickleValue[] {
    if (this.#available() < count) {
      throw this.#context.malformed(`an opcode needs ${count} values, the stack has ${this.#available()}`);
    }
    return this.#values.splice(this.#values.length - count);
  }

  mark(): void {
    if (this.#marks.length >= maxStack) {
      throw this.#context.error('MAMBAIR_PICKLE_LIMIT', `at most ${maxStack} marks may be open`);
    }
    this.#marks.push(this.#values.length);
  }

  /** Everything above the last mark, which is removed. */
  popToMark(): PickleValue[] {
    const mark = this.#marks.pop();
    if (mark === undefined) {
      throw this.#context.malformed('an opcode needs a mark, none is open');
    }
    return this.#values.splice(mark);
  }

  /** Notes the top value under an index; by default under the next one. */
  memoize(index: number = this.#memo.size): void {
    this.#context.charge(costs.memo);
    this.#memo.set(index, this.top());
  }

  /** Pushes a noted value. */
  recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) {
      throw this.#context.malformed(`memo ${index} was never written`);
    }
    this.push(value);
  }

  /** The one value that is left at the end. */
  result(): PickleValue {
    const value = this.pop();
    if (this.#values.length > 0 || this.#marks.length > 0) {
      throw this.#context.malformed('the pickle ends with values or marks left over');
    }
    return value;
  }

  /** How many values the last mark leaves for opcodes to take. */
  #available(): number {
    return this.#values.length - (this.#marks.at(-1) ?? 0);
  }
}

import { MambairError } from '../../core/index.js';
import { commandParts, type Command } from './command-line.js';

/** Where a part of the command has gone. */
export type Destination = 'decode' | 'engine' | 'encode';

/** Some words of a command, and what became of them. */
export interface Placement {
  readonly words: readonly string[];
  readonly to: readonly Destination[];
  /** True when the halves hold something else in its stead: other numbers, a part of a graph. */
  readonly isRewritten: boolean;
}

/** Keeps account of every word of a command, so that none is lost on the way into the halves. */
export class Ledger {
  readonly #command: Command;
  readonly #placed = new Map<number, { to: Set<Destination>; isRewritten: boolean }>();

  constructor(command: Command) {
    this.#command = command;
  }

  /** Notes where the part that starts at this word has gone; may be called again for another half. */
  place(part: { readonly at: number }, to: Destination, options: { readonly isRewritten?: boolean } = {}): void {
    const known = this.#placed.get(part.at) ?? { to: new Set(), isRewritten: false };
    known.to.add(to);
    known.isRewritten ||= options.isRewritten === true;
    this.#placed.set(part.at, known);
  }

  /** The account, in the order of the command. @throws MAMBAIR_INTERNAL when a word is missing from it */
  close(): readonly Placement[] {
    return commandParts(this.#command).map(({ words, at }) => {
      const placed = this.#placed.get(at);
      if (placed === undefined) {
        throw new MambairError(
          'MAMBAIR_INTERNAL',
          `"${words.join(' ')}" of the ffmpeg command went nowhere; please report it`,
        );
      }
      return { words, to: [...placed.to], isRewritten: placed.isRewritten };
    });
  }
}

import type { Command } from '../command/command-line.js';
import type { PictureFacts } from '../command/probed-input.js';
import { logLevels, readLevelled } from '../pipeline/levelled-line.js';
import { PictureLines } from './see-colours.js';

/** ffmpeg has told of its output before the first frame comes; the line may still be on its way. */
const patienceMs = 2000;

/**
 * What the decoding half tells of its frames while it runs: the colours of what is read once, which nobody can look at before.
 * The half is made to tell more than the command asks for; what is too much is held back.
 */
export class ToldColours {
  readonly #seen: Promise<PictureFacts>;
  readonly #lines = new PictureLines();
  readonly #level: number;
  readonly #showsLevel: boolean;
  #tell: (facts: PictureFacts) => void = () => undefined;

  constructor({ globals }: Command) {
    const given = globals.findLast(({ name }) => name === 'loglevel' || name === 'v')?.value ?? '';
    const flags = given.split('+');
    const level = flags.pop() ?? '';
    this.#level = logLevels[level] ?? (/^-?\d+$/.test(level) ? Number(level) : (logLevels['info'] ?? 0));
    this.#showsLevel = flags.includes('level') || level === 'level';
    this.#seen = new Promise((resolve) => {
      this.#tell = resolve;
    });
  }

  /** The words of the half, with the level at which it tells. */
  loud(words: readonly string[]): readonly string[] {
    const level = `level+${this.#level > (logLevels['verbose'] ?? 0) ? this.#level : 'verbose'}`;
    const raised = words.map((word, at) => (/^-(loglevel|v)$/.test(words[at - 1] ?? '') ? level : word));
    return ['-loglevel', level, ...raised];
  }

  /** Listens to a line of the half; gives what of it is to be shown, as the command has asked for. */
  take(line: string): string | undefined {
    const { level, text } = readLevelled(line);
    const facts = this.#lines.take(text);
    if (facts !== undefined) {
      this.#tell(facts);
    }
    return level !== undefined && level > this.#level ? undefined : this.#showsLevel ? line : text;
  }

  /** What was told, once the first frame is there; undefined if nothing was. */
  async colours(): Promise<PictureFacts | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), patienceMs);
    });
    try {
      return await Promise.race([this.#seen, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

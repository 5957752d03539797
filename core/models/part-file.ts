import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { MambairError } from '../errors.js';

/** What makes a part file continuable: without a validator another version's bytes could be appended. */
export interface PartState {
  readonly url: string;
  readonly validator: string;
}

/** `<destination>.part` with a note beside it that says which version of which file it is the beginning of. */
export class PartFile {
  readonly path: string;
  readonly #destination: string;
  readonly #notePath: string;
  #handle: FileHandle | undefined;

  constructor(destination: string) {
    this.#destination = destination;
    this.path = `${destination}.part`;
    this.#notePath = `${destination}.part.json`;
  }

  get isOpen(): boolean {
    return this.#handle !== undefined;
  }

  async size(): Promise<number> {
    return stat(this.path).then(
      ({ size }) => size,
      () => 0,
    );
  }

  async state(url: string): Promise<PartState | undefined> {
    try {
      const note = JSON.parse(await readFile(this.#notePath, 'utf8')) as Partial<PartState>;
      return note.url === url && typeof note.validator === 'string' ? { url, validator: note.validator } : undefined;
    } catch {
      return undefined;
    }
  }

  async begin(start: number, url: string, validator: string | undefined): Promise<void> {
    await this.#writing(async () => {
      this.#handle = await open(this.path, start === 0 ? 'w' : 'a');
      if (start === 0) {
        await rm(this.#notePath, { force: true });
        if (validator !== undefined) {
          await writeFile(this.#notePath, JSON.stringify({ url, validator } satisfies PartState));
        }
      }
    });
  }

  async append(chunk: Uint8Array): Promise<void> {
    await this.#writing(async () => {
      await this.#handle?.writeFile(chunk);
    });
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  async digest(): Promise<{ bytes: number; sha256: string }> {
    const hash = createHash('sha256');
    let bytes = 0;
    const handle = await open(this.path);
    for await (const chunk of handle.createReadStream()) {
      hash.update(chunk as Uint8Array);
      bytes += (chunk as Uint8Array).length;
    }
    return { bytes, sha256: hash.digest('hex') };
  }

  async finish(): Promise<void> {
    await this.#writing(() => rename(this.path, this.#destination));
    await rm(this.#notePath, { force: true });
  }

  async remove(): Promise<void> {
    await this.close();
    await rm(this.path, { force: true });
    await rm(this.#notePath, { force: true });
  }

  async #writing(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      throw new MambairError('MAMBAIR_FILE_WRITE', `${this.path} could not be written: ${(error as Error).message}`, {
        cause: error,
        detail: { path: this.path },
      });
    }
  }
}

import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeAside } from '../write-aside.js';
import type { GpuReports } from './describe-gpus.js';

/** Whether a GPU is to be used for a network, and why or why not: the end of a sentence. */
export interface GpuVerdict {
  /** `slow` is right, but no gain; `broken` must not be used. */
  readonly outcome: 'fit' | 'slow' | 'broken';
  readonly reason: string;
}

/** How long a list of GPUs, or a refusal, counts: a driver that was installed since should be seen some day. */
const freshMs = 24 * 60 * 60 * 1000;

interface Contents {
  /** What was installed and set when all this was found out; it counts for nothing else. */
  readonly setup: string;
  readonly list?: { readonly at: number; readonly found: GpuReports };
  readonly verdicts: Readonly<Record<string, GpuVerdict & { readonly at: number }>>;
}

/**
 * What was found out about the GPUs of this machine, in a file of the cache folder, so that it need not be found out at
 * each start. A file that cannot be read or written counts as empty: then it is found out again.
 */
export class GpuNotes {
  readonly #path: string;
  readonly #setup: string;
  readonly #now: () => number;

  /** @param setup versions and settings that decide what is found */
  constructor(path: string, setup: string, now: () => number = Date.now) {
    this.#path = path;
    this.#setup = setup;
    this.#now = now;
  }

  /** The GPUs that were listed within the last day. */
  async list(): Promise<GpuReports | undefined> {
    const { list } = await this.#read();
    return list !== undefined && this.#isFresh(list.at) ? list.found : undefined;
  }

  /** What was said of a device and a network: for good if it is fit, else for a day. */
  async verdict(key: string): Promise<GpuVerdict | undefined> {
    const found = Object.entries((await this.#read()).verdicts).find(([each]) => each === key)?.[1];
    return found !== undefined && (found.outcome === 'fit' || this.#isFresh(found.at)) ? found : undefined;
  }

  async noteList(found: GpuReports): Promise<void> {
    await this.#change((contents) => ({ ...contents, list: { at: this.#now(), found } }));
  }

  async noteVerdict(key: string, verdict: GpuVerdict): Promise<void> {
    const at = this.#now();
    await this.#change((contents) => ({
      ...contents,
      verdicts: { ...contents.verdicts, [key]: { ...verdict, at } },
    }));
  }

  #isFresh(at: number): boolean {
    const age = this.#now() - at;
    return age >= 0 && age < freshMs;
  }

  async #read(): Promise<Contents> {
    const empty = { setup: this.#setup, verdicts: {} };
    try {
      const contents = JSON.parse(await readFile(this.#path, 'utf8')) as Contents;
      const isWhole = typeof contents.verdicts === 'object' && contents.verdicts !== null;
      return contents.setup === this.#setup && isWhole ? contents : empty;
    } catch {
      return empty;
    }
  }

  async #change(change: (contents: Contents) => Contents): Promise<void> {
    try {
      await mkdir(dirname(this.#path), { recursive: true });
      const text = JSON.stringify(change(await this.#read()), undefined, 1);
      await writeAside(this.#path, new TextEncoder().encode(text), { overwrite: true });
    } catch {
      // A home that cannot be written to costs time at the next start, no more.
    }
  }
}

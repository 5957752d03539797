import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { MambairError } from '../../core/index.js';

/** Everything that decides how the restored frames come out; a run is gone on with only when all of it is the same. */
export type JobFacts = Readonly<Record<string, unknown>>;

/** A run of restored frames in a file of its own. */
export interface ChunkEntry {
  readonly file: string;
  readonly frames: number;
  readonly bytes: number;
  /** Of the file. */
  readonly sha256: string;
  /** Of the times of all frames up to its end, see {@link TimesHash}. */
  readonly times: string;
}

interface Manifest {
  readonly version: 1;
  readonly job: JobFacts;
  readonly chunks: readonly ChunkEntry[];
}

const manifestName = 'job.json';

/** Where the chunks of an output lie until it is complete. */
export function workFolderOf(output: string): string {
  return join(dirname(output), `${basename(output)}.mambair`);
}

/**
 * The folder beside an output that holds what is done of it: chunks of restored frames, and a manifest that names those
 * that are whole. The manifest is written aside and renamed, so it never names a chunk that is not there; a chunk that it
 * does not name is thrown away.
 */
export class WorkFolder {
  readonly path: string;
  readonly #job: JobFacts;
  readonly #chunks: ChunkEntry[];

  private constructor(path: string, job: JobFacts, chunks: readonly ChunkEntry[]) {
    this.path = path;
    this.#job = job;
    this.#chunks = [...chunks];
  }

  /**
   * Opens the folder of an output. What an earlier run left there is gone on with when `resume` is set, thrown away when
   * `overwrite` is, else refused.
   * @throws MAMBAIR_FILE_EXISTS for a folder that neither is set for
   * @throws MAMBAIR_RESUME_REFUSED when the job is another one, or still running
   */
  static async open(
    output: string,
    job: JobFacts,
    { resume, overwrite }: { readonly resume: boolean; readonly overwrite: boolean },
  ): Promise<WorkFolder> {
    const path = workFolderOf(output);
    const manifest = await readManifest(path);
    if (manifest !== undefined) {
      await refuseRunning(path);
      if (!resume && !overwrite) {
        throw new MambairError(
          'MAMBAIR_FILE_EXISTS',
          `${path}: an earlier run left ${framesOf(manifest.chunks)} restored frames there; go on with --resume, or begin anew`,
          { detail: { file: path, frames: framesOf(manifest.chunks) } },
        );
      }
    }
    await onDisk(path, () => mkdir(path, { recursive: true }));
    const goesOn = resume && manifest !== undefined;
    if (goesOn) {
      refuseChanged(path, manifest.job, job);
    }
    const chunks = goesOn ? await wholeChunks(path, manifest.chunks) : [];
    const folder = new WorkFolder(path, job, chunks);
    const kept = new Set([manifestName, ...chunks.map(({ file }) => file)]);
    for (const name of await readdir(path)) {
      if (!kept.has(name)) {
        await rm(join(path, name), { recursive: true, force: true });
      }
    }
    await folder.#write();
    await onDisk(path, () => writeSynced(join(path, lockName), String(process.pid)));
    return folder;
  }

  get chunks(): readonly ChunkEntry[] {
    return this.#chunks;
  }

  get frames(): number {
    return framesOf(this.#chunks);
  }

  /** A name in the folder that no other run uses. */
  temporary(extension: string): string {
    return join(this.path, `partial-${randomBytes(4).toString('hex')}${extension}`);
  }

  /** Takes a finished file over as the next chunk. */
  async add(temporary: string, frames: number, times: string): Promise<void> {
    const file = `chunk-${String(this.#chunks.length).padStart(6, '0')}.nut`;
    const handle = await open(temporary, 'r');
    await handle.sync().finally(() => handle.close());
    const { size } = await stat(temporary);
    const entry = { file, frames, bytes: size, sha256: await hashFile(temporary), times };
    await rename(temporary, join(this.path, file));
    this.#chunks.push(entry);
    await this.#write();
  }

  /** Removes the folder and all that is in it. */
  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }

  /** Leaves the folder for a later run; an empty one is removed. */
  async leave(): Promise<void> {
    if (this.#chunks.length === 0) {
      await this.remove();
      return;
    }
    for (const name of await readdir(this.path)) {
      if (name.startsWith('partial-') || name === lockName) {
        await rm(join(this.path, name), { force: true });
      }
    }
  }

  async #write(): Promise<void> {
    const manifest: Manifest = { version: 1, job: this.#job, chunks: this.#chunks };
    const aside = this.temporary('.json');
    await onDisk(this.path, async () => {
      await writeSynced(aside, `${JSON.stringify(manifest, undefined, 1)}\n`);
      await rename(aside, join(this.path, manifestName));
    });
  }
}

const lockName = 'running';

const framesOf = (chunks: readonly ChunkEntry[]): number => chunks.reduce((sum, { frames }) => sum + frames, 0);

async function readManifest(path: string): Promise<Manifest | undefined> {
  let text: string;
  try {
    text = await readFile(join(path, manifestName), 'utf8');
  } catch {
    return undefined;
  }
  try {
    const manifest = JSON.parse(text) as Manifest;
    return manifest.version === 1 && Array.isArray(manifest.chunks) ? manifest : undefined;
  } catch {
    return undefined;
  }
}

/** Two runs in one folder would throw each other's files away. */
async function refuseRunning(path: string): Promise<void> {
  const pid = Number(await readFile(join(path, lockName), 'utf8').catch(() => ''));
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) {
    return;
  }
  try {
    process.kill(pid, 0);
  } catch {
    return;
  }
  throw new MambairError(
    'MAMBAIR_RESUME_REFUSED',
    `${path}: process ${pid} seems to work on this output still; wait for it, or remove ${join(path, lockName)} if it is another program`,
    { detail: { file: path, pid } },
  );
}

/** @throws MAMBAIR_RESUME_REFUSED naming what differs */
function refuseChanged(path: string, before: JobFacts, now: JobFacts): void {
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  const changed = [...names].filter((name) => JSON.stringify(before[name]) !== JSON.stringify(now[name]));
  if (changed.length > 0) {
    throw new MambairError(
      'MAMBAIR_RESUME_REFUSED',
      `${path}: its frames were made with another ${changed.join(', ')}; give the same as then, or begin anew with --overwrite`,
      { detail: { file: path, changed } },
    );
  }
}

/** Chunks up to the first that is missing or damaged. */
async function wholeChunks(path: string, chunks: readonly ChunkEntry[]): Promise<readonly ChunkEntry[]> {
  for (const [at, { file, bytes, sha256 }] of chunks.entries()) {
    const place = join(path, basename(file));
    const size = await stat(place).then(
      (found) => found.size,
      () => -1,
    );
    if (size !== bytes || (await hashFile(place)) !== sha256) {
      return chunks.slice(0, at);
    }
  }
  return chunks;
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(path)) {
    hash.update(part as Buffer);
  }
  return hash.digest('hex');
}

async function writeSynced(path: string, text: string): Promise<void> {
  const handle = await open(path, 'w');
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function onDisk<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    const system = String((cause as { code?: unknown }).code);
    throw new MambairError('MAMBAIR_FILE_WRITE', `${path}: cannot be written (${system})`, {
      cause,
      detail: { file: path, system },
    });
  }
}

/** A hash over the times of frames that can be looked at between two of them. */
export class TimesHash {
  readonly #hash = createHash('sha256');

  add(pts: number): void {
    this.#hash.update(`${pts}\n`);
  }

  get value(): string {
    return this.#hash.copy().digest('hex');
  }
}

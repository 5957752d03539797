import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readCheckpoint } from '../checkpoint/read-checkpoint.js';
import { recognise } from '../architectures/architectures.js';
import { isMambairError, MambairError } from '../errors.js';
import { nearestName } from '../nearest-name.js';
import { findModel, listModels, type ListedModel } from './catalogue.js';
import { downloadFile, type DownloadOptions } from './download.js';
import { pulledModelsFolder } from './models-folder.js';

/** How {@link pullModel} fetches. */
export interface PullOptions
  extends Pick<DownloadOptions, 'attempts' | 'backoffMs' | 'stallMs' | 'fetch' | 'signal' | 'progress'> {
  /** Where the file goes. @default the cache folder, see {@link pulledModelsFolder} */
  readonly folder?: string;
  /** A folder URL to fetch the file from instead of the published places. */
  readonly mirror?: string;
}

/** A model that is now on this machine. */
export interface PulledModel {
  readonly id: string;
  readonly path: string;
  /** Bytes fetched by this call or an earlier, broken-off one; 0 when the model was there already. */
  readonly bytes: number;
  /** Bytes that an earlier try had left; 0 for a fetch from the start. */
  readonly resumedFrom: number;
  /** Of the file, lower-case hexadecimal. */
  readonly sha256: string;
  /** True when the SHA-256 was compared with a known one; else only the contents were checked. */
  readonly verified: boolean;
  /** True when nothing had to be fetched. */
  readonly alreadyThere: boolean;
}

/**
 * Makes a catalogue model available: fetches an official checkpoint by its published URL, continuing where an earlier
 * try broke off, and checks that it is the network it should be. Embedded and present models are only looked at.
 * @throws MAMBAIR_MODEL_UNKNOWN, MAMBAIR_OPTION_INVALID, MAMBAIR_DOWNLOAD_FAILED, MAMBAIR_CHECKSUM_MISMATCH,
 * MAMBAIR_FILE_WRITE, MAMBAIR_CANCELLED
 */
export async function pullModel(id: string, options: PullOptions = {}): Promise<PulledModel> {
  const entry = findModel(id, options.folder ?? pulledModelsFolder());
  if (entry === undefined) {
    throw unknownModel(id);
  }
  requireWeights(entry);
  const verified = entry.sha256 !== undefined;
  if (entry.available) {
    const sha256 = createHash('sha256')
      .update(await readFile(entry.path))
      .digest('hex');
    if (entry.sha256 === undefined || entry.sha256 === sha256) {
      return { id, path: entry.path, bytes: 0, resumedFrom: 0, sha256, verified, alreadyThere: true };
    }
  }
  await makeFolder(dirname(entry.path));
  return withLock(`${entry.path}.lock`, async () => {
    const result = await downloadFirst(entry, options);
    return { id, path: entry.path, ...result, verified, alreadyThere: false };
  });
}

/** @throws MAMBAIR_OPTION_INVALID for a model that is code, of which there is nothing to read or to fetch */
export function requireWeights({ id, origin }: ListedModel): void {
  if (origin === 'built-in') {
    throw new MambairError('MAMBAIR_OPTION_INVALID', `the model ${id} is built in and has no weights; just use it`, {
      detail: { id },
    });
  }
}

/** An id that the catalogue lacks, with the nearest one. */
export function unknownModel(id: string): MambairError {
  const nearest = nearestName(
    id,
    listModels().map((entry) => entry.id),
  );
  const hint = nearest === undefined ? '' : `did you mean ${nearest}? `;
  return new MambairError('MAMBAIR_MODEL_UNKNOWN', `no model is called "${id}"; ${hint}see: mambair models list`, {
    detail: { id, ...(nearest === undefined ? {} : { nearest }) },
  });
}

async function downloadFirst(
  entry: ListedModel,
  options: PullOptions,
): Promise<{ bytes: number; resumedFrom: number; sha256: string }> {
  const urls =
    options.mirror === undefined ? (entry.urls ?? []) : [`${options.mirror.replace(/\/+$/, '')}/${entry.file}`];
  const failures: MambairError[] = [];
  for (const url of urls) {
    try {
      return await downloadFile(url, entry.path, {
        ...options,
        ...(entry.sha256 === undefined ? {} : { sha256: entry.sha256 }),
        check: (path) => checkNetwork(path, entry, url),
      });
    } catch (error) {
      if (!isMambairError(error, 'MAMBAIR_DOWNLOAD_FAILED')) {
        throw error;
      }
      failures.push(error);
    }
  }
  throw new MambairError('MAMBAIR_DOWNLOAD_FAILED', failures.map(({ message }) => message).join('; '), {
    detail: { id: entry.id, urls },
    cause: failures[0],
  });
}

/** A file without a known checksum must at least be the network that its name promises. */
async function checkNetwork(path: string, entry: ListedModel, url: string): Promise<void> {
  try {
    const { tensors } = await readCheckpoint(path);
    const { info } = recognise(tensors);
    if (entry.configuration !== undefined && !info.published.includes(entry.configuration)) {
      throw new Error(`it is ${info.title}`);
    }
  } catch (error) {
    throw new MambairError(
      'MAMBAIR_DOWNLOAD_FAILED',
      `what ${url} sent is not the model ${entry.id}: ${(error as Error).message}; it was deleted`,
      { cause: error, detail: { url, id: entry.id } },
    );
  }
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw new MambairError(
      'MAMBAIR_FILE_WRITE',
      `the models folder ${folder} could not be made: ${(error as Error).message}; set MAMBAIR_HOME to another place`,
      { cause: error, detail: { path: folder } },
    );
  });
}

/** Two processes that append to one part file would spoil it; a lock whose process is gone is taken over. */
async function withLock<T>(path: string, action: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      const handle = await open(path, 'wx');
      await handle.writeFile(String(process.pid));
      await handle.close();
      break;
    } catch (error) {
      const holder = Number(await readFile(path, 'utf8').catch(() => ''));
      if ((error as { code?: string }).code !== 'EEXIST' || (isRunning(holder) && tries === 0) || tries > 1) {
        throw new MambairError(
          'MAMBAIR_FILE_WRITE',
          `another process (${holder}) seems to be fetching this model; if it is not, delete ${path}`,
          { cause: error, detail: { path } },
        );
      }
      await rm(path, { force: true });
    }
  }
  try {
    return await action();
  } finally {
    await rm(path, { force: true });
  }
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) {
    return false;
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM';
  }
}

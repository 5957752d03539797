import { setTimeout as delay } from 'node:timers/promises';
import { isMambairError, MambairError, throwIfCancelled } from '../errors.js';
import { PartFile, type PartState } from './part-file.js';

/** How a download is done; all but the URL and the destination have defaults. */
export interface DownloadOptions {
  /** Lower-case hexadecimal; checked over the whole file before it gets its name. */
  readonly sha256?: string;
  /** Looks at the whole file before it gets its name; when it throws, the file is deleted. */
  readonly check?: (path: string) => Promise<void>;
  /** Attempts in a row without a single new byte before giving up. @default 4 */
  readonly attempts?: number;
  /** Waiting time before the second attempt, doubled after each. @default 500 */
  readonly backoffMs?: number;
  /** An attempt without a byte for so long is broken off. @default 30000 */
  readonly stallMs?: number;
  /** A longer file is refused. @default 2 GiB */
  readonly limitBytes?: number;
  /** Stands in for the global `fetch`. */
  readonly fetch?: typeof fetch;
  readonly signal?: AbortSignal;
  readonly progress?: (report: { readonly done: number; readonly total?: number; readonly unit: 'bytes' }) => void;
}

/** A finished download. */
export interface DownloadResult {
  readonly bytes: number;
  readonly sha256: string;
  /** Bytes that were already there from an earlier, broken-off download. */
  readonly resumedFrom: number;
}

/** Statuses that a second try may cure. */
const passingStatuses: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/**
 * Fetches a file into `destination`, by way of `destination.part`, which is kept when the download breaks and
 * continued by the next call if the server still has the same version (HTTP Range with If-Range, RFC 9110 §13–14).
 * @throws MAMBAIR_DOWNLOAD_FAILED, MAMBAIR_CHECKSUM_MISMATCH, MAMBAIR_FILE_WRITE, MAMBAIR_CANCELLED
 */
export async function downloadFile(
  url: string,
  destination: string,
  options: DownloadOptions = {},
): Promise<DownloadResult> {
  const { attempts = 4, backoffMs = 500 } = options;
  const part = new PartFile(destination);
  let failures = 0;
  let resumedFrom: number | undefined;
  for (;;) {
    throwIfCancelled(options.signal);
    const before = await part.size();
    try {
      const start = await fetchRest(url, part, options);
      resumedFrom ??= start;
      break;
    } catch (error) {
      throwIfCancelled(options.signal);
      if (isMambairError(error)) {
        throw error;
      }
      failures = (await part.size()) > before ? 1 : failures + 1;
      if (failures >= attempts) {
        throw new MambairError(
          'MAMBAIR_DOWNLOAD_FAILED',
          `${url} could not be fetched: ${describe(error)}; what has arrived is kept, so run the command again to continue`,
          { cause: error, detail: { url } },
        );
      }
      resumedFrom ??= before;
      await delay(backoffMs * 2 ** (failures - 1), undefined, { signal: options.signal }).catch(() => undefined);
    }
  }
  const { bytes, sha256 } = await part.digest();
  if (options.sha256 !== undefined && options.sha256 !== sha256) {
    await part.remove();
    throw new MambairError(
      'MAMBAIR_CHECKSUM_MISMATCH',
      `${url} should have SHA-256 ${options.sha256}, but what came has ${sha256}; it was deleted`,
      { detail: { url, expected: options.sha256, actual: sha256 } },
    );
  }
  await options.check?.(part.path).catch(async (error: unknown) => {
    await part.remove();
    throw error;
  });
  await part.finish();
  return { bytes, sha256, resumedFrom: resumedFrom ?? 0 };
}

/**
 * One attempt: asks for what is missing and appends it. Returns the offset at which the server began.
 * Throws a MambairError for what no second try can cure, any other error otherwise.
 */
async function fetchRest(url: string, part: PartFile, options: DownloadOptions): Promise<number> {
  const { limitBytes = 2 * 2 ** 30, stallMs = 30_000 } = options;
  const state = await part.state(url);
  const have = state === undefined ? 0 : await part.size();
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (state !== undefined && have > 0) {
    headers['range'] = `bytes=${have}-`;
    headers['if-range'] = state.validator;
  }
  const stall = new AbortController();
  const signal = options.signal === undefined ? stall.signal : AbortSignal.any([options.signal, stall.signal]);
  let timer = setTimeout(() => stall.abort(), stallMs);
  try {
    const response = await (options.fetch ?? fetch)(url, { headers, signal });
    const answer = readAnswer(url, response, have, state);
    if (answer.kind === 'restart') {
      await response.body?.cancel();
      await part.remove();
      throw new Error('the file has changed on the server');
    }
    if (answer.kind === 'complete') {
      await response.body?.cancel();
      return have;
    }
    const { start, total } = answer;
    refuseLong(url, total ?? 0, limitBytes);
    await part.begin(start, url, answer.validator);
    let done = start;
    options.progress?.({ done, ...(total === undefined ? {} : { total }), unit: 'bytes' });
    for await (const chunk of response.body ?? []) {
      clearTimeout(timer);
      timer = setTimeout(() => stall.abort(), stallMs);
      if (done === 0) {
        refuseWebPage(url, chunk);
      }
      done += chunk.length;
      refuseLong(url, done, limitBytes);
      await part.append(chunk);
      options.progress?.({ done, ...(total === undefined ? {} : { total }), unit: 'bytes' });
    }
    if (total !== undefined && done !== total) {
      throw new Error(`the connection ended after ${done} of ${total} bytes`);
    }
    return start;
  } catch (error) {
    if (part.isOpen && isMambairError(error, 'MAMBAIR_DOWNLOAD_FAILED')) {
      // What came is not the file: nothing to continue.
      await part.remove();
    }
    if (stall.signal.aborted) {
      throw new Error(`no byte arrived for ${stallMs / 1000} s`, { cause: error });
    }
    throw error;
  } finally {
    clearTimeout(timer);
    await part.close();
  }
}

type Answer =
  | { readonly kind: 'restart' }
  | { readonly kind: 'complete' }
  | { readonly kind: 'body'; readonly start: number; readonly total?: number; readonly validator?: string };

/** What the status line and headers mean for a request that already has `have` bytes. */
function readAnswer(url: string, response: Response, have: number, state: PartState | undefined): Answer {
  const { status } = response;
  const range = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '');
  const total = range?.[3] === undefined || range[3] === '*' ? undefined : Number(range[3]);
  if (status === 416 && have > 0) {
    return total === have ? { kind: 'complete' } : { kind: 'restart' };
  }
  if (passingStatuses.has(status)) {
    throw new Error(`the server answered ${status} ${response.statusText}`.trim());
  }
  if (status !== 200 && status !== 206) {
    throw new MambairError(
      'MAMBAIR_DOWNLOAD_FAILED',
      `${url} could not be fetched: the server answered ${`${status} ${response.statusText}`.trim()}`,
      { detail: { url, status } },
    );
  }
  if (response.headers.get('content-type')?.startsWith('text/html') === true) {
    throw notAFile(url);
  }
  // Only a strong ETag or a date promises byte equality (RFC 9110 §13.1.5).
  const tag = response.headers.get('etag');
  const validator = tag !== null && !tag.startsWith('W/') ? tag : (response.headers.get('last-modified') ?? undefined);
  const known = validator === undefined ? {} : { validator };
  if (status === 206) {
    const differs = validator !== undefined && state !== undefined && validator !== state.validator;
    if (range === null || Number(range[1]) !== have || differs) {
      return { kind: 'restart' };
    }
    return { kind: 'body', start: have, ...(total === undefined ? {} : { total }), ...known };
  }
  const length = response.headers.get('content-length');
  return { kind: 'body', start: 0, ...(length === null ? {} : { total: Number(length) }), ...known };
}

function refuseLong(url: string, bytes: number, limitBytes: number): void {
  if (bytes > limitBytes) {
    throw new MambairError(
      'MAMBAIR_DOWNLOAD_FAILED',
      `${url} is longer than ${limitBytes} bytes, the most that a model may have`,
      { detail: { url, bytes, limitBytes } },
    );
  }
}

/** Portals and error pages answer 200 with HTML; a checkpoint never begins with "<". */
function refuseWebPage(url: string, chunk: Uint8Array): void {
  const start = new TextDecoder('latin1').decode(chunk.subarray(0, 64)).trimStart().toLowerCase();
  if (start.startsWith('<!doctype') || start.startsWith('<html') || start.startsWith('<?xml')) {
    throw notAFile(url);
  }
}

function notAFile(url: string): MambairError {
  return new MambairError(
    'MAMBAIR_DOWNLOAD_FAILED',
    `${url} answered with a web page instead of the file; is a login page or proxy in between?`,
    { detail: { url } },
  );
}

function describe(error: unknown): string {
  const parts: string[] = [];
  for (let each: unknown = error; each !== undefined && each !== null && parts.length < 3; ) {
    const { message, cause } = each as { message?: string; cause?: unknown };
    if (message !== undefined && message !== '') {
      parts.push(message);
    }
    each = cause;
  }
  return parts.join(': ');
}

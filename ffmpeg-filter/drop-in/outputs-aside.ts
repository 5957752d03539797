import { lstatSync, realpathSync, statSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { MambairError } from '../../core/index.js';
import { lastValue, type Command, type FileGroup } from '../command/command-line.js';

/** One output of a command that is written under another name until it is complete. */
interface Aside {
  readonly final: string;
  readonly partial: string;
}

/** Formats that are not one file of the given name: several files, a stream, nothing. */
const manyFiles =
  /^(segment|stream_segment|ssegment|hls|dash|smoothstreaming|hds|tee|image2|null|webm_chunk|fifo|ismv)$/;

/**
 * The outputs of a command: files are written as `name.partial.ext` and get their names once all is complete, so that a
 * file under its own name is a whole one. What is no plain file (pipes, addresses, numbered pictures, playlists) is left
 * alone.
 */
export class OutputsAside {
  readonly #asides = new Map<number, Aside>();

  /** @throws MAMBAIR_OPTION_INVALID when an output is one of the inputs */
  constructor(command: Command) {
    const inputs = new Set(command.inputs.flatMap(({ url }) => realPath(localPath(url)) ?? []));
    for (const [number, output] of command.outputs.entries()) {
      const final = plainFile(output);
      if (final === undefined) {
        continue;
      }
      const real = realPath(final);
      if (real !== undefined && inputs.has(real)) {
        throw new MambairError('MAMBAIR_OPTION_INVALID', `${final} is input and output; give the output another name`, {
          detail: { path: final },
        });
      }
      this.#asides.set(number, { final, partial: partialName(final) });
    }
  }

  /** The files that are there already and would be replaced. */
  get existing(): readonly string[] {
    return [...this.#asides.values()].flatMap(({ final }) => (statSync(final, { throwIfNoEntry: false }) ? final : []));
  }

  /** The unfinished files that are there: what a failed run leaves. */
  get partials(): readonly string[] {
    return [...this.#asides.values()].flatMap(({ partial }) =>
      (statSync(partial, { throwIfNoEntry: false })?.size ?? 0) > 0 ? partial : [],
    );
  }

  /** The address under which an output is to be written. */
  address(url: string, output: number): string {
    return this.#asides.get(output)?.partial ?? url;
  }

  /** Removes what an earlier run has left under the unfinished names, so that ffmpeg need not ask. */
  async clear(): Promise<void> {
    await Promise.all([...this.#asides.values()].map(({ partial }) => rm(partial, { force: true })));
  }

  /** Gives every file its name. @throws MAMBAIR_FILE_WRITE */
  async finish(): Promise<void> {
    for (const { final, partial } of this.#asides.values()) {
      // A codec without frames, or `-t 0`, writes no file, and ffmpeg has said so.
      if (statSync(partial, { throwIfNoEntry: false }) === undefined) {
        continue;
      }
      await rename(partial, final).catch((cause: unknown) => {
        throw new MambairError(
          'MAMBAIR_FILE_WRITE',
          `${partial} is complete, but could not be renamed to ${final}: ${(cause as Error).message}`,
          { cause, detail: { path: final } },
        );
      });
    }
  }
}

/** `film.mkv` → `film.partial.mkv`: ffmpeg goes by the ending. */
export function partialName(path: string): string {
  const extension = extname(path);
  return join(dirname(path), `${basename(path, extension)}.partial${extension}`);
}

function localPath(url: string): string {
  return url.startsWith('file:') ? url.slice('file:'.length) : url;
}

/** The path of an output that is one plain file, or will be. */
function plainFile(output: FileGroup): string | undefined {
  const path = localPath(output.url);
  const format = lastValue(output, 'f') ?? '';
  const isElsewhere = path === '-' || /^[a-z][a-z0-9+]+:/i.test(path);
  if (isElsewhere || manyFiles.test(format) || /%\d*d|%[a-zA-Z]/.test(path) || /\.(m3u8|mpd|sdp)$/i.test(path)) {
    return undefined;
  }
  const there = lstatSync(path, { throwIfNoEntry: false });
  const target = there?.isSymbolicLink() === true ? realPath(path) : path;
  const kind = target === undefined ? undefined : statSync(target, { throwIfNoEntry: false });
  // What a link points to is replaced, not the link.
  return kind === undefined || kind.isFile() ? target : undefined;
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(resolve(path));
  } catch {
    return undefined;
  }
}

import { realpathSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { imageExtensions, imageFormatOfPath, writableImageFormats, type WritableImageFormat } from '../core/index.js';
import type { InputFile } from './inputs.js';
import { usageError } from './options.js';

/** A file to work on and where its result goes. */
export interface Job extends InputFile {
  readonly output: string;
}

/** Decides where results go. */
export interface OutputWish {
  /** A file, or a folder; absent: beside each input. */
  readonly output?: string;
  readonly format?: WritableImageFormat;
  /** Added to the name of a result that lies beside its input, e.g. `-x2`. */
  readonly suffix: string;
}

/** Names that surely mean a picture and no folder, but of a format that cannot be written. */
const foreignExtension = /\.(bmp|gif|hei[cf]|ico|jp2|jxl|pdf|p[bgpn]m|psd|svg|tga|exr|hdr|dng|raw)$/i;

/** True when `-o` means a folder: it ends in a slash, is one, or has no extension of a picture. */
export function isFolder(output: string): boolean {
  return /[/\\]$/.test(output) || isExistingFolder(output) || formatOf(output) === undefined;
}

/**
 * Gives every input its output, all before any work starts. Into a folder results keep their names, and the places
 * below the folder or glob they were found by; beside their inputs they get a suffix.
 * @throws MAMBAIR_OPTION_INVALID when two results, or a result and an input, would be the same file; when one file is
 * named for several results; when the name and `--format` disagree.
 */
export function planOutputs(inputs: readonly InputFile[], wish: OutputWish): readonly Job[] {
  const { output, format } = wish;
  if (output !== undefined && foreignExtension.test(output) && !isExistingFolder(output)) {
    throw usageError(`${output} cannot be written; pictures are written as ${writableImageFormats.join(', ')}`);
  }
  if (output !== undefined && !isFolder(output)) {
    const named = formatOf(output);
    if (format !== undefined && named !== format) {
      throw usageError(`--format ${format} does not fit the name ${output}; leave one of them out`);
    }
    if (inputs.length > 1) {
      throw usageError(
        `${inputs.length} pictures cannot go into the one file ${output}; give a folder: -o ${stem(output)}/`,
      );
    }
  }
  const jobs = inputs.map((input) => ({ ...input, output: outputFor(input, wish) }));
  refuseCollisions(jobs);
  return jobs;
}

function outputFor(input: InputFile, wish: OutputWish): string {
  const { output, format, suffix } = wish;
  if (output !== undefined && !isFolder(output)) {
    return output;
  }
  const own = formatOf(input.path);
  const extension =
    format === undefined ? (own === undefined ? '.png' : extname(input.path)) : `.${imageExtensions[format][0]}`;
  if (output === undefined) {
    return join(dirname(input.path), `${stem(basename(input.path))}${suffix}${extension}`);
  }
  return join(output, dirname(input.relative), `${stem(basename(input.relative))}${extension}`);
}

function refuseCollisions(jobs: readonly Job[]): void {
  const inputs = new Map(jobs.map((job) => [identity(job.path), job.path]));
  const outputs = new Map<string, string>();
  for (const job of jobs) {
    const key = identity(job.output);
    const input = inputs.get(key);
    if (input !== undefined) {
      throw usageError(`the result of ${job.path} would overwrite the input ${input}; choose another place with -o`);
    }
    const other = outputs.get(key);
    if (other !== undefined) {
      throw usageError(
        `${other} and ${job.path} would both become ${job.output}; run them apart or into other folders`,
      );
    }
    outputs.set(key, job.path);
  }
}

/** Equal for two paths that name one file, also through links and on systems that ignore case. */
function identity(path: string): string {
  const absolute = resolve(path);
  const real = realPath(absolute) ?? join(realPath(dirname(absolute)) ?? dirname(absolute), basename(absolute));
  return process.platform === 'linux' ? real : real.normalize('NFC').toLowerCase();
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

function isExistingFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function stem(path: string): string {
  return path.slice(0, path.length - extname(path).length);
}

/** The writable format a name asks for, or undefined. */
function formatOf(path: string): WritableImageFormat | undefined {
  const format = imageFormatOfPath(path);
  return writableImageFormats.find((each) => each === format);
}

/** What a result's name gets where it lies beside its source: `-x2`, `-denoised`, `-repaired`, `-restored`. */
export function suffixOf({ task, scale }: { readonly task: string; readonly scale: number }): string {
  if (scale > 1) {
    return `-x${scale}`;
  }
  return task === 'denoise' ? '-denoised' : task === 'jpeg' ? '-repaired' : '-restored';
}

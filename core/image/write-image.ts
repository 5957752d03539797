import { open, realpath, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isMambairError, MambairError, throwIfCancelled } from '../errors.js';
import { encodeImage, type EncodeFiles, releaseEncoderFiles } from './encode-image.js';
import { systemErrorCode } from './image-bytes.js';
import type { ImageMetadata, ImageWarning } from './image-metadata.js';
import { checkWritable, type ImageSpec, keptMetadata } from './image-spec.js';
import { encodeMetadataCarrier } from './metadata-carrier.js';
import type { PixelImage, RowSink } from './pixels.js';
import { convertRows, storedLayout } from './row-conversion.js';
import { RowFile, rowFileBytes } from './row-file.js';
import { has16Bits, has8Bits, sampleBits } from './samples.js';

/** What to write and how; see {@link openImageWriter}. */
export interface WriteImageOptions extends ImageSpec {
  /** Replaces an existing file. @default false */
  readonly overwrite?: boolean;
  readonly signal?: AbortSignal;
}

/** An image file in the making. Until {@link ImageWriter.finish} resolves there is nothing under its name. */
export interface ImageWriter {
  /** Takes the rows from top to bottom, as many as the height says. */
  readonly sink: RowSink;
  /** What the file cannot keep. */
  readonly warnings: readonly ImageWarning[];
  /**
   * Encodes, flushes to the disk and gives the file its name.
   *
   * @throws MAMBAIR_FILE_WRITE, MAMBAIR_FILE_EXISTS (made by another meanwhile), MAMBAIR_CANCELLED,
   * MAMBAIR_OPTION_INVALID (rows are missing), MAMBAIR_DISPOSED; nothing is left behind
   */
  finish(): Promise<void>;
  /** Stops at once, also a running {@link ImageWriter.finish}, and removes what was written. Never throws. */
  abort(): Promise<void>;
}

/**
 * Starts an image file. Rows go to a temporary file beside the target, uncompressed, and are encoded from there when all
 * have come: memory stays bounded for any size in png, jpeg and tiff (webp and avif encoders hold the whole picture).
 * The disk needs room for the uncompressed pixels and the result; that is checked first.
 *
 * @throws MAMBAIR_IMAGE_UNSUPPORTED when a side is too long for the format, or when it has no alpha and no background is
 * given; MAMBAIR_OPTION_INVALID; MAMBAIR_FILE_EXISTS; MAMBAIR_FILE_WRITE (no such folder, no permission, disk full, the
 * target is a folder); MAMBAIR_CANCELLED
 */
export async function openImageWriter(path: string, options: WriteImageOptions): Promise<ImageWriter> {
  throwIfCancelled(options.signal);
  const warnings = checkWritable(options);
  const target = await resolveTarget(path, options.overwrite === true);
  const files = temporaryFiles(target);
  const layout = { width: options.width, height: options.height, ...storedLayout(options) };
  await requireDiskSpace(path, dirname(target), rowFileBytes(layout));
  try {
    await writeFile(files.carrier, encodeMetadataCarrier(carriedMetadata(options), layout), {
      flag: 'wx',
      mode: 0o600,
    });
    const rows = await RowFile.create(files.rows, layout);
    return new FileImageWriter(path, target, files, rows, options, warnings);
  } catch (error) {
    await removeFiles(files);
    throw fileWriteError(path, error);
  }
}

/** TIFF gets its EXIF and IPTC afterwards: the encoder writes no EXIF there, and IPTC in JPEG's wrapping. */
function carriedMetadata(options: ImageSpec): ImageMetadata {
  const { exif, iptc, ...others } = keptMetadata(options);
  const jpegLike = { ...(exif === undefined ? {} : { exif }), ...(iptc === undefined ? {} : { iptc }) };
  return options.format === 'tiff' ? others : { ...others, ...jpegLike };
}

class FileImageWriter implements ImageWriter {
  readonly sink: RowSink;
  readonly warnings: readonly ImageWarning[];
  readonly #path: string;
  readonly #target: string;
  readonly #files: EncodeFiles;
  readonly #rows: RowFile;
  readonly #options: WriteImageOptions;
  readonly #onAbort = (): void => void this.abort();
  #state: 'writing' | 'finishing' | 'closed' = 'writing';
  #isAborted = false;
  #rowCount = 0;
  #finishing: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    path: string,
    target: string,
    files: EncodeFiles,
    rows: RowFile,
    options: WriteImageOptions,
    warnings: readonly ImageWarning[],
  ) {
    this.#path = path;
    this.#target = target;
    this.#files = files;
    this.#rows = rows;
    this.#options = options;
    this.warnings = warnings;
    this.sink = { write: (image) => this.#write(image) };
    options.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  async #write(image: PixelImage): Promise<void> {
    this.#requireWriting();
    const { width, height, channels, depth } = this.#options;
    const { data } = image;
    if (!(has8Bits(data) || has16Bits(data)) || sampleBits(data) !== depth) {
      throw new MambairError('MAMBAIR_OPTION_INVALID', `expected ${depth}-bit rows for ${this.#path}`);
    }
    const isFitting = image.width === width && image.channels === channels && this.#rowCount + image.height <= height;
    if (!isFitting || data.length !== image.width * image.height * image.channels) {
      const message = `expected rows of ${width} pixels and ${channels} channels, ${height} in all, for ${this.#path}`;
      throw new MambairError('MAMBAIR_OPTION_INVALID', message);
    }
    this.#rowCount += image.height;
    try {
      await this.#rows.append(convertRows(data, this.#options));
    } catch (error) {
      this.#throwIfAborted();
      await this.abort();
      throw fileWriteError(this.#path, error);
    }
  }

  async finish(): Promise<void> {
    this.#requireWriting();
    this.#state = 'finishing';
    this.#finishing = this.#finish().finally(() => this.#close());
    await this.#finishing;
  }

  async #finish(): Promise<void> {
    const { height, overwrite } = this.#options;
    if (this.#rowCount !== height) {
      const message = `expected ${height} rows for ${this.#path}: got ${this.#rowCount}`;
      throw new MambairError('MAMBAIR_OPTION_INVALID', message);
    }
    try {
      await encodeImage(this.#files, this.#options);
      this.#throwIfAborted();
      if (overwrite !== true) {
        await requireAbsent(this.#path, this.#target);
      }
      await rename(this.#files.output, this.#target);
    } catch (error) {
      this.#throwIfAborted();
      throw fileWriteError(this.#path, error);
    }
    await flushFolder(dirname(this.#target));
  }

  async abort(): Promise<void> {
    if (this.#state === 'closed') {
      // perhaps by the signal just now, and still clearing away
      await this.#closing;
      return;
    }
    this.#isAborted = true;
    if (this.#finishing === undefined) {
      this.#state = 'closed';
      await this.#close();
      return;
    }
    await this.#rows.truncate().catch(() => undefined);
    await this.#finishing.catch(() => undefined);
  }

  #close(): Promise<void> {
    this.#state = 'closed';
    this.#closing ??= this.#clearAway();
    return this.#closing;
  }

  async #clearAway(): Promise<void> {
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    await this.#rows.close().catch(() => undefined);
    await releaseEncoderFiles();
    await removeFiles(this.#files);
  }

  #requireWriting(): void {
    this.#throwIfAborted();
    if (this.#state !== 'writing') {
      throw new MambairError('MAMBAIR_DISPOSED', `the writer of ${this.#path} is finished; open another`);
    }
  }

  #throwIfAborted(): void {
    throwIfCancelled(this.#options.signal);
    if (this.#isAborted) {
      throw new MambairError('MAMBAIR_CANCELLED', `writing ${this.#path} was cancelled`);
    }
  }
}

/** Writes a whole image in memory to a file; see {@link openImageWriter}. */
export async function writeImage(
  path: string,
  image: PixelImage,
  options: Omit<WriteImageOptions, 'width' | 'height' | 'channels' | 'depth'>,
): Promise<readonly ImageWarning[]> {
  const { width, height, channels } = image;
  const depth = has16Bits(image.data) ? 16 : 8;
  const writer = await openImageWriter(path, { ...options, width, height, channels, depth });
  try {
    await writer.sink.write(image);
    await writer.finish();
  } catch (error) {
    await writer.abort();
    throw error;
  }
  return writer.warnings;
}

/** The path behind a link, so that overwriting replaces the picture and not the link. */
async function resolveTarget(path: string, overwrite: boolean): Promise<string> {
  const entry = await stat(path).catch((error: unknown) => {
    if (systemErrorCode(error) === 'ENOENT') {
      return undefined;
    }
    throw fileWriteError(path, error);
  });
  if (entry === undefined) {
    return path;
  }
  if (!entry.isFile()) {
    throw new MambairError('MAMBAIR_FILE_WRITE', `expected a file name: ${path} is a folder or a device`, {
      detail: { file: path },
    });
  }
  if (!overwrite) {
    throw fileExists(path);
  }
  return realpath(path);
}

async function requireAbsent(path: string, target: string): Promise<void> {
  const isThere = await stat(target).then(
    () => true,
    () => false,
  );
  if (isThere) {
    throw fileExists(path);
  }
}

function fileExists(path: string): MambairError {
  const message = `expected a new file: ${path} exists; choose another name or allow overwriting`;
  return new MambairError('MAMBAIR_FILE_EXISTS', message, { detail: { file: path } });
}

let temporaryCount = 0;

function temporaryFiles(target: string): EncodeFiles {
  temporaryCount += 1;
  // names end at 255 bytes on common file systems; the number tells writers of one process apart
  const name = Buffer.from(basename(target))
    .subarray(0, 160)
    .toString('latin1')
    .replace(/[^\w.-]/g, '_');
  const stem = join(dirname(target), `.${name}.partial-${process.pid}-${temporaryCount}`);
  return { rows: `${stem}.rows`, carrier: `${stem}.meta`, output: `${stem}.out` };
}

async function removeFiles({ rows, carrier, output }: EncodeFiles): Promise<void> {
  await Promise.all([rows, carrier, output].map((file) => rm(file, { force: true }).catch(() => undefined)));
}

async function requireDiskSpace(path: string, folder: string, bytes: number): Promise<void> {
  const { blocks, bavail, bsize } = await statfs(folder).catch((error: unknown) => {
    throw fileWriteError(path, error);
  });
  // a file system that does not know its size says 0 blocks
  if (blocks > 0 && bavail * bsize < bytes) {
    const message = `expected ${bytes} free bytes beside ${path} for its uncompressed rows: there are ${bavail * bsize}`;
    throw new MambairError('MAMBAIR_FILE_WRITE', message, { detail: { file: path, bytes, available: bavail * bsize } });
  }
}

/** Makes the new name survive a power cut, where the system can flush folders. */
async function flushFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch {
    // Windows has no such operation
  }
}

function fileWriteError(path: string, cause: unknown): MambairError {
  if (isMambairError(cause)) {
    return cause;
  }
  const system = systemErrorCode(cause);
  const said =
    typeof cause === 'object' && cause !== null && 'message' in cause ? String(cause.message) : String(cause);
  const isEncoderWrite = said.includes('write error'); // the encoder library's words, after a temporary name
  const reason =
    reasons[system] ?? (isEncoderWrite ? 'the disk is full or failed' : (said.split('\n')[0] ?? said).slice(0, 200));
  const message = `cannot write ${path}: ${reason}`;
  return new MambairError('MAMBAIR_FILE_WRITE', message, { detail: { file: path, system }, cause });
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'its folder is a file',
  EACCES: 'no permission',
  EPERM: 'no permission',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
};

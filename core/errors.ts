/**
 * Every failure a caller can meet, as a closed list. Codes are public: documented in `docs/errors.md`, never reused.
 * The second word names the room that raises it.
 */
export type ErrorCode =
  // what the caller asked for
  | 'MAMBAIR_OPTION_INVALID'
  | 'MAMBAIR_CANCELLED'
  | 'MAMBAIR_DISPOSED'
  | 'MAMBAIR_INTERNAL'
  // files
  | 'MAMBAIR_FILE_NOT_FOUND'
  | 'MAMBAIR_FILE_EXISTS'
  | 'MAMBAIR_FILE_WRITE'
  | 'MAMBAIR_FILE_READ'
  // checkpoints
  | 'MAMBAIR_NOT_A_CHECKPOINT'
  | 'MAMBAIR_ZIP_MALFORMED'
  | 'MAMBAIR_ZIP_CRC'
  | 'MAMBAIR_ZIP_LIMIT'
  | 'MAMBAIR_ZIP_UNSUPPORTED'
  | 'MAMBAIR_PTH_MALFORMED'
  | 'MAMBAIR_PTH_UNSUPPORTED'
  | 'MAMBAIR_PICKLE_FORBIDDEN'
  | 'MAMBAIR_PICKLE_MALFORMED'
  | 'MAMBAIR_PICKLE_LIMIT'
  | 'MAMBAIR_STORAGE_INVALID'
  | 'MAMBAIR_TENSOR_INVALID'
  | 'MAMBAIR_NO_TENSORS'
  | 'MAMBAIR_SAFETENSORS_MALFORMED'
  | 'MAMBAIR_SAFETENSORS_LIMIT'
  // networks
  | 'MAMBAIR_ARCHITECTURE_UNKNOWN'
  | 'MAMBAIR_ARCHITECTURE_BROKEN'
  | 'MAMBAIR_GRAPH_INVALID'
  | 'MAMBAIR_SHAPE_MISMATCH'
  | 'MAMBAIR_MODEL_UNKNOWN'
  | 'MAMBAIR_MODEL_NOT_PULLED'
  | 'MAMBAIR_DOWNLOAD_FAILED'
  | 'MAMBAIR_CHECKSUM_MISMATCH'
  // running
  | 'MAMBAIR_OUT_OF_MEMORY'
  | 'MAMBAIR_NOT_FINITE'
  | 'MAMBAIR_DEVICE_UNAVAILABLE'
  | 'MAMBAIR_DEVICE_LOST'
  // pixels
  | 'MAMBAIR_IMAGE_UNREADABLE'
  | 'MAMBAIR_IMAGE_UNSUPPORTED'
  | 'MAMBAIR_IMAGE_TOO_LARGE'
  | 'MAMBAIR_METRIC_UNDEFINED'
  // video
  | 'MAMBAIR_VIDEO_MALFORMED'
  | 'MAMBAIR_VIDEO_UNSUPPORTED'
  | 'MAMBAIR_RESUME_REFUSED'
  | 'MAMBAIR_FFMPEG_UNSPLITTABLE'
  | 'MAMBAIR_FFMPEG_NOT_FOUND'
  | 'MAMBAIR_FFMPEG_UNSUPPORTED'
  | 'MAMBAIR_FFMPEG_DECODE'
  | 'MAMBAIR_FFMPEG_ENCODE';

const errorTag = Symbol.for('mambair.error');

/** What an error may carry beside its message: plain data only, so that it survives a process border. */
export type ErrorDetail = Readonly<Record<string, string | number | boolean | readonly (string | number)[]>>;

/**
 * The one error class of the project. The message says what was expected, for which named thing, what came, and what
 * to do. Recognise it with {@link isMambairError}, never `instanceof`, which fails across realms.
 */
export class MambairError extends Error {
  /** What went wrong, to decide by. */
  readonly code: ErrorCode;
  /** The names and numbers of the message, to show or log. */
  readonly detail: ErrorDetail;

  constructor(code: ErrorCode, message: string, options: { detail?: ErrorDetail; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'MambairError';
    this.code = code;
    this.detail = options.detail ?? {};
    Object.defineProperty(this, errorTag, { value: true });
  }
}

/** True for a {@link MambairError} of any realm; with `code`, only for that code. */
export function isMambairError(value: unknown, code?: ErrorCode): value is MambairError {
  if (typeof value !== 'object' || value === null || (value as Record<symbol, unknown>)[errorTag] !== true) {
    return false;
  }
  return code === undefined || (value as MambairError).code === code;
}

/** States what cannot be otherwise. @throws MAMBAIR_INTERNAL when it is: a defect of ours, never of the input. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) {
    throw new MambairError('MAMBAIR_INTERNAL', `internal error: ${message}; please report it`);
  }
}

/** Stops a long call at its next safe point. @throws MAMBAIR_CANCELLED once the signal is aborted. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    throw new MambairError('MAMBAIR_CANCELLED', 'cancelled by the caller', { cause: signal.reason });
  }
}

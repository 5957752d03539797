import { isMambairError } from '../core/index.js';
import type { ErrorCode } from '../core/index.js';

/** What the process says when it ends; documented in `docs/cli.md`. */
export const exitCodes = {
  ok: 0,
  /** Of several files some, or all, failed. */
  someFailed: 1,
  usage: 2,
  model: 3,
  input: 4,
  output: 5,
  device: 6,
  internal: 70,
  /** 128 + SIGINT, as shells say. */
  interrupted: 130,
} as const;

/** One of {@link exitCodes}. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** What was being worked on when an error came: decides for codes that several kinds of file can raise. */
export type Phase = 'model' | 'input';

type Meaning = keyof typeof exitCodes | 'phase';

/** How a command ends by an error of each code; `phase`: by what was being read. */
export const meanings: Readonly<Record<ErrorCode, Meaning>> = {
  MAMBAIR_OPTION_INVALID: 'usage',
  MAMBAIR_CANCELLED: 'interrupted',
  MAMBAIR_DISPOSED: 'internal',
  MAMBAIR_INTERNAL: 'internal',
  MAMBAIR_FILE_NOT_FOUND: 'phase',
  MAMBAIR_FILE_READ: 'phase',
  MAMBAIR_FILE_EXISTS: 'output',
  MAMBAIR_FILE_WRITE: 'output',
  MAMBAIR_NOT_A_CHECKPOINT: 'model',
  MAMBAIR_ZIP_MALFORMED: 'model',
  MAMBAIR_ZIP_CRC: 'model',
  MAMBAIR_ZIP_LIMIT: 'model',
  MAMBAIR_ZIP_UNSUPPORTED: 'model',
  MAMBAIR_PTH_MALFORMED: 'model',
  MAMBAIR_PTH_UNSUPPORTED: 'model',
  MAMBAIR_PICKLE_FORBIDDEN: 'model',
  MAMBAIR_PICKLE_MALFORMED: 'model',
  MAMBAIR_PICKLE_LIMIT: 'model',
  MAMBAIR_STORAGE_INVALID: 'model',
  MAMBAIR_TENSOR_INVALID: 'phase',
  MAMBAIR_NO_TENSORS: 'phase',
  MAMBAIR_SAFETENSORS_MALFORMED: 'phase',
  MAMBAIR_SAFETENSORS_LIMIT: 'phase',
  MAMBAIR_ARCHITECTURE_UNKNOWN: 'model',
  MAMBAIR_ARCHITECTURE_BROKEN: 'model',
  MAMBAIR_GRAPH_INVALID: 'model',
  MAMBAIR_SHAPE_MISMATCH: 'phase',
  MAMBAIR_MODEL_UNKNOWN: 'model',
  MAMBAIR_MODEL_NOT_PULLED: 'model',
  MAMBAIR_DOWNLOAD_FAILED: 'model',
  MAMBAIR_CHECKSUM_MISMATCH: 'model',
  MAMBAIR_OUT_OF_MEMORY: 'device',
  MAMBAIR_NOT_FINITE: 'device',
  MAMBAIR_DEVICE_UNAVAILABLE: 'device',
  MAMBAIR_DEVICE_LOST: 'device',
  MAMBAIR_IMAGE_UNREADABLE: 'input',
  MAMBAIR_IMAGE_UNSUPPORTED: 'input',
  MAMBAIR_IMAGE_TOO_LARGE: 'input',
  MAMBAIR_METRIC_UNDEFINED: 'input',
  MAMBAIR_VIDEO_MALFORMED: 'input',
  MAMBAIR_VIDEO_UNSUPPORTED: 'input',
  MAMBAIR_RESUME_REFUSED: 'usage',
  MAMBAIR_FFMPEG_UNSPLITTABLE: 'usage',
  MAMBAIR_FFMPEG_NOT_FOUND: 'usage',
  MAMBAIR_FFMPEG_UNSUPPORTED: 'usage',
  MAMBAIR_FFMPEG_DECODE: 'input',
  MAMBAIR_FFMPEG_ENCODE: 'output',
};

const phases = new WeakMap<object, Phase>();

/** Awaits a part of a command; an error that any file can raise is then one of this phase. Without it: `input`. */
export async function during<Result>(phase: Phase, part: Promise<Result>): Promise<Result> {
  try {
    return await part;
  } catch (error) {
    if (typeof error === 'object' && error !== null) {
      phases.set(error, phase);
    }
    throw error;
  }
}

/** The exit code for an error that ended a command. */
export function exitCodeFor(error: unknown): ExitCode {
  if (!isMambairError(error)) {
    return exitCodes.internal;
  }
  const meaning = meanings[error.code];
  return exitCodes[meaning === 'phase' ? (phases.get(error) ?? 'input') : meaning];
}

import {
  MambairError,
  type LoadModelOptions,
  type Model,
  type RestorationTask,
  type RestoreFramesOptions,
} from '../../core/index.js';
import type { StreamProgress } from '../pipeline/frame-progress.js';
import type { ChunkLimits } from './chunks.js';
import type { VideoLoss } from './losses.js';

/** How a model takes frames. */
export type VideoFrameOptions = Omit<RestoreFramesOptions, 'progress' | 'warn'>;

/** Which part of a clip is restored, and what its frames go through. */
export interface RestoreVideoFramesOptions extends VideoFrameOptions {
  /**
   * A catalogue id, the path of a model file, or a loaded model, which stays loaded.
   * @default the best model at hand for `task` and `scale`
   */
  readonly model?: string | Model;
  /** What to do when no model is named. @default 'upscale' */
  readonly task?: RestorationTask;
  /** How many times larger; a model that is named must do so. @default 2 for upscaling, or what the model does */
  readonly scale?: number;
  /** Where a model that is named runs. */
  readonly load?: LoadModelOptions;
  /** Seconds from the clip's start. @default 0 */
  readonly start?: number;
  /** Seconds from the clip's start. @default its end */
  readonly end?: number;
  /** Number of the video stream in the file. @default the first that is marked as default, else the first */
  readonly stream?: number;
  /** Makes whole frames of interlaced ones first; without it those are refused, but by models that change nothing. */
  readonly deinterlace?: boolean;
  /** An ffmpeg to take; else as `MAMBAIR_FFMPEG`, `FFMPEG_BIN`, `FFMPEG_PATH`, `ffmpeg-static` and `PATH` say. */
  readonly ffmpeg?: string;
  /** An ffprobe to take; else the one beside ffmpeg. */
  readonly ffprobe?: string;
  /** Called after each frame. */
  readonly progress?: (progress: VideoProgress) => void;
  /** Told what cannot be kept, or was mended. */
  readonly warn?: (warning: VideoWarning) => void;
}

/** How a video is restored into another; everything has a default. */
export interface RestoreVideoOptions extends RestoreVideoFramesOptions {
  /** Encoder of ffmpeg or codec, e.g. `h265`, `ffv1`. @default by the output's extension, keeping depth, chroma, alpha, HDR10's data */
  readonly codec?: string;
  /** Constant rate factor of the encoder; lower is better. @default 18 to 24, by encoder */
  readonly crf?: number;
  /** Further options of the encoder by ffmpeg's names, e.g. `{ preset: 'slow' }`. */
  readonly encoderOptions?: Readonly<Record<string, string>>;
  /** Pixel format of the output by ffmpeg's name, also where it loses something. @default the source's */
  readonly pixelFormat?: string;
  /** Replace the output, and throw away what an earlier run has left. @default false */
  readonly overwrite?: boolean;
  /** Go on where an earlier run of the same job has stopped; begin where there is none. @default false */
  readonly resume?: boolean;
  /** Keep restored frames on disk until all is done, so that the job can be resumed. @default true */
  readonly keepChunks?: boolean;
  /** How much a failure can cost. @default 240 frames or 60 seconds */
  readonly chunkLimits?: ChunkLimits;
}

/** How far a video is. */
export interface VideoProgress extends StreamProgress {
  /** Frames that an earlier run has made, which are in `frames` too. */
  readonly resumedFrames: number;
}

/** Something that people should know and that did not stop the work. */
export interface VideoWarning {
  /** Kind of loss, `input-damaged`, or the code of a failure that was mended. */
  readonly code: VideoLoss['kind'] | 'input-damaged' | 'frame-mended';
  readonly message: string;
}

/** @throws MAMBAIR_OPTION_INVALID naming the option */
export function checkVideoOptions({ start, end, crf, stream }: RestoreVideoOptions): void {
  const refuse = (option: string, expected: string, got: unknown): never => {
    throw new MambairError('MAMBAIR_OPTION_INVALID', `${option} must be ${expected}, not ${String(got)}`, {
      detail: { option },
    });
  };
  if (start !== undefined && !(Number.isFinite(start) && start >= 0)) {
    refuse('start', 'a number of seconds, 0 or more', start);
  }
  if (end !== undefined && !(Number.isFinite(end) && end > (start ?? 0))) {
    refuse('end', `a number of seconds after the start (${start ?? 0})`, end);
  }
  if (crf !== undefined && !(Number.isFinite(crf) && crf >= 0)) {
    refuse('crf', 'a number, 0 or more', crf);
  }
  if (stream !== undefined && !(Number.isInteger(stream) && stream >= 0)) {
    refuse('stream', 'the number of a stream', stream);
  }
}

export * from './core/index.js';

// videos
export { planVideo, restoreVideo } from './ffmpeg-filter/clip/restore-video.js';
export type { RestoredVideo, VideoPlan } from './ffmpeg-filter/clip/restore-video.js';
export { restoreVideoFrames } from './ffmpeg-filter/clip/restored-frames.js';
export type { RestoredFrame } from './ffmpeg-filter/clip/restored-frames.js';
export type {
  RestoreVideoFramesOptions,
  RestoreVideoOptions,
  VideoFrameOptions,
  VideoProgress,
  VideoWarning,
} from './ffmpeg-filter/clip/options.js';
export type { VideoLoss } from './ffmpeg-filter/clip/losses.js';
export type { ChunkLimits } from './ffmpeg-filter/clip/chunks.js';
export type { StreamProgress } from './ffmpeg-filter/pipeline/frame-progress.js';
export { mambairFfmpegPath } from './ffmpeg-filter/drop-in/executable.js';

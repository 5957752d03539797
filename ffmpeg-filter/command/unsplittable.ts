import { MambairError } from '../../core/index.js';

/**
 * Why a command cannot be cut in two:
 * - `cannot-split`: pictures go round the filter, or the graph or mapping leaves open what the filter works on;
 * - `filter-with-copy`: the filtered stream is to be copied, which ffmpeg refuses too;
 * - `needs-file`: standard input, a device or a live stream would have to be read twice;
 * - `one-filter`: the filter stands more than once;
 * - `frames-on-gpu`: the pictures are in GPU memory where the filter stands.
 */
export type UnsplittableReason = 'cannot-split' | 'filter-with-copy' | 'needs-file' | 'one-filter' | 'frames-on-gpu';

/** The refusal to cut a command: MAMBAIR_FFMPEG_UNSPLITTABLE with the reason as `detail.reason`. */
export function unsplittable(reason: UnsplittableReason, message: string): MambairError {
  return new MambairError('MAMBAIR_FFMPEG_UNSPLITTABLE', message, { detail: { reason } });
}

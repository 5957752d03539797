import { createFrameConverter, type PixelImage } from '../../core/index.js';
import { frameColour } from '../pipeline/frame-colour.js';
import { restoreStream } from '../pipeline/restore-stream.js';
import { expectedFrames, openFrames, secondsOf } from './open-frames.js';
import { checkVideoOptions, type RestoreVideoFramesOptions } from './options.js';

/** One restored frame of a video. */
export interface RestoredFrame {
  /** From 0, counted from where the part begins. */
  readonly index: number;
  /** When it is shown, in seconds of the clip's own clock. */
  readonly seconds: number;
  readonly width: number;
  readonly height: number;
  /** ffmpeg's name of how `data` is laid out; see `frameLayout`. */
  readonly pixelFormat: string;
  /** The planes one after the other, in the codes of the source. */
  readonly data: Uint8Array;
  /** The frame as R'G'B' with as many bits as its source, 8 or 16 a sample; without alpha. */
  toImage(): Promise<PixelImage>;
}

/**
 * The restored frames of a video, one after the other, upright. Decoding and restoring go on while a frame is looked at;
 * leaving the loop ends both.
 *
 * ```ts
 * for await (const frame of restoreVideoFrames('holiday.mp4', { start: 10, end: 12 })) {
 *   await writeImage(`frame-${frame.index}.png`, await frame.toImage(), { format: 'png' });
 * }
 * ```
 * @throws as `restoreVideo`, but for what concerns its output
 */
export async function* restoreVideoFrames(
  input: string,
  options: RestoreVideoFramesOptions = {},
): AsyncGenerator<RestoredFrame> {
  checkVideoOptions(options);
  const { signal, progress } = options;
  const opened = await openFrames(input, options, { keepsOrientation: false });
  try {
    const { clip, part, source, restorer } = opened;
    const { layout } = restorer;
    const restored = restoreStream(source, {
      restorers: [restorer],
      signal,
      expectedFrames: expectedFrames(clip, part),
      progress: (state) => progress?.({ ...state, resumedFrames: 0 }),
    });
    const converter = await createFrameConverter(layout, frameColour(restored.header, clip.stream));
    let index = 0;
    for await (const { pts, data } of restored.frames) {
      yield {
        index,
        seconds: secondsOf(source, pts),
        width: layout.width,
        height: layout.height,
        pixelFormat: layout.format.name,
        data,
        toImage: async () => toImage(converter.toRgb(data), layout.width, layout.height, layout.format.depth),
      };
      index += 1;
    }
  } finally {
    await opened.close();
  }
}

/** Planes of signals as interleaved codes, rounded half up and clipped. */
function toImage(planes: Float32Array, width: number, height: number, depth: number): PixelImage {
  const pixels = width * height;
  const data = depth === 8 ? new Uint8Array(3 * pixels) : new Uint16Array(3 * pixels);
  const max = depth === 8 ? 255 : 65_535;
  for (let at = 0; at < pixels; at++) {
    for (let channel = 0; channel < 3; channel++) {
      const value = Math.floor((planes[channel * pixels + at] ?? 0) * max + 0.5);
      data[3 * at + channel] = value < 0 ? 0 : value > max ? max : value;
    }
  }
  return { width, height, channels: 3, data };
}

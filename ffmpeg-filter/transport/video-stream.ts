import { MambairError } from '../../core/index.js';
import type { FrameLayout, PixelFormat } from '../../core/index.js';

/** Numerator and denominator, both at least 1. */
export type Rational = readonly [numerator: number, denominator: number];

/** What is known of a stream of raw frames before the first of them. */
export interface VideoHeader {
  readonly pixelFormat: PixelFormat;
  readonly width: number;
  readonly height: number;
  /** Seconds that one tick of `pts` lasts. */
  readonly timeBase: Rational;
  /** Frames per second as the stream announces it; times are what `pts` says, not this. */
  readonly frameRate?: Rational;
  /** Width of a pixel over its height; absent when unknown. */
  readonly sampleAspectRatio?: Rational;
  /** Only Y4M carries these; NUT and Matroska, as they are written here, drop them. */
  readonly fieldOrder?: 'progressive' | 'top-first' | 'bottom-first' | 'mixed';
  readonly range?: 'limited' | 'full';
  readonly chromaLocation?: 'left' | 'center' | 'topleft';
  /** Y4M's `X` parameters other than the range, verbatim and without the letter. */
  readonly comments?: readonly string[];
}

/** One picture. */
export interface VideoFrame {
  /** Presentation time in ticks of the stream's time base; a safe integer, at least 0. */
  readonly pts: number;
  /** The planes one after the other, as `frameLayout` says. */
  readonly data: Uint8Array;
  /** Y4M only: the parameters after `FRAME`, verbatim. */
  readonly parameters?: string;
}

/** A stream that is being read. */
export interface VideoStream {
  readonly header: VideoHeader;
  readonly layout: FrameLayout;
  /**
   * The frames in stream order. The source is asked for more bytes only when the next frame is; leaving the loop early
   * closes the source.
   */
  readonly frames: AsyncIterableIterator<VideoFrame>;
}

/** How a stream is read. */
export interface ReadVideoOptions {
  /** Largest frame accepted, in bytes; default 1 GiB. */
  readonly maxFrameBytes?: number;
  /** Gives the memory for the next frame, of exactly this length; default: a new array each time. */
  readonly allocate?: (bytes: number) => Uint8Array;
}

/** Formats of streams of frames, as messages name them. */
type StreamContainer = 'NUT' | 'Y4M' | 'Matroska';

/** A broken stream: `container` is its format, `offset` the byte at which it was noticed. */
export function malformed(container: StreamContainer, offset: number, problem: string): MambairError {
  return new MambairError(
    'MAMBAIR_VIDEO_MALFORMED',
    `${container} stream, near byte ${offset}: ${problem}; the program that writes it has failed or writes another format`,
    { detail: { container, offset } },
  );
}

/** Something valid that is not read or cannot be written. */
export function unsupported(container: StreamContainer, problem: string): MambairError {
  return new MambairError('MAMBAIR_VIDEO_UNSUPPORTED', `${container} stream: ${problem}`, { detail: { container } });
}

/** @throws MAMBAIR_VIDEO_UNSUPPORTED when a frame is larger than the caller allows */
export function checkFrameBytes(container: StreamContainer, layout: FrameLayout, options: ReadVideoOptions): void {
  const limit = options.maxFrameBytes ?? 2 ** 30;
  if (layout.bytes > limit) {
    throw unsupported(
      container,
      `expected frames of at most ${limit} bytes, got ${layout.width}×${layout.height} ${layout.format.name}, ${layout.bytes} bytes each`,
    );
  }
}

/** @throws MAMBAIR_OPTION_INVALID when a frame that is to be written has the wrong length */
export function checkFrameLength(layout: FrameLayout, frame: VideoFrame, index: number): void {
  if (frame.data.length !== layout.bytes) {
    throw new MambairError(
      'MAMBAIR_OPTION_INVALID',
      `expected ${layout.bytes} bytes for frame ${index} of ${layout.width}×${layout.height} ${layout.format.name}, got ${frame.data.length}`,
    );
  }
}

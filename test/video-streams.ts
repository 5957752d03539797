import fc from 'fast-check';
import { frameLayout, isMambairError } from '../core/index.js';
import type { PixelFormat } from '../core/index.js';
import type { VideoFrame, VideoHeader, VideoStream } from '../ffmpeg-filter/transport/video-stream.js';
import { seededRandom } from './mutate.js';

/** All chunks of a stream as one array. */
export async function gather(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) {
    parts.push(chunk.slice());
  }
  return new Uint8Array(Buffer.concat(parts));
}

/** Cuts bytes into chunks of the given lengths, in turns. */
export async function* chunked(bytes: Uint8Array, lengths: readonly number[] = [65536]): AsyncGenerator<Uint8Array> {
  let turn = 0;
  for (let at = 0; at < bytes.length; turn++) {
    const length = lengths[turn % lengths.length] ?? 1;
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

/** All frames of a stream. */
export async function framesOf(stream: VideoStream): Promise<VideoFrame[]> {
  const frames: VideoFrame[] = [];
  for await (const frame of stream.frames) {
    frames.push(frame);
  }
  return frames;
}

/** The code of the error that a promise ends with; `none` when it does not, the error's text when it is not one of ours. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    return isMambairError(error) ? error.code : String(error);
  }
}

/** A frame of random bytes. */
export function randomFrame(header: VideoHeader, pts: number, seed: number): VideoFrame {
  const random = seededRandom(seed);
  const { bytes } = frameLayout(header.pixelFormat, header.width, header.height);
  return { pts, data: Uint8Array.from({ length: bytes }, () => random() * 256) };
}

const side = fc.integer({ min: 1, max: 17 });
const ratio = fc.tuple(fc.integer({ min: 1, max: 120000 }), fc.integer({ min: 1, max: 120000 }));

/** Headers that both formats can carry, but for their pixel formats. */
export const headers = (formats: readonly PixelFormat[]): fc.Arbitrary<VideoHeader> =>
  fc
    .record({
      pixelFormat: fc.constantFrom(...formats),
      width: side,
      height: side,
      frameRate: ratio,
      sampleAspectRatio: fc.option(ratio, { nil: undefined }),
    })
    .map(({ sampleAspectRatio, ...rest }) => ({
      ...rest,
      timeBase: [rest.frameRate[1], rest.frameRate[0]] as const,
      ...(sampleAspectRatio === undefined ? {} : { sampleAspectRatio }),
    }));

/** Lengths of chunks to cut a stream into. */
export const cuts = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 6 });

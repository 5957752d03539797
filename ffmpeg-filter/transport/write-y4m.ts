import { frameLayout } from '../../core/index.js';
import { checkFrameLength, unsupported } from './video-stream.js';
import type { VideoFrame, VideoHeader } from './video-stream.js';
import { y4mColourName, y4mFieldOrders } from './y4m-format.js';

/**
 * Writes Y4M. Frames are passed on, not copied, so their memory must stay as it is until the next chunk is asked for.
 * The format has no times: a clip whose frames do not lie at 0, 1, 2, … over the frame rate is refused, not bent.
 * @throws MAMBAIR_VIDEO_UNSUPPORTED for a pixel format that Y4M has no name for, or a time off the frame rate's grid
 * @throws MAMBAIR_OPTION_INVALID for a frame of the wrong length
 */
export async function* writeY4m(
  header: VideoHeader,
  frames: AsyncIterable<VideoFrame> | Iterable<VideoFrame>,
): AsyncGenerator<Uint8Array> {
  const layout = frameLayout(header.pixelFormat, header.width, header.height);
  const rate = header.frameRate ?? [header.timeBase[1], header.timeBase[0]];
  yield latin1(`${headerLine(header, rate)}\n`);
  // frame n is at n · rate[1] / rate[0] seconds, which in ticks is n · grid[0] / grid[1]
  const grid = [BigInt(rate[1]) * BigInt(header.timeBase[1]), BigInt(rate[0]) * BigInt(header.timeBase[0])] as const;
  let index = 0;
  for await (const frame of frames) {
    checkFrameLength(layout, frame, index);
    if (!Number.isSafeInteger(frame.pts) || BigInt(frame.pts) * grid[1] !== BigInt(index) * grid[0]) {
      throw unsupported(
        'Y4M',
        `expected frame ${index} at ${index} · ${rate[1]}/${rate[0]} s, got tick ${frame.pts} of ${header.timeBase.join('/')} s; ` +
          'Y4M cannot carry a variable frame rate or a start other than 0, NUT can',
      );
    }
    yield latin1(`FRAME${frame.parameters === undefined ? '' : ` ${frame.parameters}`}\n`);
    yield frame.data;
    index += 1;
  }
}

function headerLine(header: VideoHeader, rate: readonly [number, number]): string {
  const colour = y4mColourName(header);
  if (colour === undefined) {
    throw unsupported(
      'Y4M',
      `expected a pixel format with a Y4M name, got ${header.pixelFormat.name}; NUT can carry it`,
    );
  }
  const fieldOrder = [...y4mFieldOrders].find(([, order]) => order === header.fieldOrder)?.[0] ?? '?';
  return [
    `YUV4MPEG2 W${header.width} H${header.height} F${rate.join(':')} I${fieldOrder}`,
    `A${(header.sampleAspectRatio ?? [0, 0]).join(':')} C${colour}`,
    ...(header.range === undefined ? [] : [`XCOLORRANGE=${header.range.toUpperCase()}`]),
    ...(header.comments ?? []).map((comment) => `X${comment}`),
  ].join(' ');
}

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

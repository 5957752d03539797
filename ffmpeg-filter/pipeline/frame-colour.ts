import { matrixForTag, type ChromaLocation, type FrameColour } from '../../core/index.js';
import type { PictureFacts } from '../command/probed-input.js';
import type { VideoHeader } from '../transport/video-stream.js';

const chromaLocations: readonly string[] = ['left', 'center', 'topleft', 'top', 'bottomleft', 'bottom'];

/**
 * What the codes of a stream mean, from the tags that ffprobe found at its source and, where those are missing or were
 * changed on the way (undefined), from what its header says and players assume.
 * @throws MAMBAIR_VIDEO_UNSUPPORTED for a matrix that is no linear function of R'G'B'
 */
export function frameColour(header: VideoHeader, source: PictureFacts | undefined): FrameColour {
  const { pixelFormat, height } = header;
  const isYuv = pixelFormat.model === 'yuv';
  const tagged = source?.colour;
  const isFull =
    header.range === undefined
      ? tagged?.range === 'pc' || /^yuvj/.test(source?.pixelFormat ?? '')
      : header.range === 'full';
  const location = header.chromaLocation ?? tagged?.chromaLocation ?? '';
  return {
    matrix: matrixForTag(isYuv && tagged?.space !== 'gbr' ? tagged?.space : undefined, height),
    // Codes of RGB mean full range, whatever its tag.
    range: isFull || pixelFormat.model === 'rgb' ? 'full' : 'limited',
    chromaLocation: chromaLocations.includes(location) ? (location as ChromaLocation) : 'left',
  };
}

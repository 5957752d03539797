import type { CodedPicture } from '../tensor/coded-picture.js';
import { sitings } from './chroma.js';
import { codeScale, type FrameColour, lumaWeights } from './colour.js';
import type { FrameLayout, VideoChannel } from './pixel-format.js';

/** The colour channels of each model, in the order of {@link CodedPicture.channels}. */
const channelsOf: Readonly<Record<FrameLayout['format']['model'], readonly VideoChannel[]>> = {
  yuv: ['y', 'u', 'v'],
  gray: ['y'],
  rgb: ['r', 'g', 'b'],
};

/** What `createFrameConverter` knows of frames, as plain data for an executor that converts them itself. */
export function codedPictureOf(layout: FrameLayout, colour: FrameColour): CodedPicture {
  const { format, width, height, bytesPerSample, planes, bytes } = layout;
  const names = channelsOf[format.model];
  const firstOf = ({ offset }: { readonly offset: number }) => offset / bytesPerSample;
  const { max, ...scale } = codeScale(format.depth, colour.range);
  return {
    width,
    height,
    bytesPerSample,
    samples: bytes / bytesPerSample,
    largest: max,
    channels: names.flatMap((name) =>
      planes
        .filter(({ channels }) => channels.includes(name))
        .map((plane) => ({
          first: firstOf(plane) + plane.channels.indexOf(name),
          step: plane.channels.length,
          width: plane.width,
          height: plane.height,
        })),
    ),
    planes: planes.map((plane) => ({
      first: firstOf(plane),
      channels: plane.channels.map((channel) => names.indexOf(channel)),
    })),
    isYuv: format.model === 'yuv',
    luma: lumaWeights(colour.matrix),
    scale,
    chromaShift: format.chromaShift,
    siting: sitings(colour.chromaLocation, format.chromaShift),
  };
}

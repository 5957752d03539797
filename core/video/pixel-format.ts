import { MambairError } from '../errors.js';
import { nearestName } from '../nearest-name.js';

/** What a sample is: luma, chroma, a primary, alpha, or padding. */
export type VideoChannel = 'y' | 'u' | 'v' | 'r' | 'g' | 'b' | 'a' | 'x';

/** How the samples of a raw video frame lie in memory. Names are ffmpeg's `pix_fmt` names. */
export interface PixelFormat {
  readonly name: string;
  readonly model: 'yuv' | 'gray' | 'rgb';
  /** Bits of a sample, 8 to 16; above 8 a sample takes two bytes, least significant first. */
  readonly depth: number;
  /** The channels of each plane, in order; more than one in a plane: interleaved. */
  readonly planes: readonly (readonly VideoChannel[])[];
  /** Chroma planes are smaller by these powers of two, rounded up. */
  readonly chromaShift: { readonly horizontal: 0 | 1 | 2; readonly vertical: 0 | 1 | 2 };
}

/** Where one plane of a frame lies; rows follow each other without padding. */
export interface PlaneLayout {
  readonly channels: readonly VideoChannel[];
  /** First byte within the frame. */
  readonly offset: number;
  readonly width: number;
  readonly height: number;
}

/** Where everything in a frame of one size lies. */
export interface FrameLayout {
  readonly format: PixelFormat;
  readonly width: number;
  readonly height: number;
  readonly bytesPerSample: 1 | 2;
  readonly planes: readonly PlaneLayout[];
  /** Length of a frame in bytes. */
  readonly bytes: number;
}

const subsamplings = {
  '410': { horizontal: 2, vertical: 2 },
  '411': { horizontal: 2, vertical: 0 },
  '420': { horizontal: 1, vertical: 1 },
  '422': { horizontal: 1, vertical: 0 },
  '440': { horizontal: 0, vertical: 1 },
  '444': { horizontal: 0, vertical: 0 },
} as const;

const notSubsampled = subsamplings['444'];

/** `p10le`: how ffmpeg ends the names of planar formats of a depth. */
const depthSuffix = (depth: number): string => (depth === 8 ? '' : `${depth}le`);

/** One entry per line: subsampling and the depths that ffmpeg has a name for. */
const planarYuv = [
  ['yuv', '410', [8]],
  ['yuv', '411', [8]],
  ['yuv', '440', [8]],
  ['yuv', '420', [8, 9, 10, 12, 14, 16]],
  ['yuv', '422', [8, 9, 10, 12, 14, 16]],
  ['yuv', '444', [8, 9, 10, 12, 14, 16]],
  ['yuva', '420', [8, 9, 10, 16]],
  ['yuva', '422', [8, 9, 10, 12, 16]],
  ['yuva', '444', [8, 9, 10, 12, 16]],
] as const;

const planarOther = [
  ['gray', 'gray', 'y', [8, 9, 10, 12, 14, 16]],
  ['gbrp', 'rgb', 'gbr', [8, 9, 10, 12, 14, 16]],
  ['gbrap', 'rgb', 'gbra', [8, 10, 12, 16]],
] as const;

/** Packed formats: the name without its depth spells the order in memory, `0` being padding. */
const packed = [
  ...['rgb24', 'bgr24', 'rgba', 'bgra', 'argb', 'abgr', 'rgb0', 'bgr0', '0rgb', '0bgr'].map(
    (name) => [name, 8] as const,
  ),
  ...['rgb48le', 'bgr48le', 'rgba64le', 'bgra64le'].map((name) => [name, 16] as const),
];

const channelsOf = (letters: string): VideoChannel[] => letters.split('') as VideoChannel[];

function* allFormats(): Generator<PixelFormat> {
  for (const [family, subsampling, depths] of planarYuv) {
    for (const depth of depths) {
      yield {
        name: `${family}${subsampling}p${depthSuffix(depth)}`,
        model: 'yuv',
        depth,
        planes: channelsOf(family).map((channel) => [channel]),
        chromaShift: subsamplings[subsampling],
      };
    }
  }
  for (const [family, model, letters, depths] of planarOther) {
    for (const depth of depths) {
      const planes = channelsOf(letters).map((channel) => [channel]);
      yield { name: family + depthSuffix(depth), model, depth, planes, chromaShift: notSubsampled };
    }
  }
  for (const [name, depth] of packed) {
    const planes = [channelsOf(name.replace(/(24|48le|64le)$/, '').replace('0', 'x'))];
    yield { name, model: 'rgb', depth, planes, chromaShift: notSubsampled };
  }
  yield { name: 'ya8', model: 'gray', depth: 8, planes: [['y', 'a']], chromaShift: notSubsampled };
}

const formats: ReadonlyMap<string, PixelFormat> = new Map([...allFormats()].map((format) => [format.name, format]));

/** Every pixel format that video code here knows. */
export const pixelFormats: readonly PixelFormat[] = [...formats.values()];

/**
 * The pixel format of an ffmpeg name. The `yuvj…` names, which ffmpeg uses for full-range pictures up to version 7.0, have
 * the layout of the `yuv…` names; the range is told apart elsewhere.
 * @throws MAMBAIR_VIDEO_UNSUPPORTED for names not listed, such as big-endian, float and hardware formats
 */
export function pixelFormat(name: string): PixelFormat {
  const found = formats.get(name.replace(/^yuvj/, 'yuv'));
  if (found === undefined) {
    const near = nearestName(name, [...formats.keys()]);
    throw new MambairError(
      'MAMBAIR_VIDEO_UNSUPPORTED',
      `expected a pixel format that video frames are read in, got "${name}"${near === undefined ? '' : `; did you mean ${near}?`} ` +
        `Convert to one of: ${[...formats.keys()].join(' ')}`,
      { detail: { pixelFormat: name } },
    );
  }
  return found;
}

/**
 * Where the planes of a frame of width × height pixels lie: one after the other, no padding anywhere, as ffmpeg's
 * `rawvideo` writes them.
 * @throws MAMBAIR_VIDEO_UNSUPPORTED when a side is not an integer from 1 to 2^20
 */
export function frameLayout(format: PixelFormat, width: number, height: number): FrameLayout {
  for (const [name, side] of [
    ['width', width],
    ['height', height],
  ] as const) {
    if (!Number.isInteger(side) || side < 1 || side > 2 ** 20) {
      throw new MambairError(
        'MAMBAIR_VIDEO_UNSUPPORTED',
        `expected a frame ${name} from 1 to ${2 ** 20}, got ${side}`,
        {
          detail: { width, height },
        },
      );
    }
  }
  const bytesPerSample = format.depth > 8 ? 2 : 1;
  const { horizontal, vertical } = format.chromaShift;
  let bytes = 0;
  const planes = format.planes.map((channels) => {
    const isChroma = channels[0] === 'u' || channels[0] === 'v';
    const plane = {
      channels,
      offset: bytes,
      width: isChroma ? Math.ceil(width / 2 ** horizontal) : width,
      height: isChroma ? Math.ceil(height / 2 ** vertical) : height,
    };
    bytes += plane.width * plane.height * channels.length * bytesPerSample;
    return plane;
  });
  return { format, width, height, bytesPerSample, planes, bytes };
}

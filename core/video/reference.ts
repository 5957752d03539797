import { downTaps, sitings, upTaps } from './chroma.js';
import type { Tap } from './chroma.js';
import { codeScale, lumaWeights } from './colour.js';
import type { FrameColour } from './colour.js';
import type { FrameLayout, VideoChannel } from './pixel-format.js';

/**
 * The conversion in plain loops and double precision: what the kernels compute. Colour planes only; alpha is not touched.
 */

/** Addresses samples of one channel: codes at first + index · step. */
interface ChannelCodes {
  readonly codes: Uint8Array | Uint16Array;
  readonly first: number;
  readonly step: number;
  readonly width: number;
  readonly height: number;
}

/** A frame's samples as numbers; `frame` must start at an even address for formats of two bytes a sample. */
function channelOf(layout: FrameLayout, frame: Uint8Array, channel: VideoChannel): ChannelCodes | undefined {
  const plane = layout.planes.find(({ channels }) => channels.includes(channel));
  if (plane === undefined) {
    return undefined;
  }
  const codes = layout.bytesPerSample === 1 ? frame : new Uint16Array(frame.buffer, frame.byteOffset, frame.length / 2);
  const first = plane.offset / layout.bytesPerSample + plane.channels.indexOf(channel);
  return { codes, first, step: plane.channels.length, width: plane.width, height: plane.height };
}

/**
 * A frame as [3, height, width] R'G'B': black 0, white 1, not clamped, so codes beyond and colours outside RGB survive.
 * Gray formats give three equal planes.
 */
export function toRgbReference(layout: FrameLayout, colour: FrameColour, frame: Uint8Array): Float32Array {
  const { width, height, format } = layout;
  const scale = codeScale(format.depth, colour.range);
  const pixels = width * height;
  const rgb = new Float32Array(3 * pixels);
  const signal = (channel: VideoChannel, isChroma: boolean): Float64Array => {
    const offset = isChroma ? scale.chromaOffset : scale.lumaOffset;
    const unit = isChroma ? scale.chromaScale : scale.lumaScale;
    return enlarge(layout, colour, channelOf(layout, frame, channel)).map((code) => (code - offset) / unit);
  };
  if (format.model === 'rgb') {
    for (const [index, channel] of (['r', 'g', 'b'] as const).entries()) {
      rgb.set(signal(channel, false), index * pixels);
    }
    return rgb;
  }
  const y = signal('y', false);
  const [u, v] = format.model === 'yuv' ? [signal('u', true), signal('v', true)] : [undefined, undefined];
  const { red, green, blue } = lumaWeights(colour.matrix);
  for (let at = 0; at < pixels; at++) {
    const luma = y[at] ?? 0;
    const r = luma + 2 * (1 - red) * (v?.[at] ?? 0);
    const b = luma + 2 * (1 - blue) * (u?.[at] ?? 0);
    rgb[at] = r;
    rgb[pixels + at] = (luma - red * r - blue * b) / green;
    rgb[2 * pixels + at] = b;
  }
  return rgb;
}

/** Full-size samples of a channel, one axis after the other. */
function enlarge(layout: FrameLayout, colour: FrameColour, source: ChannelCodes | undefined): Float64Array {
  const { width, height, format } = layout;
  const values = new Float64Array(width * height);
  if (source === undefined) {
    return values;
  }
  const isFull = source.width === width && source.height === height;
  const shift = isFull ? { horizontal: 0, vertical: 0 } : format.chromaShift;
  const siting = sitings(colour.chromaLocation, shift);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (const row of upTaps(shift.vertical, siting.vertical, y, source.height)) {
        for (const column of upTaps(shift.horizontal, siting.horizontal, x, source.width)) {
          const code = source.codes[source.first + (row.index * source.width + column.index) * source.step] ?? 0;
          sum += row.weight * column.weight * code;
        }
      }
      values[y * width + x] = sum;
    }
  }
  return values;
}

/** Writes R'G'B' of [3, height, width] into a frame's colour planes: the inverse of {@link toRgbReference}, rounded half up. */
export function fromRgbReference(layout: FrameLayout, colour: FrameColour, rgb: Float32Array, frame: Uint8Array): void {
  const { width, height, format } = layout;
  const scale = codeScale(format.depth, colour.range);
  const pixels = width * height;
  const { red, green, blue } = lumaWeights(colour.matrix);
  const primary = (index: number, at: number): number => rgb[index * pixels + at] ?? 0;
  const luma = (at: number): number => red * primary(0, at) + green * primary(1, at) + blue * primary(2, at);
  const signals: Readonly<Partial<Record<VideoChannel, (at: number) => number>>> =
    format.model === 'rgb'
      ? { r: (at) => primary(0, at), g: (at) => primary(1, at), b: (at) => primary(2, at) }
      : {
          y: luma,
          u: (at) => (primary(2, at) - luma(at)) / (2 * (1 - blue)),
          v: (at) => (primary(0, at) - luma(at)) / (2 * (1 - red)),
        };
  for (const [name, signal] of Object.entries(signals)) {
    const target = channelOf(layout, frame, name as VideoChannel);
    const isChroma = name === 'u' || name === 'v';
    const shift = isChroma ? format.chromaShift : { horizontal: 0, vertical: 0 };
    const siting = sitings(colour.chromaLocation, shift);
    const [offset, unit] = isChroma ? [scale.chromaOffset, scale.chromaScale] : [scale.lumaOffset, scale.lumaScale];
    for (let y = 0; y < (target?.height ?? 0); y++) {
      const rows = downTaps(shift.vertical, siting.vertical, y, height);
      for (let x = 0; target !== undefined && x < target.width; x++) {
        const sum = weighted(rows, downTaps(shift.horizontal, siting.horizontal, x, width), width, signal);
        const code = Math.min(Math.max(Math.floor(sum * unit + offset + 0.5), 0), scale.max);
        target.codes[target.first + (y * target.width + x) * target.step] = code;
      }
    }
  }
}

function weighted(
  rows: readonly Tap[],
  columns: readonly Tap[],
  width: number,
  signal: (at: number) => number,
): number {
  let sum = 0;
  for (const row of rows) {
    for (const column of columns) {
      sum += row.weight * column.weight * signal(row.index * width + column.index);
    }
  }
  return sum;
}

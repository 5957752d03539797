import { MambairError } from '../errors.js';
import { bytePass, bytePassWords, passesBytes } from './byte-pass.js';
import type { Tap } from './chroma.js';
import { codeScale, lumaWeights } from './colour.js';
import type { FrameColour } from './colour.js';
import { chromaRows, planeOf, ringRows, type Conversion, type FiveTaps } from './conversion.js';
import type { FrameLayout, PlaneLayout, VideoChannel } from './pixel-format.js';
import { loadRowKernels } from './row-kernels.js';

/** Converts frames of one size, format and colour, one at a time. */
export interface FrameConverter {
  readonly layout: FrameLayout;
  /** Bytes of memory held for as long as the converter is. */
  readonly memoryBytes: number;
  /**
   * A frame as [3, height, width] of R'G'B' signals: black 0, white 1. Not clamped, so that codes beyond black and white and
   * colours outside RGB survive; gray gives three equal planes. The array is the converter's own, until the next call.
   * @throws MAMBAIR_OPTION_INVALID for a frame of the wrong length
   */
  toRgb(frame: Uint8Array): Float32Array;
  /**
   * Writes R'G'B' of [3, height, width] into a frame's colour planes, rounded half up and clipped to the range of codes.
   * Alpha and padding stay as they are in `frame`. What {@link FrameConverter.toRgb} gave comes back bit for bit.
   * @throws MAMBAIR_OPTION_INVALID for arrays of the wrong length
   */
  fromRgb(rgb: Float32Array, frame: Uint8Array): void;
  /**
   * Memory for a frame of this layout that {@link FrameConverter.pass} need not copy; undefined when it has no more to give, and
   * for layouts where it would make no difference. It is as good as any other until the converter is gone, and after.
   */
  allocate(): Uint8Array | undefined;
  /**
   * Takes a frame to R'G'B' and back into another, row by row: what a network that changes nothing makes of it, without
   * planes of floats in memory; YUV of 8 bits in fixed point. Every code comes back as it was, alpha and padding too.
   * @throws MAMBAIR_OPTION_INVALID for frames of the wrong length
   */
  pass(frame: Uint8Array, target: Uint8Array): void;
}

/** Frames that a converter gives memory for, at most, and their bytes. */
const [mostFrames, mostFrameBytes] = [12, 2 ** 28];

/** Space before and after a scratch row, in floats: what kernels fill beyond a row's ends. */
const before = 8;
const after = 24;

/**
 * Makes a converter for frames of a layout. WebAssembly SIMD in float32, the same bits on every machine; the formulas are
 * ITU-T H.273's.
 *
 * There and back is exact for up to 16 bits: the chroma filters undo each other in exact arithmetic, and float32 errs by
 * less than 0.1 code at 16 bits (2^-22 in R, G, B and luma, times 38 000 codes a unit, times 4 for the filters, and as much
 * again for the sums in codes), where half a code would change one.
 * @throws MAMBAIR_OUT_OF_MEMORY when frames of this size do not fit
 */
export async function createFrameConverter(layout: FrameLayout, colour: FrameColour): Promise<FrameConverter> {
  const { width, height, bytes } = layout;
  const codesBytes = align(bytes + 64);
  const rgbBytes = align(12 * width * height);
  const rowBytes = align(4 * (before + Math.ceil(width / 4) * 4 + after));
  const tableWords = bytePassWords(layout);
  const rgbAddress = 1024 + codesBytes;
  // Blended chroma rows of u and v, their full-size rows, and a ring of reduced rows for each.
  const tableAddress = rgbAddress + rgbBytes + rowBytes * (4 + 2 * ringRows);
  const framesAddress = align(tableAddress + 4 * tableWords);
  const frames = passesBytes(layout) ? Math.min(mostFrames, Math.floor(mostFrameBytes / codesBytes)) : 0;
  const { kernels, memory } = await loadRowKernels(framesAddress + frames * codesBytes);
  const rowAddress = (index: number): number => rgbAddress + rgbBytes + index * rowBytes + 4 * before;
  const shared: Conversion = {
    ...{ layout, colour, kernels },
    ...{ frame: 1024, rgb: rgbAddress, row: rowAddress, table: new Int32Array(memory, tableAddress, tableWords) },
  };
  const codes = new Uint8Array(memory, shared.frame, bytes);
  const rgb = new Float32Array(memory, rgbAddress, 3 * width * height);
  const passBytes = bytePass(shared);
  let allocated = 0;
  const { readRow, writeRow, pass } = layout.format.model === 'yuv' ? yuvConversion(shared) : signalConversion(shared);
  const keepsSamples = layout.format.planes.flat().some((channel) => channel === 'a' || channel === 'x');
  return {
    layout,
    memoryBytes: memory.byteLength,
    toRgb(frame) {
      checkLength('a frame', frame.length, bytes);
      codes.set(frame);
      for (let y = 0; y < height; y++) {
        readRow(y, rgbAddress + 4 * width * y);
      }
      return rgb;
    },
    fromRgb(source, frame) {
      checkLength('a frame', frame.length, bytes);
      checkLength('the R, G, B planes', source.length, rgb.length);
      if (source.buffer !== memory || source.byteOffset !== rgb.byteOffset) {
        rgb.set(source);
      }
      if (keepsSamples) {
        codes.set(frame);
      }
      for (let y = 0; y < height; y++) {
        writeRow(y, rgbAddress + 4 * width * y);
      }
      frame.set(codes);
    },
    pass(frame, target) {
      checkLength('a frame', frame.length, bytes);
      checkLength('the frame to write', target.length, bytes);
      if (passBytes === undefined) {
        codes.set(frame);
        pass();
        target.set(codes);
        return;
      }
      const from = frame.buffer === memory ? frame.byteOffset : shared.frame;
      const to = target.buffer === memory ? target.byteOffset : shared.frame;
      if (from === shared.frame) {
        codes.set(frame);
      }
      if (from !== to && keepsSamples) {
        new Uint8Array(memory).copyWithin(to, from, from + bytes);
      }
      passBytes(from, to);
      if (to === shared.frame) {
        target.set(codes);
      }
    },
    allocate() {
      if (allocated === frames) {
        return undefined;
      }
      allocated += 1;
      return new Uint8Array(memory, framesAddress + (allocated - 1) * codesBytes, bytes);
    },
  };
}

/** How the rows of a frame go, from the top to the bottom. */
interface RowConversion {
  /** To R', G', B' rows of which the first starts at an address, the others a plane further each. */
  readonly readRow: (y: number, rgb: number) => void;
  /** From such rows. The codes of a row are no longer read once it is written, and those above it neither. */
  readonly writeRow: (y: number, rgb: number) => void;
  /** Both, all rows one after the other; what lies between may stay where it is. */
  readonly pass: () => void;
}

function yuvConversion(conversion: Conversion): RowConversion {
  const { layout, colour, kernels, frame, row } = conversion;
  const { width, height, bytesPerSample } = layout;
  const { horizontal } = layout.format.chromaShift;
  const { up, down, horizontalSiting } = chromaRows(layout, colour);
  const { lumaOffset, lumaScale, chromaOffset, chromaScale, max } = codeScale(layout.format.depth, colour.range);
  const { red, green, blue } = lumaWeights(colour.matrix);
  const [luma, u, v] = [planeOf(layout, 'y'), planeOf(layout, 'u'), planeOf(layout, 'v')];
  const wide = bytesPerSample - 1;
  const [vRed, uBlue] = [2 * (1 - red), 2 * (1 - blue)];
  const toRgb = {
    vRed: vRed / chromaScale,
    uGreen: (-uBlue * blue) / green / chromaScale,
    vGreen: (-vRed * red) / green / chromaScale,
    uBlue: uBlue / chromaScale,
  };
  const planeBytes = 4 * width * height;
  const codesRow = (plane: PlaneLayout, y: number): number => frame + plane.offset + y * plane.width * bytesPerSample;
  const ring = (channel: number, y: number): number => row(4 + channel * ringRows + (y % ringRows));

  const chromaRow = (plane: PlaneLayout, [near, far]: readonly [Tap, Tap], scratch: number, full: number): number => {
    const [a, b] = [codesRow(plane, near.index), codesRow(plane, far.index)];
    kernels.blendRows(a, b, wide, near.weight, far.weight, plane.width, scratch);
    if (horizontal === 0) {
      return scratch;
    }
    kernels.enlargeRow(scratch, plane.width, horizontal, horizontalSiting, full);
    return full;
  };
  const storeRow = (plane: PlaneLayout, channel: number, y: number, [a, b, c, d, e]: FiveTaps): void =>
    kernels.storeChromaRow(
      ring(channel, a.index),
      ring(channel, b.index),
      ring(channel, c.index),
      ring(channel, d.index),
      ring(channel, e.index),
      a.weight,
      b.weight,
      c.weight,
      d.weight,
      e.weight,
      plane.width,
      chromaOffset,
      max,
      wide,
      codesRow(plane, y),
    );
  let stored = 0;
  /** Takes full-size rows of chroma in, and writes the rows of chroma that have all they need. */
  const storeChroma = (y: number, fullU: number, fullV: number): void => {
    stored = y === 0 ? 0 : stored;
    if (horizontal > 0) {
      kernels.reduceRow(fullU, width, horizontal, horizontalSiting, ring(0, y), u.width);
      kernels.reduceRow(fullV, width, horizontal, horizontalSiting, ring(1, y), v.width);
    }
    for (let next = down[stored]; next !== undefined && next.lastRow <= y; next = down[stored]) {
      storeRow(u, 0, stored, next.taps);
      storeRow(v, 1, stored, next.taps);
      stored += 1;
    }
  };
  const pass = (): void => {
    for (let y = 0; y < layout.height; y++) {
      const taps = up[y]!;
      // Without a smaller chroma width the full-size rows are made in the ring.
      const [scratchU, scratchV] = horizontal === 0 ? [ring(0, y), ring(1, y)] : [row(0), row(2)];
      const fullU = chromaRow(u, taps, scratchU, row(1));
      const fullV = chromaRow(v, taps, scratchV, row(3));
      kernels.passYuvRow(
        codesRow(luma, y),
        wide,
        fullU,
        fullV,
        width,
        lumaOffset,
        1 / lumaScale,
        chromaOffset,
        toRgb.vRed,
        toRgb.uGreen,
        toRgb.vGreen,
        toRgb.uBlue,
        red,
        green,
        blue,
        lumaScale,
        chromaScale / uBlue,
        chromaScale / vRed,
        max,
      );
      storeChroma(y, fullU, fullV);
    }
  };
  return {
    readRow: (y, at) => {
      const taps = up[y]!;
      const fullU = chromaRow(u, taps, row(0), row(1));
      const fullV = chromaRow(v, taps, row(2), row(3));
      kernels.yuvToRgbRow(
        codesRow(luma, y),
        wide,
        fullU,
        fullV,
        at,
        at + planeBytes,
        at + 2 * planeBytes,
        width,
        lumaOffset,
        1 / lumaScale,
        chromaOffset,
        toRgb.vRed,
        toRgb.uGreen,
        toRgb.vGreen,
        toRgb.uBlue,
      );
    },
    writeRow: (y, at) => {
      // Without a smaller chroma width the full-size rows go straight into the ring.
      const [fullU, fullV] = horizontal === 0 ? [ring(0, y), ring(1, y)] : [row(0), row(1)];
      kernels.rgbToYuvRow(
        at,
        at + planeBytes,
        at + 2 * planeBytes,
        codesRow(luma, y),
        wide,
        fullU,
        fullV,
        width,
        red,
        green,
        blue,
        lumaOffset,
        lumaScale,
        chromaScale / uBlue,
        chromaScale / vRed,
        max,
      );
      storeChroma(y, fullU, fullV);
    },
    pass,
  };
}

/** Gray and RGB formats: no chroma, each channel by itself. */
function signalConversion({ layout, colour, kernels, frame, rgb, row }: Conversion): RowConversion {
  const { width, height, bytesPerSample, format } = layout;
  const { lumaOffset, lumaScale, max } = codeScale(format.depth, colour.range);
  const { red, green, blue } = lumaWeights(colour.matrix);
  const wide = bytesPerSample - 1;
  const planeBytes = 4 * width * height;
  const channel = (name: VideoChannel) => {
    const plane = planeOf(layout, name);
    const step = plane.channels.length;
    const first = frame + plane.offset + plane.channels.indexOf(name) * bytesPerSample;
    return { step, codes: (y: number): number => first + y * width * step * bytesPerSample };
  };
  const isGray = format.model === 'gray';
  const sources = (isGray ? (['y', 'y', 'y'] as const) : (['r', 'g', 'b'] as const)).map(channel);
  const readRow = (y: number, at: number): void => {
    for (const [index, { codes, step }] of sources.entries()) {
      const target = at + index * planeBytes;
      kernels.codesToSignal(codes(y), wide, step, width, lumaOffset, 1 / lumaScale, target);
    }
  };
  const writeRow = (y: number, at: number): void => {
    if (isGray) {
      kernels.lumaRow(at, at + planeBytes, at + 2 * planeBytes, red, green, blue, width, row(0));
    }
    for (const [index, { codes, step }] of (isGray ? sources.slice(0, 1) : sources).entries()) {
      const source = isGray ? row(0) : at + index * planeBytes;
      kernels.signalToCodes(source, width, lumaOffset, lumaScale, max, codes(y), wide, step);
    }
  };
  return {
    readRow,
    writeRow,
    pass: () => {
      for (let y = 0; y < height; y++) {
        // Always the same rows, which so never leave the cache.
        readRow(y, rgb);
        writeRow(y, rgb);
      }
    },
  };
}

/** @throws MAMBAIR_OPTION_INVALID for another length than expected */
export function checkLength(name: string, length: number, expected: number): void {
  if (length !== expected) {
    throw new MambairError('MAMBAIR_OPTION_INVALID', `expected a length of ${expected} for ${name}, got ${length}`);
  }
}

const align = (bytes: number): number => Math.ceil(bytes / 16) * 16;

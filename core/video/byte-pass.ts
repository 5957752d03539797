import type { Tap } from './chroma.js';
import { codeScale, lumaWeights } from './colour.js';
import { chromaRows, planeOf, ringRows, type Conversion } from './conversion.js';
import type { FrameLayout, PlaneLayout } from './pixel-format.js';

/** A factor as Q15. */
const q15 = (factor: number): number => Math.round(factor * 32768);

/** True for frames that {@link bytePass} takes: 8-bit YUV, but not 4:1:1 and 4:1:0. */
export function passesBytes({ format, bytesPerSample }: FrameLayout): boolean {
  return format.model === 'yuv' && bytesPerSample === 1 && format.chromaShift.horizontal < 2;
}

/** Words of 32 bits that {@link bytePass} keeps for the kernel. */
export function bytePassWords(layout: FrameLayout): number {
  return passesBytes(layout) ? (9 + 2 * 13) * layout.height : 0;
}

/** Takes Y', U and V of a frame at one address there and back to another, or to the same. */
export type BytePass = (source: number, target: number) => void;

/**
 * Takes an 8-bit YUV frame to R'G'B' and back in fixed point: `byte-rows.wasm.ts` says why every code comes back. The formulas
 * are those of the conversion in float32. Undefined for other frames.
 */
export function bytePass({ layout, colour, kernels, row, table }: Conversion): BytePass | undefined {
  if (!passesBytes(layout)) {
    return undefined;
  }
  const { horizontal } = layout.format.chromaShift;
  const { up, down, horizontalSiting } = chromaRows(layout, colour);
  const { lumaScale, chromaScale } = codeScale(8, colour.range);
  const { red, green, blue } = lumaWeights(colour.matrix);
  const [luma, u, v] = [planeOf(layout, 'y'), planeOf(layout, 'u'), planeOf(layout, 'v')];
  // Luma codes for a code of chroma: of red by v, of blue by u.
  const ofChroma = lumaScale / chromaScale;
  const [vRed, uBlue] = [2 * (1 - red) * ofChroma, 2 * (1 - blue) * ofChroma];
  kernels.setBytes(
    layout.width,
    u.width,
    horizontalSiting,
    // From 128ths of a chroma code to 64ths of a luma code.
    ...[vRed, (-uBlue * blue) / green, (-vRed * red) / green, uBlue].map((factor) => q15(factor / 2)),
    ...[q15(red), 32768 - q15(red) - q15(blue), q15(blue)],
    row(0),
    row(1) - row(0),
  );
  const codesRow = (plane: PlaneLayout, y: number): number => plane.offset + y * plane.width;
  const ring = (channel: number, y: number): number => row(4 + channel * ringRows + (y % ringRows));
  const tapRows = (plane: PlaneLayout, taps: readonly Tap[]) => taps.map(({ index }) => codesRow(plane, index));
  const passes = up.flatMap((taps, y) => [
    codesRow(luma, y),
    ...tapRows(u, taps),
    ...tapRows(v, taps),
    ...taps.map(({ weight }) => 4 * weight),
    ring(0, y),
    ring(1, y),
  ]);
  const stores = down.flatMap(({ taps, lastRow }, y) =>
    [u, v].flatMap((plane, channel) => [
      lastRow,
      ...taps.map(({ index }) => ring(channel, index)),
      ...taps.map(({ weight }) => 8 * weight),
      // From luma codes to chroma codes.
      q15(1 / (channel === 0 ? uBlue : vRed)),
      codesRow(plane, y),
    ]),
  );
  table.set(passes);
  table.set(stores, passes.length);
  const isHalf = horizontal === 1 ? 1 : 0;
  const storesAt = table.byteOffset + 4 * passes.length;
  return (source, target) =>
    kernels.passBytes(source, target, layout.height, table.byteOffset, isHalf, storesAt, 2 * down.length);
}

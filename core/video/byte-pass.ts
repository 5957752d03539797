import type { Tap } from './chroma.js';
import { codeScale, lumaWeights } from './colour.js';
import { chromaRows, planeOf, ringRows, type Conversion, type FiveTaps } from './conversion.js';
import type { PlaneLayout } from './pixel-format.js';

/** A factor as Q15. */
const q15 = (factor: number): number => Math.round(factor * 32768);

/**
 * Takes rows of an 8-bit YUV frame to R'G'B' and back, from the top to the bottom, in fixed point: `byte-rows.wasm.ts` says
 * why every code comes back. The formulas are those of the conversion in float32.
 */
export function bytePass({ layout, colour, kernels, frame, row }: Conversion): (y: number) => void {
  const { width } = layout;
  const { horizontal } = layout.format.chromaShift;
  const { up, down, horizontalSiting } = chromaRows(layout, colour);
  const { lumaOffset, lumaScale, chromaOffset, chromaScale } = codeScale(8, colour.range);
  const { red, green, blue } = lumaWeights(colour.matrix);
  const [luma, u, v] = [planeOf(layout, 'y'), planeOf(layout, 'u'), planeOf(layout, 'v')];
  // Luma codes for a code of chroma: of red by v, of blue by u.
  const [vRed, uBlue] = [2 * (1 - red), 2 * (1 - blue)].map((weight) => (weight * lumaScale) / chromaScale) as [
    number,
    number,
  ];
  // From 128ths of a chroma code to 64ths of a luma code, and to 64ths of a chroma code, or 32ths where no filter follows.
  const back = horizontal === 0 ? 2 : 1;
  const factors = [
    ...[vRed, (-uBlue * blue) / green, (-vRed * red) / green, uBlue].map((factor) => q15(factor / 2)),
    ...[q15(red), 32768 - q15(red) - q15(blue), q15(blue)],
    ...[q15(1 / uBlue / back), q15(1 / vRed / back)],
  ];
  const chromaParts = horizontal === 0 ? 4 : 16;
  const chromaShift = horizontal === 0 ? 5 : 3;
  const codesRow = (plane: PlaneLayout, y: number): number => frame + plane.offset + y * plane.width;
  const ring = (channel: number, y: number): number => row(4 + channel * ringRows + (y % ringRows));

  const chromaRow = (plane: PlaneLayout, [near, far]: readonly [Tap, Tap], scratch: number, full: number): number => {
    const [a, b] = [codesRow(plane, near.index), codesRow(plane, far.index)];
    kernels.blendBytes(a, b, 4 * near.weight, 4 * far.weight, plane.width, scratch);
    if (horizontal === 0) {
      return scratch;
    }
    kernels.enlargeBytes(scratch, plane.width, horizontal, horizontalSiting, full);
    return full;
  };
  const storeRow = (plane: PlaneLayout, channel: number, y: number, taps: FiveTaps): void => {
    const [a, b, c, d, e] = taps;
    kernels.storeChromaBytes(
      ring(channel, a.index),
      ring(channel, b.index),
      ring(channel, c.index),
      ring(channel, d.index),
      ring(channel, e.index),
      8 * a.weight,
      8 * b.weight,
      8 * c.weight,
      8 * d.weight,
      8 * e.weight,
      plane.width,
      codesRow(plane, y),
    );
  };
  let stored = 0;
  return (y) => {
    const taps = up[y]!;
    // Without a smaller chroma width the full-size rows are made in the ring.
    const [scratchU, scratchV] = horizontal === 0 ? [ring(0, y), ring(1, y)] : [row(0), row(2)];
    const fullU = chromaRow(u, taps, scratchU, row(1));
    const fullV = chromaRow(v, taps, scratchV, row(3));
    const neutral = chromaOffset * chromaParts;
    kernels.passBytes(codesRow(luma, y), fullU, fullV, width, lumaOffset, neutral, chromaShift, ...factors);
    if (horizontal > 0) {
      kernels.reduceBytes(fullU, width, horizontal, horizontalSiting, ring(0, y), u.width);
      kernels.reduceBytes(fullV, width, horizontal, horizontalSiting, ring(1, y), v.width);
    }
    stored = y === 0 ? 0 : stored;
    for (let next = down[stored]; next !== undefined && next.lastRow <= y; next = down[stored]) {
      storeRow(u, 0, stored, next.taps);
      storeRow(v, 1, stored, next.taps);
      stored += 1;
    }
  };
}

import { MambairError } from '../errors.js';
import { downTaps, sitings, upTaps, type Siting, type Tap } from './chroma.js';
import type { FrameColour } from './colour.js';
import type { FrameLayout, PlaneLayout, VideoChannel } from './pixel-format.js';
import type { RowKernels } from './row-kernels.js';

/** What all kinds of conversion work on: addresses in the kernels' memory. */
export interface Conversion {
  readonly layout: FrameLayout;
  readonly colour: FrameColour;
  readonly kernels: RowKernels;
  readonly frame: number;
  readonly rgb: number;
  readonly row: (index: number) => number;
  /** Words that {@link bytePass} may fill; as many as it asks for. */
  readonly table: Int32Array;
}

/** Rows of chroma that are kept while they wait for the rows below; more than the five that a filter spans. */
export const ringRows = 8;

/** As many taps as kernels take. */
export type FiveTaps = readonly [Tap, Tap, Tap, Tap, Tap];

/** How the rows of chroma of a frame come from rows of full size, and those from them. */
export interface ChromaRows {
  /** 0: on the first of two samples of a row, 1: between them. */
  readonly horizontalSiting: number;
  /** For each row of full size, the two of chroma between which it lies. */
  readonly up: readonly (readonly [Tap, Tap])[];
  /** For each row of chroma, the rows that it is made of, and the last of them. */
  readonly down: readonly { readonly taps: FiveTaps; readonly lastRow: number }[];
}

/** The rows of chroma of a layout. */
export function chromaRows(layout: FrameLayout, colour: FrameColour): ChromaRows {
  const { height } = layout;
  const { vertical } = layout.format.chromaShift;
  const siting = sitings(colour.chromaLocation, layout.format.chromaShift);
  const chromaHeight = planeOf(layout, 'u').height;
  return {
    horizontalSiting: sitingNumber(siting.horizontal),
    up: Array.from({ length: height }, (_, y) => upTaps(vertical, siting.vertical, y, chromaHeight)),
    down: Array.from({ length: chromaHeight }, (_, y) => {
      const taps = fiveTaps(downTaps(vertical, siting.vertical, y, height));
      return { taps, lastRow: Math.max(...taps.map(({ index }) => index)) };
    }),
  };
}

const sitingNumber = (siting: Siting): number => (siting === 'first' ? 0 : 1);

/** As many taps as the kernel takes; those that are missing weigh nothing. */
function fiveTaps(taps: readonly Tap[]): FiveTaps {
  const none = { index: taps[0]?.index ?? 0, weight: 0 };
  const [a = none, b = none, c = none, d = none, e = none] = taps;
  return [a, b, c, d, e];
}

/** The plane that holds a channel. @throws MAMBAIR_INTERNAL when there is none */
export function planeOf(layout: FrameLayout, channel: VideoChannel): PlaneLayout {
  const plane = layout.planes.find(({ channels }) => channels.includes(channel));
  if (plane === undefined) {
    throw new MambairError('MAMBAIR_INTERNAL', `internal error: ${layout.format.name} has no channel ${channel}`);
  }
  return plane;
}

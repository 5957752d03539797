import type { Network } from '../executors/executor.js';
import type { FrameColour } from '../video/colour.js';
import { checkLength, createFrameConverter } from '../video/frame-converter.js';
import { frameLayout } from '../video/pixel-format.js';
import type { FrameLayout, PlaneLayout } from '../video/pixel-format.js';
import { GuardedNetwork } from './failure-policy.js';
import { limited } from './in-order.js';
import type { RestoreOptions } from './options.js';
import { checkRestoreOptions } from './options.js';
import { codesRestorer } from './restore-codes.js';
import { restoreColour } from './restore-colour.js';
import { restoreInTiles } from './restore-tensor.js';
import { createTensor, tensorPlanes } from './tensor-tiles.js';

/** Takes raw video frames of one layout through a network. */
export interface FrameRestorer {
  /** The layout of what comes out: the same format, `scale` times as wide and high. */
  readonly layout: FrameLayout;
  /** Calls of `restore` that are worth making at a time: a GPU computes one frame while another comes back. @default 1 */
  readonly framesAtOnce?: number;
  /**
   * Memory for a frame to restore, or for a result, that is moved once less than other memory; undefined when there is no more.
   * @default none
   */
  readonly allocate?: (bytes: number) => Uint8Array | undefined;
  /**
   * Restores one frame. Calls may overlap: they queue up. What the network leaves alone comes back bit for bit.
   * The result is `target` where one is given, of the length of a result, and otherwise a new array.
   * @throws MAMBAIR_OPTION_INVALID for a frame of the wrong length, MAMBAIR_NOT_FINITE, MAMBAIR_OUT_OF_MEMORY,
   * MAMBAIR_CANCELLED
   */
  restore(frame: Uint8Array, target?: Uint8Array): Promise<Uint8Array>;
}

/**
 * Frames ↔ network. The network gets R'G'B' clamped to [0, 1]; what it changes is added to the unclamped signal, so codes
 * beyond white and colours outside RGB survive. For enlarged pictures what was cut off is repeated. Gray formats go through
 * as one channel; alpha is kept at ×1, and else goes through like gray unless it is the same everywhere.
 * @throws MAMBAIR_OPTION_INVALID, MAMBAIR_OUT_OF_MEMORY
 */
export async function createFrameRestorer(
  network: Network,
  layout: FrameLayout,
  colour: FrameColour,
  options: RestoreOptions,
): Promise<FrameRestorer> {
  checkRestoreOptions(options);
  const { scale } = network;
  const { format, width, height } = layout;
  const target = frameLayout(format, width * scale, height * scale);
  const reader = await createFrameConverter(layout, colour);
  const writer = scale === 1 ? reader : await createFrameConverter(target, colour);
  const pixels = width * height;
  const channels = format.model === 'gray' ? 1 : 3;
  // One for all frames: what was mended for one is for the next, too.
  const guarded = new GuardedNetwork(network, options);

  const restoreCodes = codesRestorer(guarded, { layout, target, colour }, options);

  const restoreLong = async (frame: Uint8Array, given: Uint8Array | undefined): Promise<Uint8Array> => {
    const signal = reader.toRgb(frame).subarray(0, channels * pixels);
    const restored = await restorePlanes(guarded, signal, layout, options);
    addClipped(restored, signal, layout, scale);
    const result = given ?? new Uint8Array(target.bytes);
    if (scale === 1) {
      result.set(frame);
    }
    writer.fromRgb(channels === 3 ? restored : threeTimes(restored), result);
    if (scale > 1) {
      await enlargeAlpha(guarded, layout, frame, target, result, options);
    }
    return result;
  };

  const framesAtOnce = restoreCodes === undefined ? 1 : (network.runsAtOnce ?? 1);
  const some = limited(framesAtOnce);
  // The converters have memory for one frame.
  const one = limited(1);
  return {
    layout: target,
    framesAtOnce,
    restore: (frame, given) =>
      some(async () => {
        checkLength('a frame', frame.length, layout.bytes);
        checkLength('a frame to write', given?.length ?? target.bytes, target.bytes);
        const codes = await restoreCodes?.(frame);
        if (codes === undefined) {
          return one(() => restoreLong(frame, given));
        }
        given?.set(codes);
        return given ?? codes;
      }),
  };
}

/** Planes of `[h, w]`, clamped, through the network in tiles: planes of `[h · scale, w · scale]`, not clamped. */
async function restorePlanes(
  guarded: GuardedNetwork,
  signal: Float32Array,
  { width, height }: FrameLayout,
  options: RestoreOptions,
): Promise<Float32Array> {
  const channels = signal.length / (width * height);
  const input = createTensor([1, channels, height, width]);
  // By index: iterators over millions of values take longer than the conversion.
  for (let at = 0; at < signal.length; at++) {
    const value = signal[at]!;
    input.data[at] = value < 0 ? 0 : value > 1 ? 1 : value;
  }
  const output = await restoreInTiles(guarded, input, options, async (part, place) => {
    if (channels === guarded.channels) {
      return tensorPlanes(await guarded.run(part, place));
    }
    const [, , partHeight = 0, partWidth = 0] = part.shape;
    return restoreColour(guarded, tensorPlanes(part), { ...place, height: partHeight, width: partWidth });
  });
  return output.data;
}

/** Adds to what came out of the network what clamping took away before it, to all pixels that one became. */
function addClipped(restored: Float32Array, signal: Float32Array, { width }: FrameLayout, scale: number): void {
  const targetWidth = width * scale;
  for (let at = 0; at < signal.length; at++) {
    const value = signal[at]!;
    if (value >= 0 && value <= 1) {
      continue;
    }
    const clipped = value < 0 ? value : value - 1;
    const x = at % width;
    const corner = ((at - x) * scale + x) * scale;
    for (let row = 0; row < scale; row++) {
      for (let column = 0; column < scale; column++) {
        restored[corner + row * targetWidth + column]! += clipped;
      }
    }
  }
}

function threeTimes(plane: Float32Array): Float32Array {
  const planes = new Float32Array(3 * plane.length);
  for (let at = 0; at < planes.length; at += plane.length) {
    planes.set(plane, at);
  }
  return planes;
}

/** The alpha samples of a frame, which start at an even address where they have two bytes. */
function alphaOf(
  layout: FrameLayout,
  frame: Uint8Array,
): { codes: Uint8Array | Uint16Array; at: (i: number) => number } | undefined {
  const plane: PlaneLayout | undefined = layout.planes.find(({ channels }) => channels.includes('a'));
  if (plane === undefined) {
    return undefined;
  }
  const codes =
    layout.bytesPerSample === 1 ? frame : new Uint16Array(frame.buffer, frame.byteOffset, frame.byteLength / 2);
  const first = plane.offset / layout.bytesPerSample + plane.channels.indexOf('a');
  const step = plane.channels.length;
  return { codes, at: (index) => first + index * step };
}

async function enlargeAlpha(
  guarded: GuardedNetwork,
  layout: FrameLayout,
  frame: Uint8Array,
  target: FrameLayout,
  result: Uint8Array,
  options: RestoreOptions,
): Promise<void> {
  // A copy lies at an even address.
  const from = alphaOf(layout, frame.slice());
  const to = alphaOf(target, result);
  if (from === undefined || to === undefined) {
    return;
  }
  const max = 2 ** layout.format.depth - 1;
  const signal = Float32Array.from(
    { length: layout.width * layout.height },
    (_, i) => (from.codes[from.at(i)] ?? 0) / max,
  );
  const first = signal[0] ?? 0;
  const restored = signal.every((value) => value === first)
    ? undefined
    : await restorePlanes(guarded, signal, layout, options);
  for (let i = 0; i < target.width * target.height; i++) {
    const value = restored?.[i] ?? first;
    to.codes[to.at(i)] = Math.floor(Math.min(Math.max(value, 0), 1) * max + 0.5);
  }
}

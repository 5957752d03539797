import type { RunOptions } from '../executors/executor.js';
import { codedPictureOf } from '../video/coded-picture.js';
import type { FrameColour } from '../video/colour.js';
import type { FrameLayout } from '../video/pixel-format.js';
import { chooseTiles } from './choose-tiles.js';
import type { GuardedNetwork } from './failure-policy.js';
import type { RestoreOptions } from './options.js';

/** Frames before and after a network. */
interface FrameKinds {
  readonly layout: FrameLayout;
  readonly target: FrameLayout;
  readonly colour: FrameColour;
}

/**
 * The short way of a frame through a network that converts codes itself: bytes go to the device, bytes come back. There is
 * one where the whole frame is one tile, and where every sample is colour or stays as it is. It gives undefined where the
 * frame has to go the long way.
 */
export function codesRestorer(
  guarded: GuardedNetwork,
  { layout, target, colour }: FrameKinds,
  options: RestoreOptions,
): ((frame: Uint8Array) => Promise<Uint8Array | undefined>) | undefined {
  const { network } = guarded;
  const channels = layout.format.model === 'gray' ? 1 : 3;
  const isColour = layout.format.planes.flat().every((channel) => channel !== 'a' && channel !== 'x');
  const fits = network.inputChannels === channels && network.outputChannels === channels;
  if (network.runCodes === undefined || !fits || (network.scale > 1 && !isColour)) {
    return undefined;
  }
  // The long way plans again, and warns.
  const { rows, columns } = chooseTiles(network, layout, { ...options, warn: () => undefined, channels });
  if (rows.spans.length * columns.spans.length > 1) {
    return undefined;
  }
  const { routing, seed = 0, signal } = options;
  const pictures = { source: codedPictureOf(layout, colour), target: codedPictureOf(target, colour) };
  const runOptions: RunOptions = {
    routing: routing === 'argmax' ? { kind: 'argmax' } : { kind: 'seeded', seed },
    ...(signal === undefined ? {} : { signal }),
  };
  return (frame) => guarded.runCodes(frame, pictures, runOptions);
}

import type { ChromaLocation } from './colour.js';

/**
 * Chroma goes up by linear interpolation between its true positions, and down by a filter that undoes exactly that: down
 * after up gives back every sample. Everything is separable, so one axis is enough here.
 */

/** Where the sample of a pair lies on one axis: on the first of the two, between them, or on the second. */
export type Siting = 'first' | 'between' | 'second';

/** A weight of one sample. */
export interface Tap {
  readonly index: number;
  readonly weight: number;
}

/** The siting of both axes. Formats with a quarter of the samples on an axis have them on the first of four. */
export function sitings(
  location: ChromaLocation,
  shift: { readonly horizontal: number; readonly vertical: number },
): { readonly horizontal: Siting; readonly vertical: Siting } {
  const horizontal = location.endsWith('left') ? 'first' : 'between';
  const vertical = location.startsWith('top') ? 'first' : location.startsWith('bottom') ? 'second' : 'between';
  return {
    horizontal: shift.horizontal === 2 ? 'first' : horizontal,
    vertical: shift.vertical === 2 ? 'first' : vertical,
  };
}

const clamp = (index: number, count: number): number => Math.min(Math.max(index, 0), count - 1);

/** Full-size sample `index` as a mean of two of `count` chroma samples, the axis being 2^shift times as long. */
export function upTaps(shift: number, siting: Siting, index: number, count: number): readonly [Tap, Tap] {
  const step = 2 ** shift;
  const nearest = Math.floor(index / step);
  const phase = (index % step) / step;
  // Position of the full-size sample from chroma sample `nearest`, in distances between chroma samples.
  const offset = phase - { first: 0, between: shift === 0 ? 0 : 0.25, second: shift === 0 ? 0 : 0.5 }[siting];
  return [
    { index: clamp(nearest, count), weight: 1 - Math.abs(offset) },
    { index: clamp(nearest + (offset < 0 ? -1 : 1), count), weight: Math.abs(offset) },
  ];
}

/**
 * Chroma sample `index` from the `length` full-size samples that {@link upTaps} made: its exact left inverse. In the middle
 * [−1 2 6 2 −1]/8 on a sample, or [−1 3 3 −1]/4 between two: both also pass little of what chroma cannot hold.
 */
export function downTaps(shift: number, siting: Siting, index: number, length: number): readonly Tap[] {
  const first = index * 2 ** shift;
  if (shift !== 1) {
    return [{ index: first, weight: 1 }];
  }
  const tap = (at: number, weight: number): Tap => ({ index: clamp(at, length), weight });
  if (siting === 'between') {
    if (first + 1 < length) {
      return [tap(first - 1, -0.25), tap(first, 0.75), tap(first + 1, 0.75), tap(first + 2, -0.25)];
    }
    // The last sample of an odd length has no partner.
    return length === 1 ? [tap(first, 1)] : [tap(first, 1.5), tap(first - 1, -0.5)];
  }
  const centre = siting === 'first' ? first : first + 1;
  if (siting === 'second' && centre + 2 >= length) {
    // Below the last line of an odd height there is half a sample, which cannot be mirrored.
    return centre < length ? [tap(centre, 1)] : length === 1 ? [tap(0, 1)] : [tap(first, 2), tap(first - 1, -1)];
  }
  return [
    tap(centre - 2, -0.125),
    tap(centre - 1, 0.25),
    tap(centre, 0.75),
    tap(centre + 1, 0.25),
    tap(centre + 2, -0.125),
  ];
}

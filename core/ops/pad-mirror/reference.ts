import { type FeatureMap, featureAt, featureMap } from '../feature-map.js';

/**
 * The position inside `size` that position r ≥ 0 mirrors, edges repeated: 0 1 2 | 2 1 0 | 0 1 2 | … The official code
 * stops after one mirroring; continuing lets an image be smaller than half a window.
 */
export function mirrorIndex(position: number, size: number): number {
  const inPeriod = position % (2 * size);
  return inPeriod < size ? inPeriod : 2 * size - 1 - inPeriod;
}

/** The next multiple of `multiple` that is not below `size`. */
export function paddedSize(size: number, multiple: number): number {
  return Math.ceil(size / multiple) * multiple;
}

/** Extends an image at the bottom and right to multiples of `multiple` pixels by mirroring. */
export function padMirrorReference(x: FeatureMap, multiple: number): FeatureMap {
  const y = featureMap(paddedSize(x.height, multiple), paddedSize(x.width, multiple), x.channels);
  let place = 0;
  for (let row = 0; row < y.height; row += 1) {
    for (let column = 0; column < y.width; column += 1) {
      for (let channel = 0; channel < y.channels; channel += 1) {
        y.data[place] = featureAt(x, mirrorIndex(row, x.height), mirrorIndex(column, x.width), channel);
        place += 1;
      }
    }
  }
  return y;
}

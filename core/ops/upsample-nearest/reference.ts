import { type FeatureMap, featureAt, featureMap } from '../feature-map.js';

/** Every pixel repeated factor × factor times: y[i, j] = x[⌊i / factor⌋, ⌊j / factor⌋]. */
export function upsampleNearestReference(x: FeatureMap, factor: number): FeatureMap {
  const y = featureMap(x.height * factor, x.width * factor, x.channels);
  let place = 0;
  for (let row = 0; row < y.height; row += 1) {
    for (let column = 0; column < y.width; column += 1) {
      for (let channel = 0; channel < y.channels; channel += 1) {
        y.data[place] = featureAt(x, Math.floor(row / factor), Math.floor(column / factor), channel);
        place += 1;
      }
    }
  }
  return y;
}

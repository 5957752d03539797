import { type FeatureMap, featureAt, featureMap } from '../feature-map.js';

/**
 * Sub-pixel rearrangement (Shi et al., 2016, Eq. 4): y[i·r + a, j·r + b, c] = x[i, j, c·r² + a·r + b].
 */
export function pixelShuffleReference(x: FeatureMap, factor: number): FeatureMap {
  const y = featureMap(x.height * factor, x.width * factor, x.channels / factor ** 2);
  let place = 0;
  for (let row = 0; row < y.height; row += 1) {
    for (let column = 0; column < y.width; column += 1) {
      for (let channel = 0; channel < y.channels; channel += 1) {
        const from = channel * factor ** 2 + (row % factor) * factor + (column % factor);
        y.data[place] = featureAt(x, Math.floor(row / factor), Math.floor(column / factor), from);
        place += 1;
      }
    }
  }
  return y;
}

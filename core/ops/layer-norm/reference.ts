import { type FeatureMap, featureMap } from '../feature-map.js';

/** Added to the variance; the same in every network of the family. */
export const layerNormEpsilon = 1e-5;

/**
 * Layer normalisation over the channels of each pixel (Ba et al., 2016), with biased variance:
 * y[c] = (x[c] − mean) / √(variance + 1e-5) · weight[c] + bias[c].
 */
export function layerNormReference(x: FeatureMap, weight: Float64Array, bias: Float64Array): FeatureMap {
  const y = featureMap(x.height, x.width, x.channels);
  for (let pixel = 0; pixel < x.height * x.width; pixel += 1) {
    const values = x.data.subarray(pixel * x.channels, (pixel + 1) * x.channels);
    const mean = values.reduce((sum, value) => sum + value, 0) / x.channels;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.channels;
    const factor = 1 / Math.sqrt(variance + layerNormEpsilon);
    values.forEach((value, channel) => {
      y.data[pixel * x.channels + channel] =
        (value - mean) * factor * (weight[channel] as number) + (bias[channel] as number);
    });
  }
  return y;
}

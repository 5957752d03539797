import { type FeatureMap, featureMap } from '../feature-map.js';

/** y[pixel, o] = bias[o] + Σ_c weight[o, c] · x[pixel, c]. `weight` is `[out, in]`, `bias` `[out]` or missing for 0. */
export function linearReference(x: FeatureMap, weight: Float64Array, bias: Float64Array | undefined): FeatureMap {
  const outChannels = weight.length / x.channels;
  const y = featureMap(x.height, x.width, outChannels);
  for (let pixel = 0; pixel < x.height * x.width; pixel += 1) {
    for (let out = 0; out < outChannels; out += 1) {
      let sum = bias?.[out] ?? 0;
      for (let channel = 0; channel < x.channels; channel += 1) {
        sum += (weight[out * x.channels + channel] as number) * (x.data[pixel * x.channels + channel] as number);
      }
      y.data[pixel * outChannels + out] = sum;
    }
  }
  return y;
}

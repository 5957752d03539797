import { type FeatureMap, featureMap } from '../feature-map.js';

/** a + b. */
export function addReference(a: FeatureMap, b: FeatureMap): FeatureMap {
  return { ...a, data: a.data.map((value, place) => value + (b.data[place] as number)) };
}

/** a · b, value by value. */
export function multiplyReference(a: FeatureMap, b: FeatureMap): FeatureMap {
  return { ...a, data: a.data.map((value, place) => value * (b.data[place] as number)) };
}

/** x · weight[c]. */
export function scaleChannelsReference(x: FeatureMap, weight: Float64Array): FeatureMap {
  return { ...x, data: x.data.map((value, place) => value * (weight[place % x.channels] as number)) };
}

/** x · scale[c] + offset[c], constants of the network: the image's range and mean. */
export function affineReference(x: FeatureMap, scale: readonly number[], offset: readonly number[]): FeatureMap {
  return {
    ...x,
    data: x.data.map((value, place) => {
      const channel = place % x.channels;
      return value * (scale[channel] as number) + (offset[channel] as number);
    }),
  };
}

/** Channels start … start + channels − 1. */
export function sliceChannelsReference(x: FeatureMap, start: number, channels: number): FeatureMap {
  const y = featureMap(x.height, x.width, channels);
  for (let pixel = 0; pixel < x.height * x.width; pixel += 1) {
    const from = pixel * x.channels + start;
    y.data.set(x.data.subarray(from, from + channels), pixel * channels);
  }
  return y;
}

/** One image's features in float64: `data` is `[height, width, channels]`, channel-last, rows from the top. */
export interface FeatureMap {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly data: Float64Array;
}

/** One whole number per pixel in raster order: a class, or a pixel's place. */
export interface IndexMap {
  readonly height: number;
  readonly width: number;
  readonly data: Int32Array;
}

/** A map of zeros to be filled. */
export function featureMap(height: number, width: number, channels: number): FeatureMap {
  return { height, width, channels, data: new Float64Array(height * width * channels) };
}

/** One value of a map. */
export function featureAt(map: FeatureMap, y: number, x: number, channel: number): number {
  return map.data[(y * map.width + x) * map.channels + channel] as number;
}

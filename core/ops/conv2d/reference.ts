import { type FeatureMap, featureMap } from '../feature-map.js';

/** A convolution's numbers. */
export interface Conv2dWeights {
  readonly kernelSize: number;
  /** `[out, in, k, k]`. */
  readonly weight: Float64Array;
  /** `[out]`; missing means 0. */
  readonly bias: Float64Array | undefined;
}

/**
 * Cross-correlation of stride 1 with zero padding (k − 1)/2:
 * y[i, j, o] = bias[o] + Σ_{ky, kx, c} x[i + ky − p, j + kx − p, c] · weight[o, c, ky, kx].
 */
export function conv2dReference(x: FeatureMap, { kernelSize: k, weight, bias }: Conv2dWeights): FeatureMap {
  const outChannels = weight.length / (x.channels * k * k);
  const y = featureMap(x.height, x.width, outChannels);
  for (let place = 0; place < x.height * x.width; place += 1) {
    const neighbours = insideNeighbours(x, place, k);
    for (let out = 0; out < outChannels; out += 1) {
      let sum = bias?.[out] ?? 0;
      for (const { pixel, tap } of neighbours) {
        for (let channel = 0; channel < x.channels; channel += 1) {
          const w = weight[(out * x.channels + channel) * k * k + tap] as number;
          sum += w * (x.data[pixel * x.channels + channel] as number);
        }
      }
      y.data[place * outChannels + out] = sum;
    }
  }
  return y;
}

/** The same with one k×k filter per channel, weight `[C, 1, k, k]`: channel c of y depends on channel c of x alone. */
export function depthwiseConv2dReference(x: FeatureMap, { kernelSize: k, weight, bias }: Conv2dWeights): FeatureMap {
  const y = featureMap(x.height, x.width, x.channels);
  for (let place = 0; place < x.height * x.width; place += 1) {
    const neighbours = insideNeighbours(x, place, k);
    for (let channel = 0; channel < x.channels; channel += 1) {
      let sum = bias?.[channel] ?? 0;
      for (const { pixel, tap } of neighbours) {
        sum += (weight[channel * k * k + tap] as number) * (x.data[pixel * x.channels + channel] as number);
      }
      y.data[place * x.channels + channel] = sum;
    }
  }
  return y;
}

/** The pixels below a kernel centred on one pixel, with their places in the kernel; those outside count as zero. */
function insideNeighbours({ height, width }: FeatureMap, place: number, k: number) {
  const row = Math.floor(place / width);
  const column = place % width;
  const padding = (k - 1) / 2;
  const neighbours: { readonly pixel: number; readonly tap: number }[] = [];
  for (let ky = 0; ky < k; ky += 1) {
    for (let kx = 0; kx < k; kx += 1) {
      const y = row + ky - padding;
      const x = column + kx - padding;
      if (y >= 0 && y < height && x >= 0 && x < width) {
        neighbours.push({ pixel: y * width + x, tap: ky * k + kx });
      }
    }
  }
  return neighbours;
}

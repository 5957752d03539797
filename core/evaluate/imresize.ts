import { MambairError } from '../errors.js';
import type { PixelImage } from '../image/pixels.js';

/** The wanted size: one factor for both axes, or exact pixels (then each axis has its own factor, output / input). */
export type ResizeTarget = { readonly scale: number } | { readonly width: number; readonly height: number };

/** How one axis is resampled: output sample i is the sum of `weight[i·taps + k]` · input sample `index[i·taps + k]`. */
interface AxisWeights {
  readonly length: number;
  readonly taps: number;
  readonly index: Int32Array;
  readonly weight: Float64Array;
}

/** Keys' cubic convolution kernel with a = −1/2 ("Cubic convolution interpolation for digital image processing", 1981). */
function cubic(x: number): number {
  const t = Math.abs(x);
  if (t <= 1) {
    return (1.5 * t - 2.5) * t * t + 1;
  }
  return t <= 2 ? ((-0.5 * t + 2.5) * t - 4) * t + 2 : 0;
}

function axisWeights(inputLength: number, outputLength: number, scale: number, antialiasing: boolean): AxisWeights {
  const stretch = scale < 1 && antialiasing ? scale : 1;
  const kernelWidth = 4 / stretch;
  const taps = Math.ceil(kernelWidth) + 2;
  const index = new Int32Array(outputLength * taps);
  const weight = new Float64Array(outputLength * taps);
  const period = 2 * inputLength;
  for (let i = 0; i < outputLength; i += 1) {
    // MATLAB counts samples from 1
    const centre = (i + 1) / scale + 0.5 * (1 - 1 / scale);
    const left = Math.floor(centre - kernelWidth / 2);
    let sum = 0;
    for (let k = 0; k < taps; k += 1) {
      const position = left + k;
      const mirrored = (((position - 1) % period) + period) % period;
      index[i * taps + k] = mirrored < inputLength ? mirrored : period - 1 - mirrored;
      const value = stretch * cubic(stretch * (centre - position));
      weight[i * taps + k] = value;
      sum += value;
    }
    for (let k = 0; k < taps; k += 1) {
      weight[i * taps + k]! /= sum;
    }
  }
  return { length: outputLength, taps, index, weight };
}

type Samples = Uint8Array | Uint16Array | Float32Array | Float64Array;

/** Writes one row of sums, rounded half up and clamped for integers (MATLAB's rule after each pass), as it is for floats. */
function store(sums: Float64Array, target: Samples, offset: number, maximum: number | undefined): void {
  if (maximum === undefined) {
    target.set(sums, offset);
    return;
  }
  for (let x = 0; x < sums.length; x += 1) {
    const sum = sums[x]! + 0.5;
    // storing an integer cuts the fraction off
    target[offset + x] = sum > 0 ? (sum < maximum ? sum : maximum) : 0;
  }
}

function resizeVertically(
  source: Samples,
  rowLength: number,
  axis: AxisWeights,
  target: Samples,
  maximum?: number,
): void {
  const sums = new Float64Array(rowLength);
  for (let y = 0; y < axis.length; y += 1) {
    sums.fill(0);
    for (let k = 0; k < axis.taps; k += 1) {
      const weight = axis.weight[y * axis.taps + k]!;
      if (weight === 0) {
        continue;
      }
      const row = axis.index[y * axis.taps + k]! * rowLength;
      for (let x = 0; x < rowLength; x += 1) {
        sums[x]! += weight * source[row + x]!;
      }
    }
    store(sums, target, y * rowLength, maximum);
  }
}

function resizeHorizontally(
  source: Samples,
  size: { readonly width: number; readonly height: number; readonly channels: number },
  axis: AxisWeights,
  target: Samples,
  maximum?: number,
): void {
  const { width, height, channels } = size;
  const sums = new Float64Array(axis.length * channels);
  for (let y = 0; y < height; y += 1) {
    const row = y * width * channels;
    for (let x = 0; x < axis.length; x += 1) {
      for (let c = 0; c < channels; c += 1) {
        let sum = 0;
        for (let k = x * axis.taps; k < (x + 1) * axis.taps; k += 1) {
          sum += axis.weight[k]! * source[row + axis.index[k]! * channels + c]!;
        }
        sums[x * channels + c] = sum;
      }
    }
    store(sums, target, y * sums.length, maximum);
  }
}

/** Vertical and horizontal factor, and the output size, of a target. */
function resolveTarget(
  image: PixelImage,
  target: ResizeTarget,
): { y: number; x: number; width: number; height: number } {
  const byScale = 'scale' in target;
  const y = byScale ? target.scale : target.height / image.height;
  const x = byScale ? target.scale : target.width / image.width;
  const height = byScale ? Math.ceil(image.height * y) : target.height;
  const width = byScale ? Math.ceil(image.width * x) : target.width;
  if (!(y > 0 && x > 0 && Number.isInteger(height) && Number.isInteger(width))) {
    throw new MambairError(
      'MAMBAIR_OPTION_INVALID',
      `resizing needs a positive factor or a whole size of at least 1 × 1, not ${JSON.stringify(target)}`,
    );
  }
  if (height * width * image.channels > 2 ** 31) {
    throw new MambairError(
      'MAMBAIR_IMAGE_TOO_LARGE',
      `resizing ${image.width} × ${image.height} to ${width} × ${height} would make an image beyond 2³¹ samples`,
    );
  }
  return { y, x, width, height };
}

/**
 * MATLAB's bicubic `imresize`, by which the papers' low-resolution images were made: cubic kernel, widened when
 * reducing (antialiasing), mirrored borders, the axis with the smaller factor first, rows first when equal.
 * Integer images follow MATLAB's uint8 rule (round half up and clamp after *each* pass); float images stay unrounded
 * and unclamped, so values may leave [0, 1]. Sums are float64.
 * @throws MAMBAIR_OPTION_INVALID, MAMBAIR_IMAGE_TOO_LARGE
 */
export function imresize(
  image: PixelImage,
  target: ResizeTarget,
  options: { readonly antialiasing?: boolean } = {},
): PixelImage {
  const { y, x, width, height } = resolveTarget(image, target);
  const antialiasing = options.antialiasing ?? true;
  const { channels, data } = image;
  const vertical = axisWeights(image.height, height, y, antialiasing);
  const horizontal = axisWeights(image.width, width, x, antialiasing);
  const maximum = data.BYTES_PER_ELEMENT === 4 ? undefined : data.BYTES_PER_ELEMENT === 1 ? 255 : 65535;
  const create = (length: number, between: boolean): Samples =>
    maximum === undefined
      ? between
        ? new Float64Array(length)
        : new Float32Array(length)
      : maximum === 255
        ? new Uint8Array(length)
        : new Uint16Array(length);
  const result = create(width * height * channels, false) as PixelImage['data'];
  if (y <= x) {
    const between = create(image.width * height * channels, true);
    resizeVertically(data, image.width * channels, vertical, between, maximum);
    resizeHorizontally(between, { width: image.width, height, channels }, horizontal, result, maximum);
  } else {
    const between = create(width * image.height * channels, true);
    resizeHorizontally(data, image, horizontal, between, maximum);
    resizeVertically(between, width * channels, vertical, result, maximum);
  }
  return { width, height, channels, data: result };
}

import { MambairError } from '../errors.js';
import type { PixelImage } from '../image/pixels.js';

/** What is compared. `y` is the BT.601 studio-range luma, unrounded; gray images are compared as they are in both. */
export interface MetricOptions {
  readonly channel: 'rgb' | 'y';
  /** Pixels left out on all four sides: the scale for super-resolution, else 0. */
  readonly cropBorder: number;
}

/** Planes of values in 0…255, float64, cropped. */
interface Planes {
  readonly width: number;
  readonly height: number;
  readonly planes: readonly Float64Array[];
}

function undefinedMetric(message: string): MambairError {
  return new MambairError('MAMBAIR_METRIC_UNDEFINED', message);
}

function requireComparable(tested: PixelImage, reference: PixelImage): void {
  const sizes = [tested, reference].map((image) => `${image.width} × ${image.height} × ${image.channels}`);
  if (sizes[0] !== sizes[1]) {
    throw new MambairError('MAMBAIR_SHAPE_MISMATCH', `images of one size are compared, not ${sizes.join(' with ')}`);
  }
  if (tested.data.BYTES_PER_ELEMENT !== 1 || reference.data.BYTES_PER_ELEMENT !== 1) {
    throw undefinedMetric('metrics are defined on 8-bit images: round both to 8 bit first');
  }
  if (tested.channels === 2 || tested.channels === 4) {
    throw undefinedMetric('metrics are defined on gray or RGB images: drop the alpha channel first');
  }
}

function extractPlanes(image: PixelImage, { channel, cropBorder }: MetricOptions): Planes {
  const { channels, data } = image;
  const width = image.width - 2 * cropBorder;
  const height = image.height - 2 * cropBorder;
  if (width < 1 || height < 1) {
    throw undefinedMetric(`a border of ${cropBorder} leaves nothing of an image of ${image.width} × ${image.height}`);
  }
  const asLuma = channel === 'y' && channels === 3;
  const planes = Array.from({ length: asLuma ? 1 : channels }, () => new Float64Array(width * height));
  for (let y = 0; y < height; y += 1) {
    const row = ((y + cropBorder) * image.width + cropBorder) * channels;
    for (let x = 0; x < width; x += 1) {
      const at = row + x * channels;
      if (asLuma) {
        planes[0]![y * width + x] = 16 + (65.481 * data[at]! + 128.553 * data[at + 1]! + 24.966 * data[at + 2]!) / 255;
      } else {
        for (let c = 0; c < channels; c += 1) {
          planes[c]![y * width + x] = data[at + c]!;
        }
      }
    }
  }
  return { width, height, planes };
}

function meanSquaredError(tested: Planes, reference: Planes): number {
  let sum = 0;
  for (const [c, plane] of tested.planes.entries()) {
    const other = reference.planes[c]!;
    for (let i = 0; i < plane.length; i += 1) {
      const difference = plane[i]! - other[i]!;
      sum += difference * difference;
    }
  }
  return sum / (tested.width * tested.height * tested.planes.length);
}

/**
 * Peak signal-to-noise ratio in dB of two 8-bit images, as the papers compute it: float64, the mean over all remaining
 * samples of all channels together. Identical images give Infinity.
 * @throws MAMBAIR_SHAPE_MISMATCH, MAMBAIR_METRIC_UNDEFINED
 */
export function psnr(tested: PixelImage, reference: PixelImage, options: MetricOptions): number {
  requireComparable(tested, reference);
  const mse = meanSquaredError(extractPlanes(tested, options), extractPlanes(reference, options));
  return 10 * Math.log10((255 * 255) / mse);
}

const windowRadius = 5;
const windowSize = 2 * windowRadius + 1;

/** 11 Gaussian weights of σ = 1.5, sum 1. */
const gaussian = (() => {
  const weights = Array.from({ length: windowSize }, (_, i) => Math.exp(-((i - windowRadius) ** 2) / (2 * 1.5 ** 2)));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return Float64Array.from(weights, (weight) => weight / sum);
})();

/** Gaussian means of a map `[height, width]` where the window fits: `[height − 10, width − 10]`. */
function gaussianMean(map: Float64Array, width: number, height: number): Float64Array {
  const outWidth = width - windowSize + 1;
  const outHeight = height - windowSize + 1;
  const horizontal = new Float64Array(outWidth * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < outWidth; x += 1) {
      let sum = 0;
      for (let k = 0; k < windowSize; k += 1) {
        sum += gaussian[k]! * map[y * width + x + k]!;
      }
      horizontal[y * outWidth + x] = sum;
    }
  }
  const result = new Float64Array(outWidth * outHeight);
  for (let i = 0; i < result.length; i += 1) {
    let sum = 0;
    for (let k = 0; k < windowSize; k += 1) {
      sum += gaussian[k]! * horizontal[i + k * outWidth]!;
    }
    result[i] = sum;
  }
  return result;
}

/** Gaussian means of the product of two planes. */
function meanOfProduct(a: Float64Array, b: Float64Array, width: number, height: number): Float64Array {
  const product = new Float64Array(a.length);
  for (let i = 0; i < a.length; i += 1) {
    product[i] = a[i]! * b[i]!;
  }
  return gaussianMean(product, width, height);
}

function ssimOfPlane(a: Float64Array, b: Float64Array, width: number, height: number): number {
  const meanA = gaussianMean(a, width, height);
  const meanB = gaussianMean(b, width, height);
  const meanAA = meanOfProduct(a, a, width, height);
  const meanBB = meanOfProduct(b, b, width, height);
  const meanAB = meanOfProduct(a, b, width, height);
  const c1 = (0.01 * 255) ** 2;
  const c2 = (0.03 * 255) ** 2;
  let sum = 0;
  for (let i = 0; i < meanA.length; i += 1) {
    const muA = meanA[i]!;
    const muB = meanB[i]!;
    const covariance = meanAB[i]! - muA * muB;
    const variances = meanAA[i]! - muA * muA + meanBB[i]! - muB * muB;
    sum += ((2 * muA * muB + c1) * (2 * covariance + c2)) / ((muA * muA + muB * muB + c1) * (variances + c2));
  }
  return sum / meanA.length;
}

/**
 * Structural similarity of two 8-bit images (Wang et al. 2004) as the papers compute it: 11 × 11 Gaussian window of
 * σ = 1.5 where it fits entirely, no down-sampling, the mean of the channels.
 * @throws MAMBAIR_SHAPE_MISMATCH; MAMBAIR_METRIC_UNDEFINED also when less than 11 × 11 pixels remain
 */
export function ssim(tested: PixelImage, reference: PixelImage, options: MetricOptions): number {
  requireComparable(tested, reference);
  const a = extractPlanes(tested, options);
  const b = extractPlanes(reference, options);
  const { width, height } = a;
  if (Math.min(width, height) < windowSize) {
    throw undefinedMetric(`SSIM needs at least 11 × 11 pixels inside the border, there are ${width} × ${height}`);
  }
  const perPlane = a.planes.map((plane, c) => ssimOfPlane(plane, b.planes[c]!, width, height));
  return perPlane.reduce((sum, value) => sum + value, 0) / perPlane.length;
}

/** Blocking effect factor of one gray plane on the 0…1 scale (Yim and Bovik, "Quality assessment of deblocked images"). */
function blockingEffect(plane: Float64Array, width: number, height: number): number {
  const boundaryPairs = height * (Math.floor(width / 8) - 1) + width * (Math.floor(height / 8) - 1);
  if (boundaryPairs < 1) {
    throw undefinedMetric(`PSNR-B needs two blocks of 8 × 8 pixels, the image has ${width} × ${height}`);
  }
  let boundary = 0;
  let inside = 0;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const here = plane[y * width + x]!;
      const right = x + 1 < width ? ((here - plane[y * width + x + 1]!) / 255) ** 2 : 0;
      const below = y + 1 < height ? ((here - plane[(y + 1) * width + x]!) / 255) ** 2 : 0;
      boundary += (x % 8 === 7 ? right : 0) + (y % 8 === 7 ? below : 0);
      inside += (x % 8 === 7 ? 0 : right) + (y % 8 === 7 ? 0 : below);
    }
  }
  const boundaryMean = boundary / boundaryPairs;
  const insideMean = inside / (height * (width - 1) + width * (height - 1) - boundaryPairs);
  return boundaryMean > insideMean
    ? ((boundaryMean - insideMean) * Math.log2(8)) / Math.log2(Math.min(width, height))
    : 0;
}

/**
 * Blocking-aware PSNR in dB of two gray 8-bit images, for JPEG repair; blocks are looked for in `tested`.
 * @throws MAMBAIR_SHAPE_MISMATCH, MAMBAIR_METRIC_UNDEFINED
 */
export function psnrB(tested: PixelImage, reference: PixelImage): number {
  requireComparable(tested, reference);
  if (tested.channels !== 1) {
    throw undefinedMetric('PSNR-B is defined on gray images');
  }
  const options: MetricOptions = { channel: 'y', cropBorder: 0 };
  const planes = extractPlanes(tested, options);
  const mse = meanSquaredError(planes, extractPlanes(reference, options)) / 255 ** 2;
  return 10 * Math.log10(1 / (mse + blockingEffect(planes.planes[0]!, planes.width, planes.height)));
}

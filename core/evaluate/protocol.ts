import { MambairError } from '../errors.js';
import type { BenchmarkImage } from '../image/benchmark-image.js';
import type { PixelImage } from '../image/pixels.js';
import { imageToTensor, tensorToImage } from '../restore/pixel-tensor.js';
import type { Tensor } from '../tensor/tensor.js';
import { imresize } from './imresize.js';
import { psnr, ssim } from './metrics.js';
import { noisyInput } from './noise.js';

/** What is measured, by the papers' protocol. */
export type EvaluationTask =
  | { readonly kind: 'upscale'; readonly scale: number }
  /** `sigma` on the 0…255 scale. */
  | { readonly kind: 'denoise'; readonly sigma: number }
  /** `encode` gives the gray image as a baseline JPEG file of this quality shows it (encoded and decoded again). */
  | {
      readonly kind: 'jpeg';
      readonly quality: number;
      readonly encode: (gray: PixelImage, quality: number) => Promise<PixelImage>;
    };

/** One test: what the network gets, and what its output is compared with. */
export interface EvaluationSample {
  /** `[1, C, h, w]`. */
  readonly input: Tensor;
  /** 8-bit, `h · scale` × `w · scale`. */
  readonly reference: PixelImage;
  /** Pixels left out on all sides when scoring. */
  readonly cropBorder: number;
}

/** PSNR in dB and SSIM, over RGB (gray: over the gray values) and over the BT.601 luma. */
export interface Scores {
  readonly psnrRgb: number;
  readonly psnrY: number;
  readonly ssimRgb: number;
  readonly ssimY: number;
}

/** How the benchmarks read the files of a task for a network: see `readBenchmarkImage`. */
export function benchmarkMode(task: EvaluationTask, inputChannels: number): 'gray' | 'colour' {
  return task.kind === 'jpeg' || inputChannels === 1 ? 'gray' : 'colour';
}

/**
 * The top-left part of an image.
 * @throws MAMBAIR_SHAPE_MISMATCH when the image is smaller
 */
export function cropTopLeft(image: PixelImage, width: number, height: number): PixelImage {
  if (image.width < width || image.height < height) {
    throw new MambairError(
      'MAMBAIR_SHAPE_MISMATCH',
      `the reference image must be at least ${width} × ${height} to match its input, it is ${image.width} × ${image.height}`,
    );
  }
  const rowLength = width * image.channels;
  const data = image.data.slice(0, height * rowLength);
  for (let y = 0; y < height; y += 1) {
    const start = y * image.width * image.channels;
    data.set(image.data.subarray(start, start + rowLength), y * rowLength);
  }
  return { width, height, channels: image.channels, data };
}

/**
 * Makes the network's input from a high-quality image by the rule of the task. For upscaling a ready low-resolution
 * image may be given; otherwise it is made by MATLAB's uint8 `imresize`. The reference is cropped to match.
 * @throws MAMBAIR_SHAPE_MISMATCH, MAMBAIR_OPTION_INVALID, and what `encode` throws
 */
export async function prepareSample(
  task: EvaluationTask,
  hr: BenchmarkImage,
  readyLr?: BenchmarkImage,
): Promise<EvaluationSample> {
  switch (task.kind) {
    case 'upscale': {
      const { scale } = task;
      const lr = readyLr ?? downscale(hr, scale);
      const reference = cropTopLeft(hr, lr.width * scale, lr.height * scale);
      return { input: imageToTensor(lr), reference, cropBorder: scale };
    }
    case 'denoise':
      return { input: noisyInput(hr, task.sigma), reference: hr, cropBorder: 0 };
    case 'jpeg':
      return { input: imageToTensor(await task.encode(hr, task.quality)), reference: hr, cropBorder: 0 };
  }
}

/**
 * The benchmarks' low-resolution image: cropped at the bottom and right to a multiple of the scale, then reduced by
 * MATLAB's uint8 `imresize`.
 * @throws MAMBAIR_OPTION_INVALID when the image is smaller than the scale, or the scale is no whole number
 */
export function downscale(image: BenchmarkImage, scale: number): BenchmarkImage {
  const width = Math.floor(image.width / scale);
  const height = Math.floor(image.height / scale);
  if (!Number.isInteger(scale) || scale < 1 || width < 1 || height < 1) {
    throw new MambairError(
      'MAMBAIR_OPTION_INVALID',
      `an image of ${image.width} × ${image.height} cannot be reduced by the factor ${scale}`,
    );
  }
  const { data } = imresize(cropTopLeft(image, width * scale, height * scale), { scale: 1 / scale });
  // imresize keeps the depth
  return { width, height, channels: image.channels, data: data as Uint8Array };
}

/**
 * Scores a network's output `[1, C, H, W]` against the reference, after rounding it to 8 bit as the official code does.
 * @throws MAMBAIR_SHAPE_MISMATCH, MAMBAIR_NOT_FINITE, MAMBAIR_METRIC_UNDEFINED
 */
export function scoreOutput(output: Tensor, { reference, cropBorder }: EvaluationSample): Scores {
  const tested = tensorToImage(output);
  const rgb = { channel: 'rgb', cropBorder } as const;
  const y = { channel: 'y', cropBorder } as const;
  const psnrRgb = psnr(tested, reference, rgb);
  const ssimRgb = ssim(tested, reference, rgb);
  const isGray = tested.channels === 1;
  return {
    psnrRgb,
    ssimRgb,
    psnrY: isGray ? psnrRgb : psnr(tested, reference, y),
    ssimY: isGray ? ssimRgb : ssim(tested, reference, y),
  };
}

import { MambairError } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';

/** Weights of R, G and B in the luma of a JPEG file (BT.601, full range); they sum to one. */
const luma = [0.299, 0.587, 0.114] as const;

function planeLength(tensor: Tensor, channels: number): number {
  const [images, found, height, width] = tensor.shape;
  if (tensor.shape.length !== 4 || images !== 1 || found !== channels) {
    throw new MambairError(
      'MAMBAIR_SHAPE_MISMATCH',
      `a tensor [1, ${channels}, height, width] was expected, this one is [${tensor.shape.join(', ')}]`,
    );
  }
  return (height ?? 0) * (width ?? 0);
}

/**
 * A gray picture as a colour network takes it: `[1, 1, H, W]` to `[1, 3, H, W]`, the same values three times.
 * @throws MAMBAIR_SHAPE_MISMATCH
 */
export function grayToRgb(gray: Tensor): Tensor {
  const length = planeLength(gray, 1);
  const data = new Float32Array(3 * length);
  for (let channel = 0; channel < 3; channel += 1) {
    data.set(gray.data, channel * length);
  }
  const [, , height = 0, width = 0] = gray.shape;
  return { shape: [1, 3, height, width], data };
}

/**
 * The luma of a colour network's output: `[1, 3, H, W]` to `[1, 1, H, W]`, by BT.601 weights, full range. Equal channels
 * keep their value, so that a network which changes nothing scores as the gray picture it got.
 * @throws MAMBAIR_SHAPE_MISMATCH
 */
export function rgbToGray(rgb: Tensor): Tensor {
  const length = planeLength(rgb, 3);
  const data = new Float32Array(length);
  for (let at = 0; at < length; at += 1) {
    let sum = 0;
    for (let channel = 0; channel < 3; channel += 1) {
      sum += (luma[channel] ?? 0) * (rgb.data[channel * length + at] ?? 0);
    }
    data[at] = sum;
  }
  const [, , height = 0, width = 0] = rgb.shape;
  return { shape: [1, 1, height, width], data };
}

import { invariant, MambairError } from '../errors.js';
import type { PixelImage } from '../image/pixels.js';
import type { Tensor } from '../tensor/tensor.js';

const { fround } = Math;

/** Adding and subtracting 1.5 · 2⁵² leaves a double rounded to an integer, ties to even: the unit of the last place is 1. */
const roundingConstant = 1.5 * 2 ** 52;

/** The largest finite float32. */
const largestFloat = (2 - 2 ** -23) * 2 ** 127;

/** The value of full white: 255 or 65535, and 1 for float images. */
export function whiteLevel(data: PixelImage['data']): number {
  return data.BYTES_PER_ELEMENT === 1 ? 255 : data.BYTES_PER_ELEMENT === 2 ? 65535 : 1;
}

/** New pixel data of the depth of `like`. */
export function createPixels(like: PixelImage['data'], length: number): PixelImage['data'] {
  switch (like.BYTES_PER_ELEMENT) {
    case 1:
      return new Uint8Array(length);
    case 2:
      return new Uint16Array(length);
    default:
      return new Float32Array(length);
  }
}

/**
 * Writes values of [0, 1] as pixels at `target[offset + i · stride]`. As the official code does (BasicSR `tensor2img`):
 * clamp, float32 product with the white level, round half to even. Every 8- and 16-bit code read by dividing in
 * float32 comes back as itself. Float pixels are only clamped.
 */
export function quantise(
  values: Float32Array,
  target: PixelImage['data'],
  place: { readonly offset: number; readonly stride: number },
): void {
  const white = whiteLevel(target);
  const { offset, stride } = place;
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i]!;
    const clamped = value > 0 ? (value < 1 ? value : 1) : 0;
    target[offset + i * stride] = white === 1 ? clamped : fround(clamped * white) + roundingConstant - roundingConstant;
  }
}

/** False if any value is NaN or infinite. */
export function isFiniteData(values: Float32Array): boolean {
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i]!;
    if (!(value >= -largestFloat && value <= largestFloat)) {
      return false;
    }
  }
  return true;
}

/** A gray or RGB image as `[1, C, h, w]` in [0, 1], by one float32 division. */
export function imageToTensor(image: PixelImage): Tensor {
  const { width, height, channels, data } = image;
  const white = whiteLevel(data);
  const pixels = width * height;
  const planes = new Float32Array(pixels * channels);
  for (let c = 0; c < channels; c += 1) {
    for (let i = 0; i < pixels; i += 1) {
      planes[c * pixels + i] = data[i * channels + c]! / white;
    }
  }
  return { shape: [1, channels, height, width], data: planes };
}

/**
 * A result `[1, 1 or 3, h, w]` as an 8-bit image, rounded by the official rule (see {@link quantise}).
 * @throws MAMBAIR_SHAPE_MISMATCH, MAMBAIR_NOT_FINITE
 */
export function tensorToImage(tensor: Tensor): PixelImage {
  const [batch, channels, height, width] = tensor.shape;
  if (tensor.shape.length !== 4 || batch !== 1 || (channels !== 1 && channels !== 3)) {
    throw new MambairError(
      'MAMBAIR_SHAPE_MISMATCH',
      `an image is a tensor of shape [1, 1 or 3, h, w], not [${tensor.shape.join(', ')}]`,
    );
  }
  if (!isFiniteData(tensor.data)) {
    throw new MambairError('MAMBAIR_NOT_FINITE', 'the tensor to write as an image holds NaN or infinite values');
  }
  invariant(height !== undefined && width !== undefined, 'a shape of four sizes');
  const data = new Uint8Array(tensor.data.length);
  for (let c = 0; c < channels; c += 1) {
    const plane = tensor.data.subarray(c * height * width, (c + 1) * height * width);
    quantise(plane, data, { offset: c, stride: channels });
  }
  return { width, height, channels, data };
}

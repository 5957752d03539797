import { MambairError } from '../errors.js';
import type { PixelImage } from '../image/pixels.js';
import type { Tensor } from '../tensor/tensor.js';
import { Mt19937 } from './mt19937.js';

/**
 * The input of the papers' Gaussian denoising tests: an 8-bit gray or RGB image as `[1, C, h, w]` plus noise of
 * standard deviation `sigma`/255, neither clipped nor rounded, so values leave [0, 1]. The generator starts at seed 0
 * for every image, and the noise lies over the pixels in the order blue, green, red (BasicSR adds it to an OpenCV image).
 * @throws MAMBAIR_OPTION_INVALID
 */
export function noisyInput(image: PixelImage, sigma: number): Tensor {
  const { width, height, channels, data } = image;
  if (data.BYTES_PER_ELEMENT !== 1 || (channels !== 1 && channels !== 3)) {
    throw new MambairError('MAMBAIR_OPTION_INVALID', 'the denoising protocol is defined on 8-bit gray or RGB images');
  }
  if (!(sigma >= 0 && Number.isFinite(sigma))) {
    throw new MambairError(
      'MAMBAIR_OPTION_INVALID',
      `sigma is a noise level of 0 or more on the 0…255 scale, not ${sigma}`,
    );
  }
  const generator = new Mt19937(0);
  const pixels = width * height;
  const noisy = new Float32Array(pixels * channels);
  for (let i = 0; i < pixels; i += 1) {
    for (let c = channels - 1; c >= 0; c -= 1) {
      const clean = Math.fround(data[i * channels + c]! / 255);
      noisy[c * pixels + i] = clean + (sigma / 255) * generator.nextNormal();
    }
  }
  return { shape: [1, channels, height, width], data: noisy };
}

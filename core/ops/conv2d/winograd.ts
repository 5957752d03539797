import { packPanels, panelWidth } from '../linear/cpu.js';

/** Pairs of pixels in the kernel's scratch; `chunk` of `winograd.wasm.ts`. */
const chunk = 32;

/** From here on the products saved pay for the transforms: not in the first layer of a network. */
const leastChannels = { inputs: 16, outputs: 8 } as const;

/** Whether a dense convolution goes by Winograd's F(2, 3) along x. */
export function usesWinograd(kernelSize: number, inputs: number, outputs: number): boolean {
  return kernelSize === 3 && inputs >= leastChannels.inputs && outputs >= leastChannels.outputs;
}

/** [outputs, channels, 3, 3] → four times panels of [ky][channel], transformed along kx in float64. */
export function packWinograd(weight: Float32Array, outputs: number, channels: number): Float32Array {
  const transforms: readonly ((g0: number, g1: number, g2: number) => number)[] = [
    (g0) => g0,
    (g0, g1, g2) => (g0 + g1 + g2) / 2,
    (g0, g1, g2) => (g0 - g1 + g2) / 2,
    (_g0, _g1, g2) => g2,
  ];
  const k = 3 * channels;
  const partLength = Math.ceil(outputs / panelWidth) * panelWidth * k;
  const packed = new Float32Array(transforms.length * partLength);
  const part = new Float32Array(outputs * k);
  for (const [index, transform] of transforms.entries()) {
    for (let output = 0; output < outputs; output++) {
      for (let ky = 0; ky < 3; ky++) {
        for (let channel = 0; channel < channels; channel++) {
          const at = ((output * channels + channel) * 3 + ky) * 3;
          const [g0 = 0, g1 = 0, g2 = 0] = weight.subarray(at, at + 3);
          part[output * k + ky * channels + channel] = transform(g0, g1, g2);
        }
      }
    }
    packed.set(packPanels(part, outputs, k), index * partLength);
  }
  return packed;
}

/** Bytes of the kernel's scratch. */
export function winogradScratchBytes(inputs: number, outputs: number): number {
  const pixelBytes = Math.ceil(inputs / 4) * 16;
  const outBytes = Math.ceil(outputs / panelWidth) * panelWidth * 4;
  return Math.max(pixelBytes, outBytes) + 4 * chunk * (3 * pixelBytes + outBytes);
}

import { type CpuKernel, inputOf, type OperationOf, padded, vectorsOf } from '../cpu-kernel.js';
import { packWinograd, usesWinograd, winogradScratchBytes } from './winograd.js';
import { packBias, packPanels, panelWidth } from '../linear/cpu.js';

/** [C, 1, k, k] → [vector of four channels][ky][kx][4]. */
function packDepthwise(weight: Float32Array, channels: number, taps: number): Float32Array {
  const packed = new Float32Array(vectorsOf(channels) * taps * 4);
  for (let channel = 0; channel < channels; channel++) {
    for (let tap = 0; tap < taps; tap++) {
      packed[((channel >> 2) * taps + tap) * 4 + (channel & 3)] = weight[channel * taps + tap] as number;
    }
  }
  return packed;
}

export const conv2dCpu: CpuKernel<OperationOf<'conv2d'>> = {
  pack({ weight, bias, depthwise, kernelSize }, read) {
    const outputs = weight.shape[0] as number;
    const taps = kernelSize * kernelSize;
    if (depthwise) {
      return [packDepthwise(read(weight), outputs, taps), padded(bias ? read(bias) : new Float32Array(outputs), 4)];
    }
    const channels = weight.shape[1] as number;
    // The kernel's k runs over ky, kx, channel; the checkpoint's over channel, ky, kx.
    const kOrder = (at: number): number => (at % channels) * taps + Math.floor(at / channels);
    const values = read(weight);
    const packed = [packPanels(values, outputs, channels * taps, kOrder), packBias(bias && read(bias), outputs)];
    // ONNX Runtime, where it takes the layer, reads the panels.
    return usesWinograd(kernelSize, channels, outputs) ? [...packed, packWinograd(values, outputs, channels)] : packed;
  },
  scratchBytes({ depthwise, kernelSize, weight }, inputs, part) {
    const channels = inputs[0]?.channels ?? 0;
    const outputs = weight.shape[0] as number;
    if (!depthwise && usesWinograd(kernelSize, channels, outputs)) {
      return winogradScratchBytes(channels, outputs);
    }
    return depthwise ? 0 : kernelSize * (part + kernelSize - 1) * channels * 4;
  },
  bind({
    operation: { depthwise, kernelSize },
    inputs,
    output: out,
    packed: [weights = 0, bias = 0, winograd = 0],
    kernels,
    scratch,
  }) {
    const x = inputOf(inputs, 0);
    const { height, width } = x;
    const panels = Math.ceil(out.channels / panelWidth);
    const vectors = vectorsOf(out.channels);
    return (first, count) => {
      for (let pixel = first; pixel < first + count; ) {
        const y = Math.floor(pixel / width);
        const x0 = pixel - y * width;
        const run = Math.min(width - x0, first + count - pixel);
        if (depthwise) {
          kernels.depthwiseRow(
            x.at(0),
            x.strideBytes,
            height,
            width,
            vectors,
            kernelSize,
            y,
            x0,
            run,
            out.at(pixel),
            out.strideBytes,
            weights,
            bias,
          );
        } else if (winograd !== 0) {
          kernels.convRowWinograd(
            x.at(0),
            x.strideBytes,
            height,
            width,
            x.channels,
            y,
            x0,
            run,
            out.at(pixel),
            out.strideBytes,
            panels,
            winograd,
            bias,
            scratch,
          );
        } else {
          kernels.convRow(
            x.at(0),
            x.strideBytes,
            height,
            width,
            x.channels,
            kernelSize,
            y,
            x0,
            run,
            out.at(pixel),
            out.strideBytes,
            panels,
            weights,
            bias,
            scratch,
          );
        }
        pixel += run;
      }
    };
  },
};

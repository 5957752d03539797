import { encodeModel } from './encode-model.js';

/**
 * y [L, N] = x [L, K] · w [K, N] + b [N], all of them inputs of any size: one session serves every linear layer, and
 * no weight is held twice.
 */
export function gemmModel(): Uint8Array {
  return encodeModel({
    name: 'gemm',
    inputs: [
      { name: 'x', shape: ['L', 'K'] },
      { name: 'w', shape: ['K', 'N'] },
      { name: 'b', shape: ['N'] },
    ],
    outputs: [{ name: 'y', shape: ['L', 'N'] }],
    nodes: [{ operator: 'Gemm', inputs: ['x', 'w', 'b'], outputs: ['y'] }],
    initializers: [],
  });
}

/** A convolution's constants: weight `[out, in, k, k]`, bias `[out]`. */
export interface ConvolutionConstants {
  readonly kernelSize: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/**
 * Channel-last convolution without padding: x `[1, H, W, in]` → y `[1, H − k + 1, W − k + 1, out]`, any H and W. The
 * weights are constants, for a runtime rearranges them once for its vector width.
 */
export function convolutionModel({ kernelSize, inputs, outputs, weight, bias }: ConvolutionConstants): Uint8Array {
  return encodeModel({
    name: 'convolution',
    inputs: [{ name: 'x', shape: [1, 'H', 'W', inputs] }],
    outputs: [{ name: 'y', shape: [1, 'outH', 'outW', outputs] }],
    nodes: [
      { operator: 'Transpose', inputs: ['x'], outputs: ['planes'], attributes: { perm: [0, 3, 1, 2] } },
      {
        operator: 'Conv',
        inputs: ['planes', 'w', 'b'],
        outputs: ['sums'],
        attributes: { kernel_shape: [kernelSize, kernelSize] },
      },
      { operator: 'Transpose', inputs: ['sums'], outputs: ['y'], attributes: { perm: [0, 2, 3, 1] } },
    ],
    initializers: [
      { name: 'w', shape: [outputs, inputs, kernelSize, kernelSize], data: weight },
      { name: 'b', shape: [outputs], data: bias },
    ],
  });
}

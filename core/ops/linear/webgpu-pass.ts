import type { Operation } from '../../graph/graph.js';
import { activationConstants } from '../activation/webgpu.js';
import { source as mathSource } from '../webgpu-math.wgsl.gen.js';
import { source as valuesSource } from '../webgpu-values.wgsl.gen.js';
import {
  flag,
  gpuInput,
  type GpuPass,
  type GpuShader,
  groupsOf,
  type PassContext,
  pixelsOf,
  reads,
  writes,
} from '../webgpu-kernel.js';
import { source } from './webgpu.wgsl.gen.js';

const shader: GpuShader = { name: 'matmul', source: mathSource + valuesSource + source };
const tilePixels = 64;
const depthBlock = 16;
const mostColumns = 16;
/** Few widths, so that few pipelines are compiled, and workgroups of 64 invocations at least. */
const columnMultiple = 4;

/** Columns of four outputs in a workgroup, and how many workgroups cover the outputs: as even as they go. */
function tilesOf(outputs: number): { readonly columns: number; readonly tiles: number } {
  const all = groupsOf(outputs, 4);
  const tiles = groupsOf(all, mostColumns);
  const even = groupsOf(all, tiles);
  return { columns: groupsOf(even, columnMultiple) * columnMultiple, tiles };
}

/**
 * Weights `[out, in, k, k]` as `[k · k · in, padded to 16][out, padded to whole tiles]`, then the bias: tap by tap, as
 * the kernel takes its inputs.
 */
export function packMatmul(
  weight: Float32Array,
  bias: Float32Array | undefined,
  { inputs, kernelSize }: { readonly inputs: number; readonly kernelSize: number },
): Float32Array {
  const taps = kernelSize ** 2;
  const outputs = weight.length / (inputs * taps);
  const { columns, tiles } = tilesOf(outputs);
  const width = columns * tiles * 4;
  const depth = groupsOf(inputs * taps, depthBlock) * depthBlock;
  const packed = new Float32Array((depth + 1) * width);
  for (let out = 0; out < outputs; out++) {
    for (let input = 0; input < inputs; input++) {
      for (let tap = 0; tap < taps; tap++) {
        packed[(tap * inputs + input) * width + out] = weight[(out * inputs + input) * taps + tap] as number;
      }
    }
  }
  packed.set(bias ?? [], depth * width);
  return packed;
}

/** What comes after the sums: an activation, or a residual to add (the pass's second input), or nothing. */
export function matmulPass(
  { inputs, output, weight, weightsHalf }: Pick<PassContext<Operation>, 'inputs' | 'output' | 'weight' | 'weightsHalf'>,
  kernelSize: number,
  then?: Operation,
): GpuPass {
  const x = gpuInput(inputs, 0);
  const residual = then?.op === 'add' ? gpuInput(inputs, 1) : undefined;
  const { columns, tiles } = tilesOf(output.channels);
  return {
    shader,
    entry: 'main',
    constants: {
      KERNEL: kernelSize,
      COLUMNS: columns,
      RESIDUAL: flag(residual !== undefined),
      X16: flag(x.isHalf),
      W16: flag(weightsHalf),
      R16: flag((residual ?? x).isHalf),
      Y16: flag(output.isHalf),
      ...activationConstants(then),
    },
    params: [
      output.height,
      output.width,
      x.channels,
      x.start,
      x.stride,
      tiles,
      output.channels,
      output.stride,
      residual?.start ?? 0,
      residual?.stride ?? 0,
    ],
    bindings: [reads(x.buffer), reads(weight(0)), reads((residual ?? x).buffer), writes(output.buffer)],
    workgroups: groupsOf(pixelsOf(output), tilePixels) * tiles,
  };
}

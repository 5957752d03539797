import type { OperationOf } from '../cpu-kernel.js';
import { source as mathSource } from '../webgpu-math.wgsl.gen.js';
import {
  gpuInput,
  type GpuPass,
  type GpuShader,
  groupsOf,
  pixelsOf,
  reads,
  type WebgpuKernel,
  writes,
} from '../webgpu-kernel.js';
import { source } from './webgpu.wgsl.gen.js';

const shader: GpuShader = { name: 'sort-by-class', source: mathSource + source };
const blockPixels = 256;

export const sortByClassWebgpu: WebgpuKernel<OperationOf<'sortByClass'>> = {
  pack: () => [],
  passes({ operation: { classes }, inputs, output, temporary }) {
    const pixels = pixelsOf(output);
    const blocks = groupsOf(pixels, blockPixels);
    const counts = temporary(classes * blocks);
    const pass = (entry: string, workgroups: number): GpuPass => ({
      shader,
      entry,
      constants: {},
      params: [pixels, classes, blocks],
      bindings: [reads(gpuInput(inputs, 0).buffer), writes(counts), writes(output.buffer)],
      workgroups,
    });
    return [pass('count', blocks), pass('offsets', 1), pass('place', blocks)];
  },
};

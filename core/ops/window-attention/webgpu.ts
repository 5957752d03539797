import type { OperationOf } from '../cpu-kernel.js';
import { source as mathSource } from '../webgpu-math.wgsl.gen.js';
import { source as valuesSource } from '../webgpu-values.wgsl.gen.js';
import {
  flag,
  gpuInput,
  type GpuShader,
  groupsOf,
  pixelsOf,
  reads,
  type WebgpuKernel,
  writes,
} from '../webgpu-kernel.js';
import { source } from './webgpu.wgsl.gen.js';

const shader: GpuShader = { name: 'window-attention', source: mathSource + valuesSource + source };

/** What WebGPU promises of workgroup memory without asking. */
const workgroupBytes = 16384;

/** Keys that are staged at a time: a power of two, as many as workgroup memory holds. */
function stagedKeys(headVectors: number): number {
  return Math.min(128, 2 ** Math.floor(Math.log2(workgroupBytes / (32 * headVectors + 4))));
}

export const windowAttentionWebgpu: WebgpuKernel<OperationOf<'windowAttention'>> = {
  /** `[(2·ws − 1)², heads]` as `[heads][(2·ws − 1)²]`, in units of log₂ e. */
  pack({ biasTable, heads }, read) {
    const table = read(biasTable);
    const places = table.length / heads;
    return [table.map((_, at) => (table[(at % places) * heads + Math.floor(at / places)] as number) * Math.LOG2E)];
  },
  writesHalves: ({ heads }, channels) => (channels / heads) % 2 === 0,
  passes({ operation: { windowSize, heads, shift }, inputs, output, weight }) {
    const qkv = gpuInput(inputs, 0);
    const headSize = output.channels / heads;
    const queries = windowSize ** 2;
    const group = queries <= 64 ? 64 : 256;
    const queryGroups = groupsOf(queries, group);
    const headVectors = groupsOf(headSize, 4);
    return [
      {
        shader,
        entry: 'main',
        constants: {
          GROUP: group,
          HEAD4: headVectors,
          KEYS: stagedKeys(headVectors),
          X16: flag(qkv.isHalf),
          Y16: flag(output.isHalf),
        },
        params: [
          output.height,
          output.width,
          windowSize,
          heads,
          headSize,
          shift,
          qkv.start,
          qkv.stride,
          output.stride,
          queryGroups,
        ],
        bindings: [reads(qkv.buffer), reads(weight(0)), writes(output.buffer)],
        workgroups: (pixelsOf(output) / queries) * heads * queryGroups,
      },
    ];
  },
};

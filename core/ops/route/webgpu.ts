import type { OperationOf } from '../cpu-kernel.js';
import { source as mathSource } from '../webgpu-math.wgsl.gen.js';
import { gpuInput, type GpuShader, groupsOf, pixelsOf, reads, type WebgpuKernel, writes } from '../webgpu-kernel.js';
import { source } from './webgpu.wgsl.gen.js';

const shader: GpuShader = { name: 'route', source: mathSource + source };

/** Numbers of the forms in webgpu.wgsl. */
const forms = { argmax: 0, replay: 1, seeded: 2, forced: 3 } as const;

export const routeWebgpu: WebgpuKernel<OperationOf<'route'>> = {
  pack: () => [],
  passes({ operation: { block, tokens }, inputs, output, routing }) {
    const logits = gpuInput(inputs, 0);
    const pixels = pixelsOf(output);
    const isGiven = routing === 'replay' || routing === 'forced';
    return [
      {
        shader,
        entry: 'main',
        constants: { ROUTING: forms[routing] },
        params: [pixels, output.width, tokens, block, logits.start, logits.stride],
        bindings: [
          reads(logits.buffer),
          reads(isGiven ? { kind: 'routeData', block } : logits.buffer),
          reads({ kind: 'run' }),
          writes(output.buffer),
        ],
        workgroups: groupsOf(pixels, 64),
      },
    ];
  },
};

import { invariant } from '../../errors.js';
import { type BufferReference, runWords } from '../../ops/webgpu-kernel.js';
import { bufferUsage, type GpuBindGroup, type GpuBuffer, type GpuPipeline } from './gpu.js';
import type { MemoryReport } from '../executor.js';
import type { LoadedWeights } from './loaded-weights.js';
import type { OpenedDevice } from './opened-device.js';
import type { GpuProgram } from './program.js';

/** A pass that is ready to be recorded. */
export interface BoundPass {
  readonly pipeline: GpuPipeline;
  readonly group: GpuBindGroup;
  readonly x: number;
  readonly y: number;
  readonly work: number;
}

/** A program with buffers and pipelines of a device. */
export interface BoundProgram {
  readonly program: GpuProgram;
  readonly passes: readonly BoundPass[];
  readonly image: GpuBuffer;
  readonly run: GpuBuffer;
  readonly result: GpuBuffer;
  /** Of programs that run from codes. */
  readonly codes: GpuBuffer | undefined;
  readonly newCodes: GpuBuffer | undefined;
  /** One for each run at a time: while one is read, the next run may fill the other. */
  readonly readbacks: readonly GpuBuffer[];
  readonly values: readonly GpuBuffer[];
  readonly routeData: readonly (GpuBuffer | undefined)[];
  dispose(): void;
}

/** Runs under way at a time: while the result of one is read, the next computes. */
export const runsAtOnce = 2;

/** Kernels count words in 32 bits. */
const mostBytes = 2 ** 34;

/** Where a uniform binding may start, by WebGPU's default limits; also the most a pass's parameters take. */
const paramsBytes = 256;

/**
 * Bytes that binding a program allocates: buffers of values, and what goes in and out. The largest one decides whether
 * the device can bind it at all.
 */
export function programBytes(program: GpuProgram): { values: number; transfer: number; largest: number } {
  const { bufferBytes, imageBytes, resultBytes, routeDataBytes, passes, codes } = program;
  const { sourceBytes, clippedBytes, targetBytes } = codes;
  const sum = (sizes: readonly number[]) => sizes.reduce((total, size) => total + size, 0);
  return {
    values: sum(bufferBytes),
    transfer:
      imageBytes +
      resultBytes +
      runsAtOnce * readbackBytes(program) +
      sum([...routeDataBytes, sourceBytes, clippedBytes, targetBytes]) +
      passes.length * paramsBytes +
      runWords.count * 4,
    largest: Math.max(imageBytes, resultBytes, targetBytes, ...bufferBytes, ...routeDataBytes),
  };
}

/** What is read back: the codes of a program that gives them, else the result. */
function readbackBytes({ codes, resultBytes }: GpuProgram): number {
  return codes.targetBytes > 0 ? codes.targetBytes : resultBytes;
}

/**
 * What a program takes, with a network's weights. `limitBytes` is the total at which this size's largest buffer would be
 * the largest that the device can bind.
 */
export function memoryReport(
  program: GpuProgram,
  { weightBytes, maxBindingBytes }: { readonly weightBytes: number; readonly maxBindingBytes: number },
): MemoryReport {
  const { values, transfer, largest } = programBytes(program);
  const totalBytes = weightBytes + values + transfer;
  return {
    weightBytes,
    activationBytes: values,
    scratchBytes: transfer,
    totalBytes,
    limitBytes: Math.floor(totalBytes * (Math.min(maxBindingBytes, mostBytes) / largest)),
  };
}

/** Two dimensions for a number of workgroups; what is too many is turned away by the kernels. */
export function gridOf(workgroups: number, most: number): { readonly x: number; readonly y: number } {
  const y = Math.ceil(workgroups / most);
  return { x: Math.ceil(workgroups / y), y };
}

/** Allocates buffers, compiles what is not yet compiled, and binds. @throws MAMBAIR_OUT_OF_MEMORY, MAMBAIR_DEVICE_LOST */
export async function bindProgram(
  program: GpuProgram,
  weights: LoadedWeights,
  opened: OpenedDevice,
): Promise<BoundProgram> {
  const { device } = opened;
  const pipelines = await Promise.all(program.passes.map((pass) => opened.pipeline(pass)));
  const made: GpuBuffer[] = [];
  const keep = (buffer: GpuBuffer): GpuBuffer => {
    made.push(buffer);
    return buffer;
  };
  const dispose = (): void => {
    for (const buffer of made) {
      buffer.destroy();
    }
  };
  try {
    return await opened.checked('the buffers of a picture', () => {
      const storage = (label: string, bytes: number) => keep(opened.createStorage(label, bytes));
      const image = storage('image', program.imageBytes);
      const result = storage('result', program.resultBytes);
      const run = storage('run', runWords.count * 4);
      const readUsage = bufferUsage.mapRead | bufferUsage.copyTarget;
      const readbacks = Array.from({ length: runsAtOnce }, () =>
        keep(opened.createBuffer('readback', readbackBytes(program), readUsage)),
      );
      const { sourceBytes, clippedBytes, targetBytes } = program.codes;
      const optional = (label: string, bytes: number) => (bytes > 0 ? storage(label, bytes) : undefined);
      const codes = optional('codes', sourceBytes);
      const clipped = optional('clipped', clippedBytes);
      const newCodes = optional('new codes', targetBytes);
      const values = program.bufferBytes.map((bytes) => storage('value', bytes));
      const routeData = program.routeDataBytes.map((bytes) => optional('routing', bytes));
      const params = keep(
        opened.createBuffer(
          'params',
          program.passes.length * paramsBytes,
          bufferUsage.uniform | bufferUsage.copyTarget,
        ),
      );
      const words = new Uint32Array((program.passes.length * paramsBytes) / 4);
      for (const [at, pass] of program.passes.entries()) {
        words.set(pass.params, (at * paramsBytes) / 4);
      }
      device.queue.writeBuffer(params, 0, words);

      const resource = (reference: BufferReference): { buffer: GpuBuffer; offset?: number; size?: number } => {
        const whole = (buffer: GpuBuffer | undefined) => {
          invariant(buffer, `a ${reference.kind} has no buffer`);
          return { buffer };
        };
        switch (reference.kind) {
          case 'value':
            return whole(values[program.valueBuffer.get(reference.id) ?? -1]);
          case 'temporary':
            return whole(values[program.temporaryBuffer[reference.index] ?? -1]);
          case 'weight': {
            const slice = weights.slices[reference.id]?.[reference.index];
            invariant(slice, 'a kernel binds a weight that it did not pack');
            return slice;
          }
          case 'routeData':
            return whole(routeData[reference.block]);
          case 'run':
            return whole(run);
          case 'image':
            return whole(image);
          case 'codes':
            return whole(codes);
          case 'clipped':
            return whole(clipped);
          case 'newCodes':
            return whole(newCodes);
          case 'result':
            return whole(result);
        }
      };
      const most = device.limits.maxComputeWorkgroupsPerDimension;
      const passes = program.passes.map((pass, at): BoundPass => {
        const { pipeline, layout } = pipelines[at] as (typeof pipelines)[number];
        const own = { buffer: params, offset: at * paramsBytes, size: paramsBytes };
        const resources = [own, ...pass.bindings.map(({ buffer }) => resource(buffer))];
        const group = device.createBindGroup({
          layout,
          entries: resources.map((each, binding) => ({ binding, resource: each })),
        });
        return { pipeline, group, ...gridOf(pass.workgroups, most), work: program.work[at] as number };
      });
      return { program, passes, image, run, codes, newCodes, result, readbacks, values, routeData, dispose };
    });
  } catch (error) {
    dispose();
    throw error;
  }
}

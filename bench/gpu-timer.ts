import type { BoundPass, BoundProgram } from '../core/executors/webgpu/bound-program.js';
import {
  bufferUsage,
  type GpuBuffer,
  type GpuCommandEncoder,
  type GpuComputePass,
  type GpuDevice,
  mapRead,
} from '../core/executors/webgpu/gpu.js';
import type { OpenedDevice } from '../core/executors/webgpu/opened-device.js';
import type { GpuPass } from '../core/ops/webgpu-kernel.js';
import type { Roofs } from './gpu-costs.js';
import { source } from './roofs.wgsl.gen.js';

/** The part of WebGPU that times passes on the device (feature `timestamp-query`). */
type TimedDevice = GpuDevice & {
  createQuerySet(descriptor: { readonly type: 'timestamp'; readonly count: number }): object;
};
type TimedEncoder = GpuCommandEncoder & {
  beginComputePass(descriptor: object): GpuComputePass;
  resolveQuerySet(set: object, first: number, count: number, target: GpuBuffer, offset: number): void;
};

/** `GPUBufferUsage.QUERY_RESOLVE`. */
const queryResolve = 0x200;
/** WebGPU promises sets of 4096 timestamps. */
const mostGroups = 2048;

/**
 * Device seconds of each group of passes, one group after the other; the device has to be opened with `timestamp-query`.
 * What is between two groups counts for none of them.
 */
async function secondsOfGroups(
  opened: OpenedDevice,
  groups: readonly (readonly BoundPass[])[],
): Promise<readonly number[]> {
  if (groups.length > mostGroups) {
    const first = await secondsOfGroups(opened, groups.slice(0, mostGroups));
    return [...first, ...(await secondsOfGroups(opened, groups.slice(mostGroups)))];
  }
  // Sound where the feature was granted; without it the call below fails, and says so.
  const device = opened.device as TimedDevice;
  const count = 2 * groups.length;
  const set = device.createQuerySet({ type: 'timestamp', count });
  const resolved = opened.createBuffer('times', count * 8, queryResolve | bufferUsage.copySource);
  const readback = opened.createBuffer('times', count * 8, bufferUsage.mapRead | bufferUsage.copyTarget);
  const encoder = device.createCommandEncoder() as TimedEncoder;
  for (const [at, passes] of groups.entries()) {
    const timestampWrites = { querySet: set, beginningOfPassWriteIndex: 2 * at, endOfPassWriteIndex: 2 * at + 1 };
    const pass = encoder.beginComputePass({ timestampWrites });
    for (const { pipeline, group, x, y } of passes) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(x, y);
    }
    pass.end();
  }
  encoder.resolveQuerySet(set, 0, count, resolved, 0);
  encoder.copyBufferToBuffer(resolved, 0, readback, 0, count * 8);
  device.queue.submit([encoder.finish()]);
  await opened.wait(readback.mapAsync(mapRead));
  const times = new BigUint64Array(readback.getMappedRange().slice(0));
  readback.destroy();
  resolved.destroy();
  return groups.map((_, at) => Number((times[2 * at + 1] as bigint) - (times[2 * at] as bigint)) / 1e9);
}

/** The device seconds of each group of passes: the least of three runs, after one that does not count. */
async function bestOfGroups(
  opened: OpenedDevice,
  groups: readonly (readonly BoundPass[])[],
): Promise<readonly number[]> {
  await secondsOfGroups(opened, groups);
  const runs: (readonly number[])[] = [];
  for (let run = 0; run < 3; run++) {
    runs.push(await secondsOfGroups(opened, groups));
  }
  return groups.map((_, at) => Math.min(...runs.map((run) => run[at] as number)));
}

/** The device seconds of each of a program's passes. */
export function bestSecondsOf(opened: OpenedDevice, { passes }: BoundProgram): Promise<readonly number[]> {
  return bestOfGroups(
    opened,
    passes.map((pass) => [pass]),
  );
}

/** The device seconds of a whole program, with all that is between its passes. */
export async function bestSecondsTogether(opened: OpenedDevice, { passes }: BoundProgram): Promise<number> {
  const [seconds = Number.NaN] = await bestOfGroups(opened, [passes]);
  return seconds;
}

/** Measures how many bytes a device copies and how many multiply-adds it does in a second. */
export async function measureRoofs(opened: OpenedDevice, isSoftware: boolean): Promise<Roofs> {
  const { device } = opened;
  const vectors = isSoftware ? 2 ** 16 : 2 ** 24;
  const loops = isSoftware ? 4 : 256;
  const shader = { name: 'roofs', source };
  const buffers = [0, 1].map(() => opened.createStorage('roof', vectors * 16));
  const params = opened.createBuffer('roof', 256, bufferUsage.uniform | bufferUsage.copyTarget);
  device.queue.writeBuffer(params, 0, Uint32Array.of(vectors, loops));
  const bindings: GpuPass['bindings'] = [
    { buffer: { kind: 'image' }, access: 'read' },
    { buffer: { kind: 'result' }, access: 'write' },
  ];
  const groups = isSoftware ? 64 : 16384;
  const seconds = async (entry: string, x: number, y: number): Promise<number> => {
    const pass = { shader, entry, constants: {}, params: [], bindings, workgroups: x * y };
    const { pipeline, layout } = await opened.pipeline(pass);
    const entries = [params, ...buffers].map((buffer, binding) => ({ binding, resource: { buffer } }));
    const group = device.createBindGroup({ layout, entries });
    const runs: number[] = [];
    for (let run = 0; run < 4; run++) {
      runs.push(...(await secondsOfGroups(opened, [[{ pipeline, group, x, y, work: 0 }]])));
    }
    return Math.min(...runs);
  };
  const copying = await seconds('copy', Math.ceil(vectors / 256 / 16), 16);
  const multiplying = await seconds('multiply', groups, 1);
  for (const buffer of [...buffers, params]) {
    buffer.destroy();
  }
  // 64 vectors of four multiply-adds in a loop.
  return { bytes: (2 * vectors * 16) / copying, flops: (groups * 256 * loops * 64 * 4 * 2) / multiplying };
}

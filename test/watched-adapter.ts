import type { GpuAdapter, GpuDevice } from '../core/executors/webgpu/gpu.js';

/** An adapter whose device can be looked at, and changed, before it is used. */
export function watchedAdapter(adapter: GpuAdapter, watch: (device: GpuDevice) => void): GpuAdapter {
  return {
    info: adapter.info,
    features: adapter.features,
    limits: adapter.limits,
    async requestDevice(descriptor) {
      const device = await adapter.requestDevice(descriptor);
      watch(device);
      return device;
    },
  };
}

/** What was allocated on a device, in bytes. */
export interface Allocations {
  total: number;
  largest: number;
}

/** Counts what is allocated on a device from now on. */
export function countAllocations(device: GpuDevice, counted: Allocations = { total: 0, largest: 0 }): Allocations {
  const create = device.createBuffer.bind(device);
  const createBuffer: typeof create = (descriptor) => {
    counted.total += descriptor.size;
    counted.largest = Math.max(counted.largest, descriptor.size);
    return create(descriptor);
  };
  Object.defineProperty(device, 'createBuffer', { value: createBuffer });
  return counted;
}

import type { GpuAdapter } from '../core/executors/webgpu/gpu.js';

interface Dawn {
  create(flags: readonly string[]): { requestAdapter(): Promise<GpuAdapter> };
}

/** Kept: an adapter does not hold its instance, and a device of a collected instance brings the process down. */
const instances: unknown[] = [];

/**
 * An adapter of Dawn's backend `null`: it checks and compiles all kernels and calls, and runs nothing. Results are
 * meaningless. It needs the package `webgpu`, and no driver.
 */
export async function nullAdapter(...flags: readonly string[]): Promise<GpuAdapter> {
  const name = 'webgpu';
  const instance = ((await import(name)) as Dawn).create(['backend=null', ...flags]);
  instances.push(instance);
  return instance.requestAdapter();
}

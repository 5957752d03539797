import { isMambairError } from '../errors.js';
import { createCpuExecutor } from '../executors/cpu/cpu-executor.js';
import type { Executor } from '../executors/executor.js';
import { createReferenceExecutor } from '../executors/reference/reference-executor.js';

/** Where a network runs: `auto` takes the fastest that works here. */
export type Device = 'auto' | 'cpu' | 'reference';

/** How an executor is set up. */
export interface DeviceOptions {
  /** @default 'auto' */
  readonly device?: Device;
  /** Threads of the `cpu` device. @default one for each core */
  readonly threads?: number;
  /** Which kernels the `cpu` device uses: `plain` gives the same bytes on every machine. @default 'auto', the fastest */
  readonly build?: 'auto' | 'plain' | 'relaxed';
  /**
   * Whether the `cpu` device leaves dense layers to the optional package onnxruntime-node: `auto` where that is
   * measured to be faster (never with `build: 'plain'`), `on` for all of them. Where it is not installed or fails, the
   * network runs without. @default 'auto'
   */
  readonly onnxruntime?: 'auto' | 'on' | 'off';
}

/** Makes the executor for a device. @throws MAMBAIR_DEVICE_UNAVAILABLE, MAMBAIR_OPTION_INVALID */
export async function createExecutor(options: DeviceOptions = {}): Promise<Executor> {
  const { device = 'auto', ...cpuOptions } = options;
  if (device === 'reference') {
    return createReferenceExecutor();
  }
  try {
    return await createCpuExecutor(cpuOptions);
  } catch (error) {
    if (device === 'auto' && isMambairError(error, 'MAMBAIR_DEVICE_UNAVAILABLE')) {
      return createReferenceExecutor();
    }
    throw error;
  }
}

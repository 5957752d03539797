import { isMambairError, MambairError } from '../errors.js';
import type { Executor, LoadOptions } from '../executors/executor.js';

/**
 * Where a network runs: `auto` takes the best GPU if there is one that computes a test picture right and sooner than the
 * CPU, else the CPU; `webgpu` the GPU that the system prefers, `webgpu:N` the one that `mambair doctor` lists with this
 * number.
 */
export type Device = 'auto' | 'cpu' | 'webgpu' | `webgpu:${number}` | 'reference';

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
  /**
   * How a GPU stores numbers: `f32`, `f16` (halves; sums stay float32), or `auto`: halves where the device has
   * them and the network stays within 58 dB of itself in float32 on a test picture. @default 'auto'
   */
  readonly precision?: 'auto' | 'f32' | 'f16';
}

/**
 * Makes the executor for a device, whose code is loaded now: commands that run no network start faster; `auto` is the CPU here, since what a GPU is fit for depends on the network
 * (`placeNetwork`). @throws MAMBAIR_DEVICE_UNAVAILABLE, MAMBAIR_OPTION_INVALID */
export async function createExecutor(options: DeviceOptions = {}): Promise<Executor> {
  const { device = 'auto', precision = 'auto', ...cpuOptions } = options;
  if (device === 'reference') {
    return openReference();
  }
  if (device.startsWith('webgpu')) {
    const [, index] = /^webgpu(?::(\d{1,3}))?$/.exec(device) ?? [device, 'none'];
    if (index === 'none') {
      throw new MambairError('MAMBAIR_OPTION_INVALID', `device should be "webgpu" or "webgpu:N", not "${device}"`);
    }
    return openGpu(index === undefined ? undefined : Number(index), { precision });
  }
  try {
    const { createCpuExecutor } = await import('../executors/cpu/cpu-executor.js');
    return await createCpuExecutor(cpuOptions);
  } catch (error) {
    if (device === 'auto' && isMambairError(error, 'MAMBAIR_DEVICE_UNAVAILABLE')) {
      return openReference();
    }
    throw error;
  }
}

/** A GPU in a process of its own, by its number or the one that the system prefers. @throws MAMBAIR_DEVICE_UNAVAILABLE */
export async function openGpu(index?: number, options: LoadOptions = {}): Promise<Executor> {
  const { openGpuProcess } = await import('./gpu-executor.js');
  return openGpuProcess(index, options);
}

async function openReference(): Promise<Executor> {
  const { createReferenceExecutor } = await import('../executors/reference/reference-executor.js');
  return createReferenceExecutor();
}

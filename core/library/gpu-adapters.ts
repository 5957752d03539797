import { MambairError } from '../errors.js';
import type { Executor } from '../executors/executor.js';
import { type GpuAdapter, isSoftwareAdapter } from '../executors/webgpu/gpu.js';
import type { GpuOptions } from '../executors/webgpu/opened-device.js';
import { createWebgpuExecutor } from '../executors/webgpu/webgpu-executor.js';

/** What the optional package `webgpu` (Dawn) gives. */
interface Dawn {
  create(flags: readonly string[]): DawnInstance;
}

interface DawnInstance {
  requestAdapter(options?: { readonly powerPreference?: 'high-performance' | 'low-power' }): Promise<GpuAdapter | null>;
}

/** A GPU as Dawn lists it; the same one may be there for several backends. */
export interface ListedGpu {
  /** What `webgpu:N` means by N. */
  readonly index: number;
  /** `vulkan`, `metal`, `d3d12` … */
  readonly backend: string;
  readonly name: string;
}

/** An adapter of Dawn; it gives one device. */
export interface FoundAdapter {
  readonly adapter: GpuAdapter;
  readonly isSoftware: boolean;
}

/**
 * Our kernels write workgroup memory before they read it, so it need not be cleared for every workgroup. (It also makes
 * SwiftShader compile ten times faster.) Times of passes, which only measurements ask for, are in nanoseconds: browsers want
 * them in steps of 65 536, longer than most of our passes take.
 */
const features = [
  'enable-dawn-features=disable_workgroup_init',
  'disable-dawn-features=timestamp_quantization',
] as const;

/** Backends that our kernels are for; Dawn's others are older, for tests, or another program's. */
const backends = new Set(['vulkan', 'metal', 'd3d12']);

/**
 * Dawn's instances by their flags, kept to the end of the process: an adapter does not hold its instance, and an instance
 * that is collected while a device of it still has something to do brings the process down. They keep no process alive.
 */
const instances = new Map<string, DawnInstance>();

function instanceOf(dawn: Dawn, flags: readonly string[]): DawnInstance {
  const key = flags.join('\n');
  const instance = instances.get(key) ?? dawn.create(flags);
  instances.set(key, instance);
  return instance;
}

async function loadDawn(): Promise<Dawn> {
  // By a variable, so that building does not need the package either.
  const name = 'webgpu';
  try {
    return (await import(name)) as Dawn;
  } catch (cause) {
    throw new MambairError(
      'MAMBAIR_DEVICE_UNAVAILABLE',
      `a GPU needs the optional package "webgpu", which is not installed or has no binary for this system (${(cause as Error).message.split('\n')[0]}); run npm install webgpu, or use the device "cpu"`,
      { cause },
    );
  }
}

/** Lists the GPUs of this machine, software ones too. @throws MAMBAIR_DEVICE_UNAVAILABLE without the package */
export async function listGpus(): Promise<readonly ListedGpu[]> {
  const dawn = await loadDawn();
  try {
    // Dawn lists its adapters in the error that a name without an adapter brings.
    await instanceOf(dawn, ['adapter=a name that no adapter has']).requestAdapter();
  } catch (error) {
    const lines = [...(error as Error).message.matchAll(/backend: '([^']*)', name: '(.*)'$/gm)];
    return lines
      .map(([, backend = '', name = '']) => ({ backend, name }))
      .filter(({ backend }) => backends.has(backend))
      .map((gpu, index) => ({ index, ...gpu }));
  }
  return [];
}

/**
 * The adapter of `webgpu:index`, or without an index the one that the system prefers for speed.
 * @throws MAMBAIR_DEVICE_UNAVAILABLE when there is none
 */
export async function findAdapter(index?: number): Promise<FoundAdapter> {
  const dawn = await loadDawn();
  const flags: string[] = [...features];
  if (index !== undefined) {
    const gpus = await listGpus();
    const chosen = gpus[index];
    if (chosen === undefined) {
      const known = gpus.map((gpu) => `webgpu:${gpu.index} is ${gpu.name} (${gpu.backend})`).join(', ');
      throw new MambairError(
        'MAMBAIR_DEVICE_UNAVAILABLE',
        `there is no GPU of number ${index} here; ${known || 'there is none at all'}`,
        { detail: { index } },
      );
    }
    flags.push(`backend=${chosen.backend}`, `adapter=${chosen.name}`);
  }
  const adapter = await instanceOf(dawn, flags)
    .requestAdapter({ powerPreference: 'high-performance' })
    .catch(() => null);
  if (adapter === null) {
    throw new MambairError(
      'MAMBAIR_DEVICE_UNAVAILABLE',
      'WebGPU found no GPU here: no Vulkan, Metal or Direct3D 12 driver answers; use the device "cpu"',
    );
  }
  return { adapter, isSoftware: isSoftwareAdapter(adapter) };
}

/** The WebGPU executor on an adapter of {@link findAdapter}. @throws MAMBAIR_DEVICE_UNAVAILABLE */
export async function createGpuExecutor(index?: number, options: GpuOptions = {}): Promise<Executor> {
  const { adapter } = await findAdapter(index);
  return createWebgpuExecutor(adapter, options);
}

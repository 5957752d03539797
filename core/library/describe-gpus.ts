import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** A GPU of this machine, as WebGPU shows it. */
export interface GpuReport {
  /** What to pass as the device. */
  readonly device: `webgpu:${number}`;
  /** Its number there. */
  readonly index: number;
  readonly name: string;
  /** `vulkan`, `metal` or `d3d12`. */
  readonly backend: string;
  /** Backend and driver. */
  readonly driver: string;
  /** What the executor on it says of itself. */
  readonly description: string;
  /**
   * A card, a part of the processor, or a CPU that plays a GPU: right, and far slower than the device `cpu`. As far as
   * names tell.
   */
  readonly kind: 'discrete' | 'integrated' | 'software' | 'unknown';
  /** `kind` is `software`. */
  readonly isSoftware: boolean;
  /** The largest buffer that a kernel may use; larger pictures are cut into tiles. */
  readonly largestBufferBytes: number;
  /** Memory that the invocations of a workgroup share, and how many those may be. */
  readonly workgroupBytes: number;
  readonly workgroupInvocations: number;
  /** Whether its kernels may compute in 16 bits. */
  readonly float16: boolean;
  readonly subgroups: boolean;
  /** All that it offers beyond the least of WebGPU, by WebGPU's names. */
  readonly features: readonly string[];
}

/** What {@link describeGpus} found. */
export interface GpuReports {
  readonly gpus: readonly GpuReport[];
  /** Why there are none. */
  readonly problem?: string;
}

/** Drivers of sleeping GPUs take seconds to answer. */
const timeoutMs = 20_000;

/** Lists the GPUs in a process of its own, so that a driver that crashes is only an answer. Never throws. */
export async function describeGpus(): Promise<GpuReports> {
  const probe = fileURLToPath(new URL('./gpu-probe.js', import.meta.url));
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [probe], { timeout: timeoutMs });
    const gpus = JSON.parse(stdout) as GpuReport[];
    return gpus.length > 0 ? { gpus } : { gpus, problem: 'none found: no Vulkan, Metal or Direct3D 12 driver answers' };
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string };
    const [, said] = /MambairError: ([^\n]*)/.exec(stderr) ?? [];
    return { gpus: [], problem: said ?? `the driver could not be asked: ${message.split('\n')[0]}` };
  }
}

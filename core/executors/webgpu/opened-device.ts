import { MambairError } from '../../errors.js';
import type { LoadOptions } from '../executor.js';
import type { GpuPass } from '../../ops/webgpu-kernel.js';
import {
  bufferUsage,
  computeStage,
  describeAdapter,
  isSoftwareAdapter,
  type GpuAdapter,
  type GpuBindGroupLayout,
  type GpuBuffer,
  type GpuDevice,
  type GpuPipeline,
} from './gpu.js';

/** A pipeline with the layout of its bindings. */
export interface CachedPipeline {
  readonly pipeline: GpuPipeline;
  readonly layout: GpuBindGroupLayout;
}

/** What an opened device is allowed to bind; smaller than the device's own only in tests of such devices. */
export interface GpuOptions {
  /** Bytes of the largest buffer; more than the adapter has is the adapter's. */
  readonly maxBindingBytes?: number;
  /** How networks are loaded that do not say. @default 'auto' */
  readonly precision?: LoadOptions['precision'];
  /** A device that does not answer for so long counts as lost. @default two minutes; a software one may take for ever */
  readonly patienceMs?: number;
  /** Features to open the device with, where the adapter has them: for measurements. @default none */
  readonly features?: readonly string[];
}

/**
 * Command buffers are short, and a driver resets a device that hangs within seconds; some never do. Compilers take longest.
 */
const defaultPatienceMs = 120_000;

/** The limits that large maps need: without asking, a device has the least that WebGPU promises. */
function requiredLimits({ limits }: GpuAdapter): Record<string, number> {
  const { maxStorageBufferBindingSize, maxBufferSize } = limits;
  return { maxStorageBufferBindingSize, maxBufferSize };
}

/**
 * A device that knows when it is lost, turns WebGPU's silent errors into ours, and keeps its pipelines.
 * WebGPU itself goes on as if nothing had happened: errors go to scopes, and a lost device takes commands and forgets them.
 */
export class OpenedDevice {
  readonly device: GpuDevice;
  readonly description: string;
  /** Bytes of the largest buffer that can be bound. */
  readonly maxBindingBytes: number;
  /** Whether it computes with halves itself (`shader-f16`). */
  readonly hasHalves: boolean;
  readonly #patienceMs: number;
  #lost: MambairError | undefined;
  /** Told when the device is lost. (A race against one promise for all would grow with every wait.) */
  readonly #waiting = new Set<(error: MambairError) => void>();
  readonly #pipelines = new Map<string, Promise<CachedPipeline>>();

  private constructor(device: GpuDevice, adapter: GpuAdapter, options: GpuOptions) {
    const { maxBindingBytes: most = 2 ** 53, patienceMs } = options;
    const { maxStorageBufferBindingSize, maxBufferSize } = device.limits;
    this.device = device;
    this.description = describeAdapter(adapter);
    this.hasHalves = adapter.features.has('shader-f16');
    this.maxBindingBytes = Math.min(most, maxStorageBufferBindingSize, maxBufferSize);
    this.#patienceMs = patienceMs ?? (isSoftwareAdapter(adapter) ? Number.POSITIVE_INFINITY : defaultPatienceMs);
    void device.lost.then(({ reason, message }) => this.#lose(message || reason || 'no reason was given'));
  }

  /** Opens the adapter's one device. @throws MAMBAIR_DEVICE_UNAVAILABLE when the adapter gives none. */
  static async open(adapter: GpuAdapter, options: GpuOptions = {}): Promise<OpenedDevice> {
    const { features = [] } = options;
    const description = describeAdapter(adapter);
    try {
      const device = await adapter.requestDevice({
        requiredLimits: requiredLimits(adapter),
        requiredFeatures: features.filter((feature) => adapter.features.has(feature)),
      });
      return new OpenedDevice(device, adapter, options);
    } catch (cause) {
      throw new MambairError(
        'MAMBAIR_DEVICE_UNAVAILABLE',
        `the GPU (${description}) gave no device: ${(cause as Error).message}`,
        { detail: { device: description }, cause },
      );
    }
  }

  /** @throws MAMBAIR_DEVICE_LOST once the device is lost. */
  check(): void {
    if (this.#lost !== undefined) {
      throw this.#lost;
    }
  }

  /** Waits for something of the device, which may never come if it is lost or hangs. @throws MAMBAIR_DEVICE_LOST */
  wait<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer =
        this.#patienceMs < Number.POSITIVE_INFINITY
          ? setTimeout(() => this.#lose(`no answer within ${this.#patienceMs / 1000} s`), this.#patienceMs)
          : undefined;
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(fail);
      };
      const fail = (error: unknown): void => {
        end();
        reject(this.#lost ?? error);
      };
      if (this.#lost !== undefined) {
        fail(this.#lost);
        return;
      }
      this.#waiting.add(fail);
      promise.then((result) => {
        end();
        if (this.#lost === undefined) {
          resolve(result);
        } else {
          reject(this.#lost);
        }
      }, fail);
    });
  }

  #lose(why: string): void {
    this.#lost ??= new MambairError('MAMBAIR_DEVICE_LOST', `the GPU (${this.description}) was lost: ${why}`, {
      detail: { device: this.description },
    });
    for (const fail of this.#waiting) {
      fail(this.#lost);
    }
  }

  /**
   * Makes calls whose errors WebGPU would keep for itself. `act` makes them at once, lest error scopes of several mix; if
   * it gives a promise, that is waited for.
   * @throws MAMBAIR_OUT_OF_MEMORY, MAMBAIR_DEVICE_LOST; MAMBAIR_INTERNAL for calls that are wrong
   */
  async checked<T>(what: string, act: () => T | Promise<T>): Promise<T> {
    const { device } = this;
    this.check();
    device.pushErrorScope('validation');
    device.pushErrorScope('out-of-memory');
    const acting = attempt(act);
    const scopes = Promise.all([device.popErrorScope(), device.popErrorScope()]);
    const [memory, validation] = await this.wait(scopes);
    if (memory) {
      throw new MambairError('MAMBAIR_OUT_OF_MEMORY', `the GPU has no memory for ${what}; use smaller tiles`, {
        detail: { device: this.description },
      });
    }
    const { result, error } = await this.wait(acting);
    if (validation || error !== undefined) {
      const message = validation?.message ?? (error as Error).message;
      throw new MambairError('MAMBAIR_INTERNAL', `internal error: ${what}: ${message}; please report it`, {
        cause: error,
      });
    }
    return result as T;
  }

  createBuffer(label: string, bytes: number, usage: number): GpuBuffer {
    return this.device.createBuffer({ label, size: Math.ceil(bytes / 4) * 4, usage });
  }

  /** A buffer that kernels read and write. */
  createStorage(label: string, bytes: number): GpuBuffer {
    return this.createBuffer(label, bytes, bufferUsage.storage | bufferUsage.copySource | bufferUsage.copyTarget);
  }

  /** The pipeline of a pass; compiled once for a device. @throws MAMBAIR_INTERNAL naming the shader and its error */
  pipeline(pass: GpuPass): Promise<CachedPipeline> {
    const constants = Object.entries(pass.constants).map(([name, value]) => `const ${name} = ${value}u;\n`);
    const access = pass.bindings.map((binding) => binding.access[0]).join('');
    const key = `${pass.shader.name} ${pass.entry} ${access}\n${constants.join('')}`;
    let found = this.#pipelines.get(key);
    if (found === undefined) {
      found = this.#compile(pass, constants.join(''));
      this.#pipelines.set(key, found);
    }
    return found;
  }

  /** Pipelines compiled so far. */
  get pipelineCount(): number {
    return this.#pipelines.size;
  }

  #compile({ shader, entry, bindings }: GpuPass, constants: string): Promise<CachedPipeline> {
    const { device } = this;
    const name = `${shader.name}, ${entry}`;
    return this.checked(`kernel ${name}`, () => {
      const module = device.createShaderModule({ label: name, code: constants + shader.source });
      const buffers = bindings.map(({ access }) => (access === 'read' ? 'read-only-storage' : 'storage'));
      const layout = device.createBindGroupLayout({
        entries: ['uniform', ...buffers].map((type, binding) => ({
          binding,
          visibility: computeStage,
          buffer: { type },
        })),
      });
      const pipeline = device.createComputePipelineAsync({
        label: name,
        layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
        compute: { module, entryPoint: entry },
      });
      return pipeline.then((compiled) => ({ pipeline: compiled, layout }));
    });
  }
}

/** What a call gives, or the error that it or its promise ends with; called at once. */
async function attempt<T>(act: () => T | Promise<T>): Promise<{ readonly result?: T; readonly error?: unknown }> {
  try {
    return { result: await act() };
  } catch (error) {
    return { error: error ?? new Error('rejected without a reason') };
  }
}

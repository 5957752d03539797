/**
 * The part of WebGPU that the executor uses, as an interface: `navigator.gpu` of a browser has it, and Dawn in Node.
 * Declared here, so that neither building nor using mambair needs a browser's types or an optional package.
 */

export interface GpuBuffer {
  readonly size: number;
  mapAsync(mode: number): Promise<void>;
  getMappedRange(): ArrayBuffer;
  unmap(): void;
  destroy(): void;
}

/** Opaque things: made by the device, handed back to it. */
export type GpuShaderModule = object & {
  getCompilationInfo(): Promise<{
    readonly messages: Iterable<{ readonly type: string; readonly lineNum: number; readonly message: string }>;
  }>;
};
export type GpuBindGroupLayout = object & { readonly label?: string };
export type GpuPipelineLayout = object & { readonly label?: string };
export type GpuBindGroup = object & { readonly label?: string };
export type GpuPipeline = object & { readonly label?: string };
export type GpuCommandBuffer = object & { readonly label?: string };

export interface GpuComputePass {
  setPipeline(pipeline: GpuPipeline): void;
  setBindGroup(index: number, group: GpuBindGroup): void;
  dispatchWorkgroups(x: number, y?: number): void;
  end(): void;
}

export interface GpuCommandEncoder {
  beginComputePass(): GpuComputePass;
  copyBufferToBuffer(source: GpuBuffer, from: number, target: GpuBuffer, to: number, bytes: number): void;
  finish(): GpuCommandBuffer;
}

export interface GpuQueue {
  writeBuffer(buffer: GpuBuffer, offset: number, data: ArrayBufferView<ArrayBuffer>): void;
  submit(commands: readonly GpuCommandBuffer[]): void;
  onSubmittedWorkDone(): Promise<unknown>;
}

export interface GpuError {
  readonly message: string;
}

export interface GpuLimits {
  readonly maxStorageBufferBindingSize: number;
  readonly maxBufferSize: number;
  readonly maxComputeWorkgroupsPerDimension: number;
  readonly maxComputeWorkgroupStorageSize: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
}

export interface GpuDevice {
  readonly limits: GpuLimits;
  readonly queue: GpuQueue;
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
  createBuffer(descriptor: { readonly label?: string; readonly size: number; readonly usage: number }): GpuBuffer;
  createShaderModule(descriptor: { readonly label?: string; readonly code: string }): GpuShaderModule;
  createBindGroupLayout(descriptor: { readonly entries: readonly object[] }): GpuBindGroupLayout;
  createPipelineLayout(descriptor: { readonly bindGroupLayouts: readonly GpuBindGroupLayout[] }): GpuPipelineLayout;
  createBindGroup(descriptor: {
    readonly layout: GpuBindGroupLayout;
    readonly entries: readonly object[];
  }): GpuBindGroup;
  createComputePipelineAsync(descriptor: {
    readonly label?: string;
    readonly layout: GpuPipelineLayout;
    readonly compute: { readonly module: GpuShaderModule; readonly entryPoint: string };
  }): Promise<GpuPipeline>;
  createCommandEncoder(): GpuCommandEncoder;
  pushErrorScope(filter: 'validation' | 'out-of-memory' | 'internal'): void;
  popErrorScope(): Promise<GpuError | null>;
  destroy(): void;
}

export interface GpuAdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  readonly isFallbackAdapter?: boolean;
}

export interface GpuAdapter {
  readonly info: GpuAdapterInfo;
  readonly features: { has(name: string): boolean } & Iterable<string>;
  readonly limits: GpuLimits;
  /** An adapter gives one device; ask for another adapter after that. */
  requestDevice(descriptor?: {
    readonly requiredLimits?: Readonly<Record<string, number>>;
    readonly requiredFeatures?: readonly string[];
  }): Promise<GpuDevice>;
}

/** `GPUBufferUsage` of the standard. */
export const bufferUsage = { mapRead: 1, copySource: 4, copyTarget: 8, uniform: 64, storage: 128 } as const;
/** `GPUMapMode.READ`. */
export const mapRead = 1;
/** `GPUShaderStage.COMPUTE`. */
export const computeStage = 4;

/** What people read of an adapter. */
export function describeAdapter(adapter: GpuAdapter): string {
  const { vendor, architecture, device, description } = adapter.info;
  // A device is written like a file's name, and a description is often the driver's alone.
  const known = [device.replace(/-+$/, ''), description].filter(Boolean).join(', ');
  const name = known || [vendor, architecture].filter(Boolean).join(' ') || 'an adapter without a name';
  return isSoftwareAdapter(adapter) ? `${name} (software: far slower than the device cpu)` : name;
}

/** A CPU that plays a GPU: right, and far slower than the CPU executor. */
export function isSoftwareAdapter({ info }: Pick<GpuAdapter, 'info'>): boolean {
  const names = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`;
  return info.isFallbackAdapter === true || isSoftwareName(names);
}

/** Whether a driver's names for an adapter are those of a CPU: SwiftShader, Mesa's llvmpipe, Microsoft's WARP. */
export function isSoftwareName(names: string): boolean {
  return /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b/i.test(names);
}

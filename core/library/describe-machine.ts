import { arch, availableParallelism, cpus, freemem, platform, release, totalmem } from 'node:os';
import { describeOnnxRuntime } from '../executors/cpu/onnxruntime-status.js';
import { type ListedModel, listModels } from '../models/catalogue.js';
import { pulledModelsFolder } from '../models/models-folder.js';
import { loadSharp } from '../image/load-sharp.js';
import { packageVersion } from '../package-version.js';
import { describeGpus, type GpuReport } from './describe-gpus.js';
import { createExecutor } from './executors.js';
import { installedVersion } from './installed-version.js';
import { type AutoReport, describeAuto } from './place-network.js';

/** What matters of this machine and this installation. */
export interface MachineReport {
  readonly mambair: string;
  readonly node: string;
  /** E.g. `linux 6.1 x64`. */
  readonly system: string;
  readonly processor: string;
  /** Processors this process may use. */
  readonly cores: number;
  readonly totalMemoryBytes: number;
  readonly freeMemoryBytes: number;
  /** WebAssembly features of this Node, found by validating modules that use them. */
  readonly webAssembly: { readonly simd: boolean; readonly relaxedSimd: boolean; readonly threads: boolean };
  /** The device `cpu`, or what runs instead. */
  readonly device: string;
  /** Why the `cpu` device does not work here. */
  readonly deviceProblem?: string;
  /** The GPUs that `--device webgpu:N` may name. */
  readonly gpus: readonly GpuReport[];
  /** Why there is no GPU. */
  readonly gpuProblem?: string;
  /** What `--device auto` takes, and why. */
  readonly auto: AutoReport;
  /** Version of onnxruntime-node, or undefined where it is not installed. */
  readonly onnxruntime?: string;
  /** What onnxruntime-node is used for here, with a measured figure, or why it is not used. */
  readonly onnxruntimeUse: string;
  readonly sharp: string;
  readonly libvips: string;
  /** Where fetched models are kept. */
  readonly modelsFolder: string;
  /** Those whose weights are on this machine. */
  readonly models: readonly ListedModel[];
}

/** How {@link describeMachine} looks. */
export interface DescribeMachineOptions {
  /** Run a test picture on the GPU that `auto` would take, unless that has been done. @default false */
  readonly checkGpu?: boolean;
}

/** Looks at the machine; runs no network unless it is asked to check a GPU. Never throws. */
export async function describeMachine({ checkGpu = false }: DescribeMachineOptions = {}): Promise<MachineReport> {
  const { versions } = await loadSharp();
  const onnxruntime = await installedVersion('onnxruntime-node');
  const { device, problem } = await describeDevice();
  const found = await describeGpus();
  const { gpus, problem: gpuProblem } = found;
  return {
    mambair: packageVersion(),
    node: process.versions.node,
    system: `${platform()} ${release()} ${arch()}`,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    totalMemoryBytes: totalmem(),
    freeMemoryBytes: freemem(),
    webAssembly: {
      simd: WebAssembly.validate(moduleWith([...zeroVector, drop])),
      // Node 20 needs a flag, which making the cpu device has set by now.
      relaxedSimd: WebAssembly.validate(moduleWith([...relaxedMultiplyAdd, drop])),
      threads: WebAssembly.validate(Uint8Array.from([...moduleHead, ...sharedMemorySection])),
    },
    device,
    ...(problem === undefined ? {} : { deviceProblem: problem }),
    gpus,
    ...(gpuProblem === undefined ? {} : { gpuProblem }),
    auto: await describeAuto(found, checkGpu),
    ...(onnxruntime === undefined ? {} : { onnxruntime }),
    onnxruntimeUse: onnxruntime === undefined ? 'not installed (optional)' : await describeOnnxRuntime(),
    sharp: versions.sharp ?? 'unknown',
    libvips: versions.vips,
    modelsFolder: pulledModelsFolder(),
    models: listModels().filter((model) => model.available),
  };
}

async function describeDevice(): Promise<{ readonly device: string; readonly problem?: string }> {
  try {
    const executor = await createExecutor({ device: 'cpu' });
    await executor.dispose();
    return { device: `${executor.name}: ${executor.description}` };
  } catch (error) {
    return { device: 'reference', problem: (error as Error).message };
  }
}

const moduleHead = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/** The smallest module with one function of this body. */
function moduleWith(body: readonly number[]): Uint8Array<ArrayBuffer> {
  const code = [0, ...body, 0x0b];
  const sections = [1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, code.length + 2, 1, code.length];
  return Uint8Array.from([...moduleHead, ...sections, ...code]);
}

/** `v128.const 0` */
const zeroVector: readonly number[] = [0xfd, 0x0c, ...Array.from({ length: 16 }, () => 0)];
const drop = 0x1a;
/** `f32x4.relaxed_madd` of three vectors */
const relaxedMultiplyAdd: readonly number[] = [...zeroVector, ...zeroVector, ...zeroVector, 0xfd, 0x85, 0x02];
/** One memory: shared, 1 page at least and at most. */
const sharedMemorySection: readonly number[] = [5, 4, 1, 3, 1, 1];

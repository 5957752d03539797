import { join } from 'node:path';
import { recognise } from '../architectures/architectures.js';
import { countMacs } from '../benchmark/count-macs.js';
import { type ErrorCode, isMambairError } from '../errors.js';
import type { Executor, LoadOptions } from '../executors/executor.js';
import type { Graph } from '../graph/graph.js';
import { cacheFolder } from '../models/models-folder.js';
import { packageVersion } from '../package-version.js';
import type { Precision, TensorMap } from '../tensor/tensor.js';
import { chooseGpu } from './choose-gpu.js';
import { describeGpus, type GpuReport, type GpuReports } from './describe-gpus.js';
import { createExecutor, openGpu, type DeviceOptions } from './executors.js';
import { checkGpu, structureOf } from './gpu-check.js';
import { GpuNotes, type GpuVerdict } from './gpu-notes.js';
import { installedVersion } from './installed-version.js';
import { readModelSource } from './model-source.js';
import type { Running } from './recovery.js';

/** What decides where a network runs. */
export interface PlaceOptions extends DeviceOptions {
  /**
   * Pixels that are going to be restored in all, where that is known: `auto` does not start a GPU for what the CPU has
   * done by then. @default unknown, which counts as many
   */
  readonly pixels?: number;
}

/** A network where it runs. */
export interface PlacedNetwork extends Running {
  /** Makes the executor again after its device was lost. */
  readonly reopen?: () => Promise<Executor>;
  /** Why it runs there, where `auto` decided: a sentence. */
  readonly reason?: string;
  /** What is broken of the GPU that `auto` left aside: a sentence. */
  readonly warning?: string;
}

/** What `auto` looks at; tests give their own. */
export interface GpuMachine {
  /** Undefined where no GPU can be used, since the package for it is not installed. */
  readonly notes: () => Promise<GpuNotes | undefined>;
  readonly list: () => Promise<GpuReports>;
  readonly open: (gpu: GpuReport, options?: LoadOptions) => Promise<Executor>;
}

/** This machine. */
export const thisMachine: GpuMachine = {
  notes: gpuNotes,
  list: describeGpus,
  open: ({ index }, options) => openGpu(index, options),
};

/**
 * Multiply-adds that a CPU has done before a GPU's process, driver and kernels are ready: a third of a second on the two
 * cores where it was measured. A guess for GPUs, of which none was at hand.
 */
const startMacs = 10e9;

const notInstalled = 'there is no GPU: the optional package "webgpu" is not installed';

/** What a verdict depends on. */
function verdictKey({ backend, name, driver }: GpuReport, graph: Graph): string {
  return [backend, name, driver, structureOf(graph)].join(' | ');
}

/** The notes on this machine's GPUs, for what is installed and set now. */
async function gpuNotes(): Promise<GpuNotes | undefined> {
  const version = await installedVersion('webgpu');
  if (version === undefined) {
    return undefined;
  }
  const { VK_ICD_FILENAMES: icd = '', VK_DRIVER_FILES: drivers = '' } = process.env;
  const setup = [packageVersion(), version, process.platform, process.arch, icd, drivers].join(' ');
  return new GpuNotes(join(cacheFolder(), 'gpus.json'), setup);
}

/**
 * Loads a network on the device of the options. `auto` takes the best GPU, if there is one that is none played by a CPU,
 * that gives the CPU's values on a test picture, and gives them sooner; what was found out is noted for later starts.
 * Else it takes the CPU.
 * @throws MAMBAIR_DEVICE_UNAVAILABLE, MAMBAIR_OPTION_INVALID, MAMBAIR_SHAPE_MISMATCH
 */
export async function placeNetwork(
  graph: Graph,
  tensors: TensorMap,
  options: PlaceOptions,
  machine: GpuMachine = thisMachine,
): Promise<PlacedNetwork> {
  const { pixels = Number.POSITIVE_INFINITY, ...deviceOptions } = options;
  const { device = 'auto', precision = 'auto' } = deviceOptions;
  if (device !== 'auto') {
    const reopen = (): Promise<Executor> => createExecutor(deviceOptions);
    return { ...(await load(await reopen(), graph, tensors)), reopen };
  }
  const onCpu = async (): Promise<PlacedNetwork> => load(await createExecutor(deviceOptions), graph, tensors);
  if ((pixels * countMacs(graph, 64, 64)) / 64 ** 2 < startMacs) {
    return { ...(await onCpu()), reason: 'little is to be done: no GPU was started' };
  }
  const notes = await machine.notes();
  if (notes === undefined) {
    return { ...(await onCpu()), reason: notInstalled };
  }
  const job = { graph, tensors, precision, notes, machine, onCpu };
  for (const found of [await listNoted(notes, machine), undefined]) {
    const { gpu, reason } = chooseGpu(found ?? (await listAnew(notes, machine)));
    if (gpu === undefined) {
      return { ...(await onCpu()), reason };
    }
    const placed = await placeOnGpu({ ...job, gpu });
    if (placed !== 'another GPU') {
      return 'network' in placed
        ? { ...placed, reason: `${reason}, ${placed.reason}` }
        : { ...(await onCpu()), ...placed };
    }
  }
  return { ...(await onCpu()), reason: 'the GPUs of this machine change while they are listed' };
}

/** What `auto` does with the networks of an installation, as far as that is known. */
export interface AutoReport {
  readonly device: 'cpu' | GpuReport['device'];
  /** A sentence. */
  readonly reason: string;
}

/**
 * What `auto` takes for an embedded network on these GPUs, which are noted for later starts. With `check` the GPU is tried
 * if that has not been done; without, the answer may be what remains to be seen. Never throws.
 */
export async function describeAuto(
  found: GpuReports,
  check: boolean,
  machine: GpuMachine = thisMachine,
): Promise<AutoReport> {
  const notes = await machine.notes();
  if (notes === undefined) {
    return { device: 'cpu', reason: notInstalled };
  }
  await notes.noteList(found);
  const { gpu, reason } = chooseGpu(found);
  if (gpu === undefined) {
    return { device: 'cpu', reason };
  }
  try {
    const { tensors } = (await readModelSource('tiny-x2')).checkpoint;
    const { graph } = recognise(tensors);
    if (check) {
      const placed = await placeNetwork(graph, tensors, {}, machine);
      await placed.executor.dispose();
      return { device: placed.executor.name === 'webgpu' ? gpu.device : 'cpu', reason: placed.reason ?? reason };
    }
    const verdict = await notes.verdict(verdictKey(gpu, graph));
    const isFit = verdict === undefined || verdict.outcome === 'fit';
    return {
      device: isFit ? gpu.device : 'cpu',
      reason: `${reason}, ${verdict?.reason ?? 'and is checked when it is first used'}`,
    };
  } catch (error) {
    return { device: 'cpu', reason: `the GPU could not be tried: ${(error as Error).message}` };
  }
}

/** The GPUs of a machine, looked for once a day. */
async function listNoted(notes: GpuNotes, machine: GpuMachine): Promise<GpuReports> {
  return (await notes.list()) ?? listAnew(notes, machine);
}

async function listAnew(notes: GpuNotes, machine: GpuMachine): Promise<GpuReports> {
  const found = await machine.list();
  await notes.noteList(found);
  return found;
}

/** Why a GPU is not used; a broken one is worth a warning. */
type Refusal = Pick<PlacedNetwork, 'reason' | 'warning'>;

/** The network on a GPU, or why not; `another GPU` where the list is of yesterday, and its numbers mean others now. */
async function placeOnGpu(job: {
  readonly gpu: GpuReport;
  readonly graph: Graph;
  readonly tensors: TensorMap;
  readonly precision: 'auto' | Precision;
  readonly notes: GpuNotes;
  readonly machine: GpuMachine;
  readonly onCpu: () => Promise<PlacedNetwork>;
}): Promise<PlacedNetwork | Refusal | 'another GPU'> {
  const { gpu, graph, tensors, precision, notes, machine } = job;
  const key = verdictKey(gpu, graph) + (precision === 'auto' ? '' : ` | ${precision}`);
  let verdict = await notes.verdict(key);
  const refuse = ({ outcome, reason: why }: GpuVerdict): Refusal => {
    const reason = `the GPU ${gpu.name} (${gpu.device}) was left aside, since ${why}`;
    return outcome === 'broken' ? { reason, warning: reason } : { reason };
  };
  if (verdict !== undefined && verdict.outcome !== 'fit') {
    return refuse(verdict);
  }
  let executor: Executor | undefined;
  try {
    executor = await machine.open(gpu, { precision });
    if (executor.description !== gpu.description) {
      await executor.dispose();
      return 'another GPU';
    }
    const placed = await load(executor, graph, tensors);
    if (verdict === undefined) {
      const cpu = await job.onCpu();
      try {
        verdict = await checkGpu(graph, { gpu: placed.network, cpu: cpu.network });
      } finally {
        await cpu.executor.dispose();
      }
      await notes.noteVerdict(key, verdict);
    }
    if (verdict.outcome === 'fit') {
      const { precision: chosen } = placed.network;
      const numbers = chosen === undefined ? '' : `; ${chosen.name}: ${chosen.reason}`;
      return { ...placed, reason: verdict.reason + numbers, reopen: () => machine.open(gpu, { precision }) };
    }
    await executor.dispose();
    return refuse(verdict);
  } catch (error) {
    await executor?.dispose();
    if (!isMambairError(error) || !blamed.has(error.code)) {
      throw error;
    }
    const failure = { outcome: 'broken', reason: `it does not work: ${error.message}` } as const;
    if (error.code !== 'MAMBAIR_OUT_OF_MEMORY') {
      await notes.noteVerdict(key, failure);
    }
    return refuse(failure);
  }
}

/** What a GPU is to blame for; its memory only for now, since others use it, too. */
const blamed: ReadonlySet<ErrorCode> = new Set([
  'MAMBAIR_DEVICE_UNAVAILABLE',
  'MAMBAIR_DEVICE_LOST',
  'MAMBAIR_OUT_OF_MEMORY',
  'MAMBAIR_INTERNAL',
]);

async function load(executor: Executor, graph: Graph, tensors: TensorMap): Promise<PlacedNetwork> {
  try {
    return { executor, network: await executor.load(graph, tensors) };
  } catch (error) {
    await executor.dispose();
    throw error;
  }
}

import { recognise } from '../architectures/architectures.js';
import type { PrecisionChoice } from '../executors/executor.js';
import type { Bisection, BisectNetworksOptions } from './bisect.js';
import { createExecutor, type DeviceOptions } from './executors.js';
import { readModelSource } from './model-source.js';

/** What is compared with what. */
export interface BisectModelOptions extends BisectNetworksOptions {
  /** The GPU. @default 'webgpu' */
  readonly device?: 'webgpu' | `webgpu:${number}`;
  readonly precision?: DeviceOptions['precision'];
  /** The exact device: `reference` is exact beyond doubt, and slow. @default 'cpu' */
  readonly against?: 'cpu' | 'reference';
  readonly set?: Readonly<Record<string, string>>;
}

/** What {@link bisectModel} found. */
export interface ModelBisection extends Bisection {
  /** The catalogue id or path. */
  readonly model: string;
  /** Of both devices: one line for people. */
  readonly device: string;
  readonly against: string;
  readonly precision?: PrecisionChoice;
}

/**
 * Finds the first value of a model that a GPU computes otherwise than the CPU: what to report when pictures look wrong.
 * @param source as of `loadModel`
 * @throws MAMBAIR_DEVICE_UNAVAILABLE, MAMBAIR_DEVICE_LOST, MAMBAIR_OPTION_INVALID, MAMBAIR_CANCELLED, and what reading a
 * model raises
 */
export async function bisectModel(source: string, options: BisectModelOptions = {}): Promise<ModelBisection> {
  const { device = 'webgpu', against = 'cpu', precision = 'auto', set, ...how } = options;
  const { name, checkpoint } = await readModelSource(source, options);
  const { graph } = recognise(checkpoint.tensors, { overrides: set, allowExtra: true });
  const exact = await createExecutor({ device: against, build: 'plain' });
  try {
    const gpu = await createExecutor({ device, precision });
    try {
      const networks = {
        gpu: await gpu.load(graph, checkpoint.tensors),
        exact: await exact.load(graph, checkpoint.tensors),
      };
      const { bisectNetworks } = await import('./bisect.js');
      const found = await bisectNetworks(graph, networks, how);
      const { precision: chosen } = networks.gpu;
      return {
        model: name,
        device: gpu.description,
        against: `${exact.name}: ${exact.description}`,
        ...(chosen === undefined ? {} : { precision: chosen }),
        ...found,
      };
    } finally {
      await gpu.dispose();
    }
  } finally {
    await exact.dispose();
  }
}

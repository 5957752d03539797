import { MambairError } from '../../errors.js';
import type { Executor } from '../executor.js';
import type { GpuAdapter } from './gpu.js';
import { type GpuOptions, OpenedDevice } from './opened-device.js';
import { WebgpuNetwork } from './webgpu-network.js';

/** One line for people about the executor on a device. */
export function describeExecutor(device: string): string {
  return `WebGPU on ${device}`;
}

/**
 * The WebGPU executor: whole networks in WGSL kernels on one adapter of `navigator.gpu` or of Dawn, from the plan that
 * the CPU executor runs. Values stay on the device between the picture that goes in and the one that comes out.
 * @throws MAMBAIR_DEVICE_UNAVAILABLE
 */
export async function createWebgpuExecutor(adapter: GpuAdapter, options: GpuOptions = {}): Promise<Executor> {
  const device = await OpenedDevice.open(adapter, options);
  const networks = new Set<WebgpuNetwork>();
  let isDisposed = false;
  return {
    name: 'webgpu',
    description: describeExecutor(device.description),
    async load(graph, weights, { precision = options.precision ?? 'auto' } = {}) {
      if (isDisposed) {
        throw new MambairError('MAMBAIR_DISPOSED', 'the WebGPU executor was disposed of; create another');
      }
      const network = await WebgpuNetwork.load(graph, weights, { device, precision });
      networks.add(network);
      return network;
    },
    async dispose() {
      if (!isDisposed) {
        isDisposed = true;
        await Promise.all([...networks].map((network) => network.dispose()));
        networks.clear();
        device.device.destroy();
      }
    },
  };
}

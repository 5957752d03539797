import { isMambairError } from '../errors.js';
import { OpenedDevice } from '../executors/webgpu/opened-device.js';
import { WebgpuNetwork } from '../executors/webgpu/webgpu-network.js';
import { findAdapter } from './gpu-adapters.js';
import type { GpuAnswer, GpuRequest } from './gpu-messages.js';

// The process in which a GPU's driver runs, started by gpu-executor.ts with the GPU's number, or without one. It ends
// when the other side goes.

const answer = (message: GpuAnswer): void => void process.send?.(message);

function fail(error: unknown, id?: number): void {
  const { message } = error as Error;
  const [code, detail] = isMambairError(error) ? [error.code, error.detail] : (['MAMBAIR_INTERNAL', {}] as const);
  answer({ kind: 'failed', ...(id === undefined ? {} : { id }), code, message, detail });
}

const networks = new Map<number, WebgpuNetwork>();
const running = new Map<number, AbortController>();

async function serve(device: OpenedDevice, request: GpuRequest): Promise<void> {
  const { id } = request;
  switch (request.kind) {
    case 'load': {
      const network = await WebgpuNetwork.load(request.graph, request.weights, { ...request.options, device });
      networks.set(id, network);
      const { weightBytes, precision } = network;
      return answer({ kind: 'loaded', id, weightBytes, precision });
    }
    case 'run':
    case 'runCodes': {
      const abort = new AbortController();
      running.set(id, abort);
      const progress = (done: number, total: number) => answer({ kind: 'progress', id, done, total });
      try {
        const network = networks.get(request.network);
        const options = {
          ...request.options,
          signal: abort.signal,
          ...(request.wantsProgress ? { progress } : {}),
        };
        if (request.kind === 'run') {
          const result = await network?.run(request.input, options);
          return result && answer({ kind: 'ran', id, result });
        }
        const codes = await network?.runCodes(request.codes, request.pictures, options);
        return codes && answer({ kind: 'ranCodes', id, codes });
      } finally {
        running.delete(id);
      }
    }
    case 'cancel':
      return running.get(id)?.abort();
    case 'dispose':
      await networks.get(request.network)?.dispose();
      networks.delete(request.network);
      return answer({ kind: 'disposed', id });
  }
}

process.once('disconnect', () => process.exit(0));
try {
  const [, , index] = process.argv;
  const { adapter } = await findAdapter(index === undefined ? undefined : Number(index));
  const device = await OpenedDevice.open(adapter);
  process.on('message', (request: GpuRequest) => {
    serve(device, request).catch((error: unknown) => fail(error, request.id));
  });
  answer({ kind: 'opened', description: device.description, maxBindingBytes: device.maxBindingBytes });
} catch (error) {
  fail(error);
}

import { availableParallelism } from 'node:os';
import { MambairError } from '../../errors.js';
import type { Graph } from '../../graph/graph.js';
import type { Executor } from '../executor.js';
import { acceleratedNodes, type OnnxRuntimeUse } from './accelerate.js';
import { CpuNetwork } from './cpu-network.js';
import type { Accelerator } from './messages.js';
import { compileKernels, type WasmBuild } from './wasm-build.js';

export interface CpuExecutorOptions {
  /** Threads of each network. Default: the processors this process may use, 12 at most (the scan divides no further). */
  readonly threads?: number;
  /** `plain` gives the same bytes on every machine; `relaxed` is faster; `auto` (default) takes relaxed where it runs. */
  readonly build?: WasmBuild | 'auto';
  /**
   * Whether wide dense layers go to `onnxruntime-node`, if it is installed. `auto` (default): where it is measured to
   * be faster, and never in the plain build. See `docs/onnxruntime.md`.
   */
  readonly onnxruntime?: OnnxRuntimeUse;
  /** Package name or URL to load it from. */
  readonly onnxruntimeModule?: string;
}

const onnxRuntimeUses: readonly OnnxRuntimeUse[] = ['auto', 'on', 'off'];

const mostThreads = 12;

/**
 * The CPU executor: whole networks in WebAssembly SIMD kernels on worker threads and one shared memory a network.
 * The calling thread only waits.
 * @throws MAMBAIR_OPTION_INVALID, MAMBAIR_DEVICE_UNAVAILABLE
 */
export async function createCpuExecutor(options: CpuExecutorOptions = {}): Promise<Executor> {
  const threads = options.threads ?? Math.min(availableParallelism(), mostThreads);
  if (!Number.isInteger(threads) || threads < 1 || threads > 64) {
    throw new MambairError('MAMBAIR_OPTION_INVALID', `threads must be a whole number from 1 to 64, not ${threads}`);
  }
  const use = options.onnxruntime ?? 'auto';
  if (!onnxRuntimeUses.includes(use)) {
    throw new MambairError(
      'MAMBAIR_OPTION_INVALID',
      `onnxruntime must be one of ${onnxRuntimeUses.join(', ')}, not ${String(use)}`,
    );
  }
  const { build, module } = await compileKernels(options.build ?? 'auto');
  const accelerator = (graph: Graph): Accelerator | undefined => {
    const nodes = new Set(use === 'auto' && build === 'plain' ? [] : acceleratedNodes(graph, use));
    return nodes.size > 0 ? { module: options.onnxruntimeModule ?? 'onnxruntime-node', nodes } : undefined;
  };
  const networks = new Set<CpuNetwork>();
  let isDisposed = false;
  return {
    name: 'cpu',
    get description() {
      const accelerations = new Set([...networks].map(({ acceleration }) => acceleration).filter(Boolean));
      return [
        `WebAssembly SIMD (${build})`,
        `${threads} ${threads === 1 ? 'thread' : 'threads'}`,
        ...accelerations,
      ].join(', ');
    },
    async load(graph, weights) {
      if (isDisposed) {
        throw new MambairError('MAMBAIR_DISPOSED', 'the CPU executor was disposed of; create another');
      }
      const network = await CpuNetwork.load(graph, weights, { module, threads, accelerator: accelerator(graph) });
      networks.add(network);
      return network;
    },
    async dispose() {
      isDisposed = true;
      await Promise.all([...networks].map((network) => network.dispose()));
      networks.clear();
    },
  };
}

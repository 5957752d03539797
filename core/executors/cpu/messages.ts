import type { Graph, NodeId } from '../../graph/graph.js';
import type { RunState } from '../../ops/cpu-kernel.js';
import type { Program } from './program.js';

/** The dense layers that go to ONNX Runtime. */
export interface Accelerator {
  /** Package name or URL of `onnxruntime-node`. */
  readonly module: string;
  readonly nodes: ReadonlySet<NodeId>;
}

/** What a thread is born with. */
export interface ThreadData {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly graph: Graph;
  /** Addresses of the packed weights of each node. */
  readonly packed: readonly (readonly number[])[];
  /** What ONNX Runtime shall compute; undefined: nothing. */
  readonly accelerator: Accelerator | undefined;
  readonly thread: number;
  readonly threads: number;
}

/** What the network asks of its threads. */
export type Request =
  | { readonly kind: 'bind'; readonly program: Program }
  | { readonly kind: 'forget'; readonly program: number }
  | { readonly kind: 'run'; readonly program: number; readonly run: RunState };

/** A thread's answer: it has started, or has come to the end of a run. */
export interface Reply {
  readonly kind: 'ready' | 'finished';
  /** Why ONNX Runtime could not do its part; the run is void then, the thread is well. */
  readonly acceleratorFailure?: string | undefined;
  /** The version of ONNX Runtime, once it is loaded. */
  readonly acceleratorVersion?: string | undefined;
}

import type { Graph } from '../../graph/graph.js';
import type { RunState } from '../../ops/cpu-kernel.js';
import type { Program } from './program.js';

/** What a thread is born with. */
export interface ThreadData {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly graph: Graph;
  /** Addresses of the packed weights of each node. */
  readonly packed: readonly (readonly number[])[];
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
}

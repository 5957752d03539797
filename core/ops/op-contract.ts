import type { OperationName } from '../graph/graph.js';

/** A value or weight of an op: `[H, W, C]` for values, the checkpoint's shape for weights. */
export interface OperandContract {
  readonly name: string;
  readonly shape: string;
  /** What the numbers mean and which are allowed, where that is not "any finite float32". */
  readonly range?: string;
}

/**
 * How far an executor that computes in float32 may be from the float64 reference on the same float32 inputs. A bound
 * is about twice the worst distance measured over the op's cases; its reason says where the distance comes from.
 */
export interface ErrorBound {
  /** Largest |difference|, in units of max(1, largest |reference value|) of the map. 0: exact. */
  readonly maxAbs: number;
  /** ‖difference‖₂ / ‖reference‖₂ of the map. 0: exact. */
  readonly relative: number;
  readonly reason: string;
}

/** The bound of ops that move numbers without computing. */
export const exact: ErrorBound = { maxAbs: 0, relative: 0, reason: 'numbers are copied' };

/** What every executor promises for one op. Shapes and constants are checked by the graph's shape rules. */
export interface OpContract {
  readonly operation: OperationName;
  readonly inputs: readonly OperandContract[];
  readonly output: OperandContract;
  readonly weights: readonly OperandContract[];
  /** Sizes and constants beyond which it is not defined, one sentence each. */
  readonly limits: readonly string[];
  /**
   * Inputs whose memory the output may take over, pixel on pixel with the same stride. A kernel must allow it for
   * these and may read and write in any order for all others; no plan of today makes use of it.
   */
  readonly mayAlias: readonly string[];
  readonly bound: ErrorBound;
}

import type { GraphBuilder } from '../graph/build-graph.js';
import type { NodeId, WeightReference } from '../graph/graph.js';
import type { ErrorBound } from './op-contract.js';

/** Draws one value; `random` gives numbers from 0 to 1. */
export type Draw = (random: () => number, place: { readonly channel: number; readonly pixel: number }) => number;

/** Uniform from −size to size. */
export function within(size: number): Draw {
  return (random) => size * (2 * random() - 1);
}

/** Uniform from `low` to `high`. */
export function between(low: number, high: number): Draw {
  return (random) => low + (high - low) * random();
}

/** Where the classes of a case's `route` nodes come from; noise and classes themselves are made by who runs the case. */
export type CaseRouting =
  | { readonly kind: 'argmax' | 'replay' | 'forced' }
  | { readonly kind: 'seeded'; readonly seed: number; readonly originX: number; readonly originY: number };

/** What a case writes its graph with. Cases of equal size may share one graph, so names go through `name`. */
export interface CaseWriter {
  readonly graph: GraphBuilder;
  /** The case's image: `channels` channels. */
  readonly image: NodeId;
  /** The name of a node, unique among all cases. */
  readonly name: (part: string) => string;
  /** The number of the next `route` node. */
  readonly nextBlock: () => number;
  /** A weight of drawn values; by default uniform, and so large that a sum over its rows keeps the inputs' variance. */
  readonly weight: (part: string, shape: readonly number[], draw?: Draw) => WeightReference;
}

/**
 * One named problem for one op, the same for every executor: parity tests, benches and docs share it. All its values
 * are drawn from generators seeded by its id and the value's name.
 */
export interface OpCase {
  /** Unique among the op's cases. */
  readonly id: string;
  /** What it can find that others cannot. */
  readonly why: string;
  /** Image size; the map is padded by mirroring to `multiple` (default 1). */
  readonly height: number;
  readonly width: number;
  readonly multiple?: number;
  /** Channels of the image. */
  readonly channels: number;
  /** Values of the image; uniform from −1 to 1 by default. */
  readonly values?: Draw;
  /** `argmax` by default. */
  readonly routing?: CaseRouting;
  /** Instead of the contract's bound, for problems that float32 cannot solve as well. */
  readonly bound?: ErrorBound;
  /** Writes the nodes of the case and returns the one under test. */
  readonly build: (writer: CaseWriter) => NodeId;
}

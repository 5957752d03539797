import { invariant } from '../errors.js';
import type { Graph, GraphNode, NodeId } from '../graph/graph.js';
import { allocate, type Request } from './allocate.js';
import { type NodeGroup, schedule } from './schedule.js';
import { traitsOf, type WorkRange } from './traits.js';
import { type WindowCut, windowShape } from './window-parts.js';

/** Where a value lives. Offsets are bytes, strides are values (4 bytes) from pixel to pixel. */
export type Placement =
  /** A whole map in the activation block. */
  | { readonly kind: 'buffer'; readonly offset: number; readonly stride: number }
  /** Only the current strip, in the scratch of the thread that runs it. */
  | { readonly kind: 'strip'; readonly offset: number; readonly stride: number }
  /** Channels of another value, from `start` on. */
  | { readonly kind: 'view'; readonly of: NodeId; readonly start: number }
  /** Nowhere: the op that uses it computes it on the way. */
  | { readonly kind: 'fused' };

/** One kernel call: a node, or two in one, in which the second uses up the first's value. */
export interface PlanCall {
  readonly nodes: readonly [NodeId] | readonly [first: NodeId, second: NodeId];
  /** Inputs of the first, then those of the second without the first. */
  readonly inputs: readonly NodeId[];
  readonly output: NodeId;
}

export interface PlanStep {
  readonly range: WorkRange;
  readonly calls: readonly PlanCall[];
  /** Size of the map the range runs over. */
  readonly height: number;
  readonly width: number;
  /**
   * Strips and windows only: pixels of a strip (whole rows, or a part of one row) or of a part of windows, and how many
   * there are.
   */
  readonly stripPixels: number;
  readonly strips: number;
  /** Bytes of the values that live only inside a strip or a part of windows, per thread. */
  readonly stripBytes: number;
  /** Windows only: how the map is cut. */
  readonly windows?: WindowCut;
}

/** A graph at one size: what runs in which order, and where every value is. Plain data. */
export interface Plan {
  /** Padded input size. */
  readonly height: number;
  readonly width: number;
  readonly steps: readonly PlanStep[];
  /** One per node. */
  readonly placements: readonly Placement[];
  readonly activationBytes: number;
  /** The largest `stripBytes`. */
  readonly stripBytes: number;
}

export interface PlanOptions {
  /** Values per pixel are rounded up to this many: the width of a kernel's output tile. */
  readonly channelMultiple: number;
  /** Upper bound of a strip's bytes per value; strips shorter than 32 pixels are not made. */
  readonly stripTargetBytes: number;
  /** Whether the executor has one kernel for `second(first(x), other)`. */
  readonly canFuse: (first: NodeId, second: NodeId) => boolean;
  /** Pixels that one node wants its strips to have at least, on a map of some width; 0 where it does not mind. */
  readonly leastStripPixels?: (id: NodeId, width: number) => number;
  /** Whether the executor can compute a node, which works pixel by pixel, for the pixels of a window; by default none. */
  readonly joinsWindows?: (id: NodeId) => boolean;
  /** Nodes whose whole map is kept until the end. */
  readonly keep?: readonly NodeId[];
}

/** Bytes behind each value that kernels may touch when they work on whole vectors. */
const slackBytes = 64;
const alignment = 64;

/** First pixel and pixel count of strip `index` of a step. */
export function stripAt(step: PlanStep, index: number): { readonly first: number; readonly count: number } {
  const { stripPixels, width, height } = step;
  if (stripPixels >= width) {
    const first = index * stripPixels;
    return { first, count: Math.min(stripPixels, width * height - first) };
  }
  const perRow = Math.ceil(width / stripPixels);
  const x = (index % perRow) * stripPixels;
  return { first: Math.floor(index / perRow) * width + x, count: Math.min(stripPixels, width - x) };
}

function stripShape(height: number, width: number, limit: number): { stripPixels: number; strips: number } {
  if (width <= limit) {
    const rows = Math.min(height, Math.floor(limit / width));
    return { stripPixels: rows * width, strips: Math.ceil(height / rows) };
  }
  const perRow = Math.ceil(width / limit);
  const stripPixels = Math.ceil(width / perRow / 4) * 4;
  return { stripPixels, strips: Math.ceil(width / stripPixels) * height };
}

function mapSize(size: number, scale: number, name: string): number {
  const scaled = size * scale;
  invariant(Number.isInteger(scaled), `${name} needs a size that ${1 / scale} divides`);
  return scaled;
}

/**
 * Plans a graph for a padded input of height × width pixels. Pure; the same for the same arguments.
 */
export function plan(graph: Graph, height: number, width: number, options: PlanOptions): Plan {
  const node = (id: NodeId): GraphNode => {
    const found = graph.nodes[id];
    invariant(found, `node ${id} is missing`);
    return found;
  };
  const groups = schedule(graph, options.joinsWindows ?? (() => false));
  const groupOf = new Map<NodeId, number>();
  for (const [index, group] of groups.entries()) {
    for (const id of group.nodes) {
      groupOf.set(id, index);
    }
  }
  // A view's uses are uses of what it looks at.
  const baseOf = (id: NodeId): NodeId => {
    const { operation, inputs } = node(id);
    return operation.op === 'sliceChannels' ? baseOf(inputs[0] as NodeId) : id;
  };
  const lastUse = new Map<NodeId, number>();
  const crosses = new Set<NodeId>([baseOf(graph.output), ...(options.keep ?? []).map(baseOf)]);
  const end = groups.length;
  for (const id of crosses) {
    lastUse.set(id, end);
  }
  for (const [id, { inputs }] of graph.nodes.entries()) {
    const user = groupOf.get(id) as number;
    for (const input of inputs) {
      const base = baseOf(input);
      lastUse.set(base, Math.max(lastUse.get(base) ?? 0, user));
      if (groupOf.get(base) !== user) {
        crosses.add(base);
      }
    }
  }

  const strideOf = (id: NodeId): number => {
    const { type } = node(id);
    return type.kind === 'indices' ? 1 : Math.ceil(type.channels / options.channelMultiple) * options.channelMultiple;
  };
  // What nobody reads may still be larger than a strip: a rescaled map, say.
  const isStripLocal = (id: NodeId): boolean =>
    !crosses.has(id) && node(id).type.kind === 'features' && traitsOf(node(id).operation).writes === 'pixel';

  const placements = new Array<Placement | undefined>(graph.nodes.length);
  const uses = new Map<NodeId, number>();
  for (const [id, { operation, inputs }] of graph.nodes.entries()) {
    for (const input of inputs) {
      uses.set(input, (uses.get(input) ?? 0) + 1);
    }
    if (operation.op === 'sliceChannels') {
      placements[id] = { kind: 'view', of: inputs[0] as NodeId, start: operation.start };
    }
  }

  /** Pairs a node with the first of its inputs that can be computed on the way; views need no call. */
  function callsOf(group: NodeGroup): readonly PlanCall[] {
    const calls = new Map<NodeId, PlanCall>();
    for (const id of group.nodes) {
      if (placements[id]?.kind === 'view') {
        continue;
      }
      const { inputs } = node(id);
      const first = inputs.find((input) => {
        const producer = calls.get(input);
        return (
          producer?.nodes.length === 1 && uses.get(input) === 1 && isStripLocal(input) && options.canFuse(input, id)
        );
      });
      if (first === undefined) {
        calls.set(id, { nodes: [id], inputs, output: id });
        continue;
      }
      calls.delete(first);
      placements[first] = { kind: 'fused' };
      const others = inputs.filter((input) => input !== first);
      calls.set(id, { nodes: [first, id], inputs: [...node(first).inputs, ...others], output: id });
    }
    return [...calls.values()];
  }

  const requests: Request[] = [];
  const requested: NodeId[] = [];
  const steps = groups.map((group, index): PlanStep => {
    const name = node(group.nodes[0] as NodeId).name;
    const size = { height: mapSize(height, group.scale, name), width: mapSize(width, group.scale, name) };
    const calls = callsOf(group);
    const isCut = group.range === 'strips' || group.range === 'windows';
    for (const { output } of calls) {
      if (!isCut || !isStripLocal(output)) {
        const { scale } = node(output).type;
        const pixels = mapSize(height, scale, name) * mapSize(width, scale, name);
        const bytes = pixels * strideOf(output) * 4 + slackBytes;
        requests.push({ bytes, first: index, last: lastUse.get(output) ?? index });
        requested.push(output);
      }
    }
    if (!isCut) {
      return { range: group.range, calls, ...size, stripPixels: 0, strips: 0, stripBytes: 0 };
    }
    const widest = Math.max(...calls.map(({ output }) => strideOf(output)), 1);
    const wanted = group.nodes.map((id) => options.leastStripPixels?.(id, size.width) ?? 0);
    const limit = Math.max(32, Math.floor(options.stripTargetBytes / (widest * 4)), ...wanted);
    const attention = group.nodes.map((id) => node(id).operation).find(({ op }) => op === 'windowAttention');
    const shape =
      attention?.op === 'windowAttention'
        ? windowShape(size, attention, limit)
        : stripShape(size.height, size.width, limit);
    return { range: group.range, calls, ...size, ...shape, stripBytes: placeStripValues(calls, shape.stripPixels) };
  });

  function placeStripValues(calls: readonly PlanCall[], stripPixels: number): number {
    const local = new Map<NodeId, { first: number; last: number }>();
    for (const [at, { inputs, output }] of calls.entries()) {
      if (isStripLocal(output)) {
        local.set(output, { first: at, last: at });
      }
      for (const input of inputs.map(baseOf)) {
        const life = local.get(input);
        if (life) {
          life.last = at;
        }
      }
    }
    const { offsets, bytes } = allocate(
      [...local].map(([id, life]) => ({ bytes: stripPixels * strideOf(id) * 4 + slackBytes, ...life })),
      alignment,
    );
    for (const [at, id] of [...local.keys()].entries()) {
      placements[id] = { kind: 'strip', offset: offsets[at] as number, stride: strideOf(id) };
    }
    return bytes;
  }

  const { offsets, bytes } = allocate(requests, alignment);
  for (const [at, id] of requested.entries()) {
    placements[id] = { kind: 'buffer', offset: offsets[at] as number, stride: strideOf(id) };
  }
  return {
    height,
    width,
    // Views alone need no step, and all of a group may have been moved or fused.
    steps: steps.filter(({ calls }) => calls.length > 0),
    placements: placements.map((placement, id) => {
      invariant(placement, `${node(id).name} has no place`);
      return placement;
    }),
    activationBytes: bytes,
    stripBytes: Math.max(0, ...steps.map((step) => step.stripBytes)),
  };
}

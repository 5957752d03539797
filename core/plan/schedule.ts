import { invariant } from '../errors.js';
import type { Graph, NodeId, Operation } from '../graph/graph.js';
import { traitsOf, type WorkRange } from './traits.js';

/** Nodes that run together over one range; everyone waits for everyone before the next group. */
export interface NodeGroup {
  readonly range: WorkRange;
  readonly nodes: readonly NodeId[];
  /** The scale of the map the range runs over (of the input, where an op changes the scale). */
  readonly scale: number;
}

/** The scale of the map a node's range runs over. */
function rangeScale(graph: Graph, id: NodeId): number {
  const node = graph.nodes[id];
  invariant(node, `node ${id} is missing`);
  const source = node.inputs[0];
  const rescales = node.operation.op === 'pixelShuffle' || node.operation.op === 'upsampleNearest';
  if (!rescales) {
    return node.type.scale;
  }
  const sourceNode = source === undefined ? undefined : graph.nodes[source];
  invariant(sourceNode, `${node.name} has no input`);
  return sourceNode.type.scale;
}

/**
 * Cuts a graph into groups. Strip work joins the open group as long as every input is either finished by an earlier
 * group or is made in this one pixel by pixel, so that values in between never leave a thread's scratch. A node that
 * cannot join waits; later nodes that can are taken first. Each group is as large as this greedy rule allows, and a
 * node that is only needed later is then moved there.
 *
 * Work on single pixels that `joinsWindows` joins an attention's group in the same way: what stands around the attention
 * is then computed window by window.
 */
export function schedule(graph: Graph, joinsWindows: (id: NodeId) => boolean): readonly NodeGroup[] {
  const groups: NodeGroup[] = [];
  const groupOf = new Map<NodeId, number>();
  let waiting = graph.nodes.map((_, id) => id);
  while (waiting.length > 0) {
    const index = groups.length;
    const first = waiting[0] as NodeId;
    const scale = rangeScale(graph, first);
    const { range } = traitsOf((graph.nodes[first] as Graph['nodes'][number]).operation);
    const nodes: NodeId[] = [];
    const joins = (id: NodeId): boolean => {
      const node = graph.nodes[id] as Graph['nodes'][number];
      const traits = traitsOf(node.operation);
      if (nodes.length > 0) {
        const fits =
          range === 'strips'
            ? traits.range === 'strips'
            : range === 'windows' && isPixelwise(node.operation) && node.inputs.length > 0 && joinsWindows(id);
        if (!fits || rangeScale(graph, id) !== scale) {
          return false;
        }
      }
      return node.inputs.every((input) => {
        const group = groupOf.get(input);
        const producer = (graph.nodes[input] as Graph['nodes'][number]).operation;
        return (
          group !== undefined && (group < index || (traits.reads === 'pixel' && traitsOf(producer).writes === 'pixel'))
        );
      });
    };
    waiting = waiting.filter((id) => {
      if (!joins(id)) {
        return true;
      }
      nodes.push(id);
      groupOf.set(id, index);
      return false;
    });
    invariant(nodes.length > 0, `node ${first} reads a later node`);
    groups.push({ range, nodes, scale });
  }
  return sink(graph, groups, joinsWindows);
}

/** Whether an op makes each pixel from the same pixel of its inputs. */
function isPixelwise(operation: Operation): boolean {
  const { range, reads, writes } = traitsOf(operation);
  return range === 'strips' && reads === 'pixel' && writes === 'pixel';
}

/**
 * Moves a node into the later group of its only consumer where what must be kept until then for it is narrower than its
 * value, or is kept anyway: the value then never leaves scratch, instead of being stored early by the greedy rule (a
 * scaled residual, say, or the queries, keys and values of an attention).
 */
function sink(graph: Graph, groups: readonly NodeGroup[], joinsWindows: (id: NodeId) => boolean): readonly NodeGroup[] {
  const groupOf = new Map(groups.flatMap(({ nodes }, index) => nodes.map((id) => [id, index] as const)));
  const consumers = new Map<NodeId, NodeId[]>();
  for (const [id, { inputs }] of graph.nodes.entries()) {
    for (const input of inputs) {
      consumers.set(input, [...(consumers.get(input) ?? []), id]);
    }
  }
  for (let id = graph.nodes.length - 1; id >= 0; id--) {
    const { operation, inputs, type } = graph.nodes[id] as Graph['nodes'][number];
    const [consumer, ...others] = consumers.get(id) ?? [];
    if (consumer === undefined || others.length > 0 || id === graph.output) {
      continue;
    }
    const from = groupOf.get(id) as number;
    const to = groupOf.get(consumer) as number;
    const target = groups[to] as NodeGroup;
    const runsThere = target.range === 'strips' || (target.range === 'windows' && joinsWindows(id));
    const { reads } = traitsOf((graph.nodes[consumer] as Graph['nodes'][number]).operation);
    const staysLocal = isPixelwise(operation) && (reads === 'pixel' || reads === 'window');
    const isKeptUntil = (input: NodeId): boolean =>
      (consumers.get(input) ?? []).some((user) => user !== id && (groupOf.get(user) as number) >= to);
    const keptForIt = inputs.filter((input) => !isKeptUntil(input));
    const channelsKeptForIt = keptForIt.reduce(
      (sum, input) => sum + (graph.nodes[input] as Graph['nodes'][number]).type.channels,
      0,
    );
    const isNarrower = keptForIt.length === 0 || channelsKeptForIt < type.channels;
    const canMove = from < to && runsThere && rangeScale(graph, id) === target.scale && inputs.length > 0;
    if (canMove && staysLocal && isNarrower) {
      groupOf.set(id, to);
    }
  }
  const nodes = groups.map((): NodeId[] => []);
  for (const id of graph.nodes.keys()) {
    nodes[groupOf.get(id) as number]?.push(id);
  }
  return groups
    .map((group, index) => ({ ...group, nodes: nodes[index] as NodeId[] }))
    .filter((group) => group.nodes.length > 0);
}

import { invariant } from '../errors.js';
import type { Graph, NodeId } from '../graph/graph.js';
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
 */
export function schedule(graph: Graph): readonly NodeGroup[] {
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
      if (nodes.length > 0 && (range !== 'strips' || traits.range !== 'strips' || rangeScale(graph, id) !== scale)) {
        return false;
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
  return sink(graph, groups);
}

/**
 * Moves a node into the later group of its only consumer where everything it reads is kept until then anyway: its
 * value then never leaves scratch, instead of being stored early by the greedy rule (a scaled residual, say).
 */
function sink(graph: Graph, groups: readonly NodeGroup[]): readonly NodeGroup[] {
  const groupOf = new Map(groups.flatMap(({ nodes }, index) => nodes.map((id) => [id, index] as const)));
  const consumers = new Map<NodeId, NodeId[]>();
  for (const [id, { inputs }] of graph.nodes.entries()) {
    for (const input of inputs) {
      consumers.set(input, [...(consumers.get(input) ?? []), id]);
    }
  }
  for (let id = graph.nodes.length - 1; id >= 0; id--) {
    const { operation, inputs } = graph.nodes[id] as Graph['nodes'][number];
    const [consumer, ...others] = consumers.get(id) ?? [];
    if (consumer === undefined || others.length > 0 || id === graph.output) {
      continue;
    }
    const from = groupOf.get(id) as number;
    const to = groupOf.get(consumer) as number;
    const target = groups[to] as NodeGroup;
    const { range, reads, writes } = traitsOf(operation);
    const canRunThere = range === 'strips' && target.range === 'strips' && rangeScale(graph, id) === target.scale;
    const staysLocal =
      reads === 'pixel' &&
      writes === 'pixel' &&
      traitsOf((graph.nodes[consumer] as Graph['nodes'][number]).operation).reads === 'pixel';
    const isKeptUntil = (input: NodeId): boolean =>
      (consumers.get(input) ?? []).some((user) => user !== id && (groupOf.get(user) as number) >= to);
    if (from < to && canRunThere && staysLocal && inputs.length > 0 && inputs.every(isKeptUntil)) {
      groupOf.set(id, to);
    }
  }
  const nodes = groups.map((): NodeId[] => []);
  for (const id of graph.nodes.keys()) {
    nodes[groupOf.get(id) as number]?.push(id);
  }
  return groups.map((group, index) => ({ ...group, nodes: nodes[index] as NodeId[] }));
}

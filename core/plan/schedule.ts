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
 * cannot join waits; later nodes that can are taken first. Each group is as large as this greedy rule allows.
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
  return groups;
}

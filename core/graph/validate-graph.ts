import { MambairError } from '../errors.js';
import type { Graph } from './graph.js';
import { valueTypeOf } from './shape-rules.js';
import { graphWeights } from './weights.js';

/**
 * Checks a graph from whatever source and returns it: names unique, every node reads only nodes before it, types
 * follow the shape rules, exactly one input (the first node), a feature map comes out, route blocks count from 0 in
 * order, and a weight used twice has one shape.
 * @throws MAMBAIR_GRAPH_INVALID naming the node.
 */
export function validateGraph(graph: Graph): Graph {
  const fail = (name: string, message: string): never => {
    throw new MambairError('MAMBAIR_GRAPH_INVALID', `graph node "${name}": ${message}`, { detail: { node: name } });
  };
  const names = new Set<string>();
  graph.nodes.forEach((node, id) => {
    if (names.has(node.name)) {
      fail(node.name, 'the name is already in use');
    }
    names.add(node.name);
    if ((node.operation.op === 'input') !== (id === 0)) {
      fail(node.name, 'the first node, and no other, must be the input');
    }
    const types = node.inputs.map((input) => {
      const type = input < id ? graph.nodes[input]?.type : undefined;
      return type ?? fail(node.name, `reads node ${input}, which does not come before it`);
    });
    const type = valueTypeOf(node.name, node.operation, types);
    if (type.kind !== node.type.kind || type.channels !== node.type.channels || type.scale !== node.type.scale) {
      fail(node.name, 'the declared type is not what its op gives');
    }
  });
  graph.routes.forEach((id, block) => {
    const node = graph.nodes[id];
    if (node?.operation.op !== 'route' || node.operation.block !== block) {
      fail(node?.name ?? `${id}`, `must be the route of block ${block}`);
    }
  });
  const output = graph.nodes[graph.output];
  if (output?.type.kind !== 'features') {
    fail(output?.name ?? `${graph.output}`, 'the output must be a feature map');
  }
  graphWeights(graph);
  return graph;
}

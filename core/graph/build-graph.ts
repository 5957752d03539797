import { invariant, MambairError } from '../errors.js';
import type { Graph, GraphNode, NodeId, Operation, ValueType, WeightReference } from './graph.js';
import { valueTypeOf } from './shape-rules.js';
import { validateGraph } from './validate-graph.js';

/** The constants of an op, without its name. */
type Constants<Name extends Operation['op']> = Omit<Extract<Operation, { op: Name }>, 'op'>;

/** A weight as the builder's callers write it: the bias may be left out. */
export interface WeightAndBias {
  readonly weight: WeightReference;
  readonly bias?: WeightReference | undefined;
}

/**
 * Writes a network down node by node, in execution order. Every method checks the shape rules and returns the new
 * node's id. All throw MAMBAIR_GRAPH_INVALID, naming the node, for a name used twice or a rule broken.
 */
export class GraphBuilder {
  readonly #nodes: GraphNode[] = [];
  readonly #names = new Set<string>();

  /** The type of a node's value. */
  typeOf(id: NodeId): ValueType {
    const node = this.#nodes[id];
    invariant(node !== undefined, `node ${id} does not exist yet`);
    return node.type;
  }

  /** Appends any op; the named methods below are its short forms. */
  node(name: string, operation: Operation, ...inputs: NodeId[]): NodeId {
    if (this.#names.has(name)) {
      throw new MambairError('MAMBAIR_GRAPH_INVALID', `graph node "${name}": the name is already in use`, {
        detail: { node: name },
      });
    }
    const type = valueTypeOf(
      name,
      operation,
      inputs.map((id) => this.typeOf(id)),
    );
    this.#names.add(name);
    return this.#nodes.push({ name, operation, inputs, type }) - 1;
  }

  input(name: string, constants: Constants<'input'>): NodeId {
    return this.node(name, { op: 'input', ...constants });
  }

  affine(name: string, x: NodeId, constants: Constants<'affine'>): NodeId {
    return this.node(name, { op: 'affine', ...constants }, x);
  }

  /** A full k×k convolution; k is read from the weight `[out, in, k, k]`. */
  conv2d(name: string, x: NodeId, { weight, bias }: WeightAndBias): NodeId {
    return this.#convolution(name, x, weight, bias, false);
  }

  /** One k×k filter per channel; k is read from the weight `[C, 1, k, k]`. */
  depthwiseConv2d(name: string, x: NodeId, { weight, bias }: WeightAndBias): NodeId {
    return this.#convolution(name, x, weight, bias, true);
  }

  #convolution(
    name: string,
    x: NodeId,
    weight: WeightReference,
    bias: WeightReference | undefined,
    depthwise: boolean,
  ) {
    const kernelSize = weight.shape[2] ?? 0;
    return this.node(name, { op: 'conv2d', kernelSize, depthwise, weight, ...(bias === undefined ? {} : { bias }) }, x);
  }

  linear(name: string, x: NodeId, { weight, bias }: WeightAndBias): NodeId {
    return this.node(name, { op: 'linear', weight, ...(bias === undefined ? {} : { bias }) }, x);
  }

  layerNorm(name: string, x: NodeId, constants: Constants<'layerNorm'>): NodeId {
    return this.node(name, { op: 'layerNorm', ...constants }, x);
  }

  gelu(name: string, x: NodeId): NodeId {
    return this.node(name, { op: 'activation', function: 'gelu' }, x);
  }

  sigmoid(name: string, x: NodeId): NodeId {
    return this.node(name, { op: 'activation', function: 'sigmoid' }, x);
  }

  silu(name: string, x: NodeId): NodeId {
    return this.node(name, { op: 'activation', function: 'silu' }, x);
  }

  leakyRelu(name: string, x: NodeId, slope: number): NodeId {
    return this.node(name, { op: 'activation', function: 'leakyRelu', slope }, x);
  }

  add(name: string, a: NodeId, b: NodeId): NodeId {
    return this.node(name, { op: 'add' }, a, b);
  }

  multiply(name: string, a: NodeId, b: NodeId): NodeId {
    return this.node(name, { op: 'multiply' }, a, b);
  }

  scaleChannels(name: string, x: NodeId, weight: WeightReference): NodeId {
    return this.node(name, { op: 'scaleChannels', weight }, x);
  }

  sliceChannels(name: string, x: NodeId, constants: Constants<'sliceChannels'>): NodeId {
    return this.node(name, { op: 'sliceChannels', ...constants }, x);
  }

  windowAttention(name: string, qkv: NodeId, constants: Constants<'windowAttention'>): NodeId {
    return this.node(name, { op: 'windowAttention', ...constants }, qkv);
  }

  route(name: string, logits: NodeId, constants: Constants<'route'>): NodeId {
    return this.node(name, { op: 'route', ...constants }, logits);
  }

  sortByClass(name: string, classes: NodeId, constants: Constants<'sortByClass'>): NodeId {
    return this.node(name, { op: 'sortByClass', ...constants }, classes);
  }

  /** `inputs`: u, projection and, with a prompt, classes and order. */
  selectiveScan(name: string, inputs: readonly NodeId[], constants: Constants<'selectiveScan'>): NodeId {
    return this.node(name, { op: 'selectiveScan', ...constants }, ...inputs);
  }

  pixelShuffle(name: string, x: NodeId, factor: number): NodeId {
    return this.node(name, { op: 'pixelShuffle', factor }, x);
  }

  upsampleNearest(name: string, x: NodeId, factor: number): NodeId {
    return this.node(name, { op: 'upsampleNearest', factor }, x);
  }

  /** The finished graph. @throws MAMBAIR_GRAPH_INVALID see {@link validateGraph}. */
  finish(output: NodeId): Graph {
    const routes = this.#nodes.flatMap((node, id) => (node.operation.op === 'route' ? [id] : []));
    return validateGraph({ nodes: this.#nodes, output, routes });
  }
}

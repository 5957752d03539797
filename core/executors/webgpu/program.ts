import { invariant } from '../../errors.js';
import type { Graph, GraphNode, NodeId, Operation } from '../../graph/graph.js';
import { cropPass } from '../../ops/input/webgpu.js';
import { codesBytes, readCodesPass, writeCodesPass } from '../../ops/picture-codes/webgpu.js';
import type { BufferReference, GpuOperand, GpuPass, RoutingKind } from '../../ops/webgpu-kernel.js';
import { fusedWebgpuKernelOf, webgpuKernelOf } from '../../ops/webgpu-kernels.js';
import type { CodedPictures } from '../../tensor/coded-picture.js';
import type { Precision } from '../../tensor/tensor.js';
import { plan, type Plan, type PlanCall } from '../../plan/plan.js';

/** What a program is made for: one size, one way of routing, one set of values that are wanted. */
export interface ProgramKey {
  readonly height: number;
  readonly width: number;
  readonly routing: RoutingKind;
  readonly precision: Precision;
  readonly keep: readonly NodeId[];
  /** Codes that are run instead of an image, and what comes out. */
  readonly codes?: CodedPictures;
}

/** A graph at one size as passes over numbered buffers. Plain data: nothing here touches a device. */
export interface GpuProgram {
  readonly plan: Plan;
  /** Values that are stored as halves. */
  readonly halves: ReadonlySet<NodeId>;
  readonly passes: readonly GpuPass[];
  /** The node whose value each pass makes; undefined for what is done with pictures before and after. */
  readonly nodes: readonly (NodeId | undefined)[];
  /** Values a pass writes, to judge how long it takes. */
  readonly work: readonly number[];
  /** Bytes of the buffers that values and temporaries share by lifetime. */
  readonly bufferBytes: readonly number[];
  /** The buffer of a value. */
  readonly valueBuffer: ReadonlyMap<NodeId, number>;
  /** The buffer of a temporary. */
  readonly temporaryBuffer: readonly number[];
  readonly imageBytes: number;
  readonly resultBytes: number;
  /** Bytes of codes that go in, of what clamping takes away, and of codes that come out; 0 without codes. */
  readonly codes: { readonly sourceBytes: number; readonly clippedBytes: number; readonly targetBytes: number };
  /** Numbers of the result, without what a buffer has at least. */
  readonly resultValues: number;
  /** Of each routing block: noise or classes that are given. */
  readonly routeDataBytes: readonly number[];
}

/** Nothing is smaller: WebGPU wants bindings of more than nothing, and kernels write whole vectors. */
const leastBytes = 256;

/** Maps of fewer channels are pictures, or nearly: they keep all bits that a picture may have, and cost little. */
const fewestHalves = 8;

/**
 * The values that a precision stores as halves: whole maps that their kernel can write so. What a router reads stays
 * float32, as its decisions hang on differences; and so does the result.
 */
function valuesInHalves(graph: Graph, precision: Precision): ReadonlySet<NodeId> {
  if (precision === 'f32') {
    return new Set();
  }
  const node = (id: NodeId) => graph.nodes[id] as GraphNode;
  const baseOf = (id: NodeId): NodeId => {
    const { operation, inputs } = node(id);
    return operation.op === 'sliceChannels' ? baseOf(inputs[0] as NodeId) : id;
  };
  const precise = new Set([graph.output, ...graph.routes.map((id) => node(id).inputs[0] as NodeId)].map(baseOf));
  const ids = graph.nodes.keys();
  return new Set(
    [...ids].filter((id) => {
      const { operation, type } = node(id);
      const canWrite = webgpuKernelOf(operation).writesHalves?.(operation, type.channels) ?? false;
      return type.kind === 'features' && type.channels >= fewestHalves && canWrite && !precise.has(id);
    }),
  );
}

/** Where a node's value is: of which buffer, from which channel on. */
export function operandOf(
  graph: Graph,
  { plan: { placements, height, width }, halves }: Pick<GpuProgram, 'plan' | 'halves'>,
  id: NodeId,
): GpuOperand {
  const { type, name } = graph.nodes[id] as GraphNode;
  let start = 0;
  let base = id;
  let placement = placements[base];
  while (placement?.kind === 'view') {
    start += placement.start;
    base = placement.of;
    placement = placements[base];
  }
  invariant(placement?.kind === 'buffer' || placement?.kind === 'strip', `${name} has no place`);
  return {
    buffer: { kind: 'value', id: base },
    start,
    stride: placement.stride,
    channels: type.channels,
    height: height * type.scale,
    width: width * type.scale,
    isHalf: halves.has(base),
  };
}

/**
 * The plan that the CPU runs, in strips as large as the map: pairs of ops that run as one, views, strides.
 * Which buffer a value has is decided here by the order of the calls, because a GPU binds buffers, each within a limit,
 * and may not write to one that it reads.
 */
function planFor(graph: Graph, { height, width, keep }: ProgramKey, multiple: number): Plan {
  const padded = (size: number) => Math.ceil(size / multiple) * multiple;
  return plan(graph, padded(height), padded(width), {
    channelMultiple: 4,
    stripTargetBytes: Number.MAX_SAFE_INTEGER,
    canFuse: (first, second) => {
      const [a, b] = [graph.nodes[first] as GraphNode, graph.nodes[second] as GraphNode];
      return fusedWebgpuKernelOf(a.operation, b.operation) !== undefined;
    },
    keep: [...keep, graph.output],
  });
}

/** Makes the program of a graph at one size. Pure; the same for the same arguments. */
export function makeProgram(graph: Graph, key: ProgramKey): GpuProgram {
  const first = graph.nodes[0]?.operation;
  invariant(first?.op === 'input', 'the first node is the input');
  const made = planFor(graph, key, first.multiple);
  const halves = valuesInHalves(graph, key.precision);
  const operand = (id: NodeId): GpuOperand => operandOf(graph, { plan: made, halves }, id);
  const blocks: Block[] = [];
  const passes: GpuPass[] = [];
  const nodeOf: NodeId[] = [];
  const work: number[] = [];
  const temporaries: number[] = [];
  if (key.codes !== undefined) {
    passes.push(readCodesPass(key.codes.source));
    work.push(key.height * key.width);
  }
  const before = passes.length;
  const calls = made.steps.flatMap(({ calls: own }) => own);
  const lastCall = lastCalls(graph, calls, operand, [...key.keep, graph.output]);
  for (const [call, { nodes, inputs, output: id }] of calls.entries()) {
    const output = operand(id);
    const size = output.height * output.width;
    blocks.push({
      id,
      bytes: size * output.stride * (output.isHalf ? 2 : 4),
      first: call,
      last: lastCall.get(id) ?? call,
    });
    const temporary = (words: number): BufferReference => {
      temporaries.push(blocks.length);
      blocks.push({ id: undefined, bytes: words * 4, first: call, last: call });
      return { kind: 'temporary', index: temporaries.length - 1 };
    };
    const operations = nodes.map((node) => (graph.nodes[node] as GraphNode).operation);
    const [operation, second] = operations;
    invariant(operation, 'a call has a node');
    const kernel = second === undefined ? webgpuKernelOf(operation) : fusedWebgpuKernelOf(operation, second);
    invariant(kernel, 'pairs are only made where a kernel runs them');
    const own = kernel.passes({
      operation,
      inputs: inputs.map(operand),
      output,
      weight: (index) => ({ kind: 'weight', id: nodes[0], index }),
      weightsHalf: key.precision === 'f16' && weighsInHalves(operation),
      temporary,
      routing: key.routing,
      image: key,
    });
    passes.push(...own);
    nodeOf.push(...own.map(() => id));
    work.push(...own.map(() => size * output.stride));
  }
  const { type } = graph.nodes[graph.output] as GraphNode;
  const resultSize = { height: key.height * type.scale, width: key.width * type.scale };
  passes.push(cropPass(operand(graph.output), resultSize));
  const resultValues = resultSize.height * resultSize.width * type.channels;
  work.push(resultValues);
  if (key.codes !== undefined) {
    passes.push(writeCodesPass(key.codes.target, type.scale));
    work.push(resultValues);
  }

  const { bufferOf, bufferBytes } = shareBuffers(blocks);
  return {
    plan: made,
    halves,
    passes,
    nodes: passes.map((_, at) => nodeOf[at - before]),
    work,
    bufferBytes,
    valueBuffer: new Map(blocks.flatMap(({ id }, at) => (id === undefined ? [] : [[id, bufferOf[at] as number]]))),
    temporaryBuffer: temporaries.map((at) => bufferOf[at] as number),
    imageBytes: Math.max(leastBytes, key.height * key.width * first.channels * 4),
    resultBytes: Math.max(leastBytes, resultValues * 4),
    resultValues,
    codes: sizesOf(key, first.channels),
    routeDataBytes: routeDataBytes(graph, made, key.routing),
  };
}

function sizesOf({ codes, height, width }: ProgramKey, channels: number): GpuProgram['codes'] {
  if (codes === undefined) {
    return { sourceBytes: 0, clippedBytes: 0, targetBytes: 0 };
  }
  return {
    sourceBytes: Math.max(leastBytes, codesBytes(codes.source)),
    clippedBytes: Math.max(leastBytes, height * width * channels * 4),
    // The word that tells of values that are not finite.
    targetBytes: Math.max(leastBytes, codesBytes(codes.target) + 4),
  };
}

/** Whether the kernel of an op reads its weights as halves where the precision is f16. */
export function weighsInHalves(operation: Operation): boolean {
  return webgpuKernelOf(operation).weighsInHalves?.(operation) ?? false;
}

/** A value or temporary that is wanted from one call to another. */
interface Block {
  readonly id: NodeId | undefined;
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

/** The last call that reads each value; a view's readers read what it looks at. */
function lastCalls(
  graph: Graph,
  calls: readonly PlanCall[],
  operand: (id: NodeId) => GpuOperand,
  keep: readonly NodeId[],
): ReadonlyMap<NodeId, number> {
  const last = new Map<NodeId, number>();
  const use = (id: NodeId, call: number): void => {
    const { buffer } = operand(id);
    invariant(buffer.kind === 'value', `${graph.nodes[id]?.name} is a value`);
    last.set(buffer.id, Math.max(last.get(buffer.id) ?? 0, call));
  };
  for (const [call, { inputs }] of calls.entries()) {
    for (const input of inputs) {
      use(input, call);
    }
  }
  for (const id of keep) {
    use(id, calls.length);
  }
  return last;
}

/** Gives blocks that are never wanted at the same time one buffer: largest first, so that a buffer has its first's size. */
function shareBuffers(blocks: readonly Block[]): { bufferOf: readonly number[]; bufferBytes: readonly number[] } {
  const bufferOf = new Array<number>(blocks.length).fill(0);
  const users: Block[][] = [];
  const order = blocks.map((_, at) => at);
  order.sort((a, b) => (blocks[b] as Block).bytes - (blocks[a] as Block).bytes || a - b);
  for (const at of order) {
    const block = blocks[at] as Block;
    const isFree = (others: readonly Block[]) =>
      others.every(({ first, last }) => last < block.first || first > block.last);
    let buffer = users.findIndex(isFree);
    if (buffer < 0) {
      buffer = users.push([]) - 1;
    }
    users[buffer]?.push(block);
    bufferOf[at] = buffer;
  }
  const bufferBytes = users.map(([largest]) => Math.max(leastBytes, Math.ceil((largest?.bytes ?? 0) / 16) * 16));
  return { bufferOf, bufferBytes };
}

function routeDataBytes(graph: Graph, { height, width }: Plan, routing: RoutingKind): readonly number[] {
  return graph.routes.map((id) => {
    const operation = graph.nodes[id]?.operation;
    invariant(operation?.op === 'route', 'routes name route nodes');
    const words = routing === 'replay' ? operation.tokens : routing === 'forced' ? 1 : 0;
    return height * width * words * 4;
  });
}

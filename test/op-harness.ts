import type { Executor, Routing } from '../core/executors/executor.js';
import { GraphBuilder } from '../core/graph/build-graph.js';
import type { Graph, GraphNode } from '../core/graph/graph.js';
import { type CaseRouting, type OpCase, within } from '../core/ops/op-case.js';
import { paddedSize } from '../core/ops/pad-mirror/reference.js';
import { seededNoise } from '../core/routing/noise.js';
import type { Tensor, TensorMap } from '../core/tensor/tensor.js';
import { numbersOf, SeededWeights } from './seeded-weights.js';

// Looked up once: in a vm context, such as a test runner's, a global costs more than the arithmetic around it.
const { abs, max } = Math;

/** How a case gets its image: in memory of its own, or as channels in the middle of a wider map. */
export type CaseInputs = 'copies' | 'views';

/** The value of a case's node under test. */
export interface CaseResult {
  readonly node: GraphNode;
  /** `[1, H, W, C]`, padded size. */
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
  /** The value for an image of NaN, if that went first. */
  readonly soiled: Float32Array | Int32Array | undefined;
}

/** Cases of one size, side by side in one graph, since starting an executor's threads costs more than most cases. */
interface Bundle {
  readonly graph: Graph;
  readonly tensors: TensorMap;
  readonly input: Tensor;
  readonly routing: Routing;
  /** Case id → the node under test. */
  readonly tested: ReadonlyMap<string, GraphNode>;
}

/** The image of a case, planar `[channels, height, width]`. */
export function caseImage({ id, channels, height, width, values = within(1) }: OpCase): Float32Array {
  const random = numbersOf(`${id}/image`);
  const image = new Float32Array(channels * height * width);
  let at = 0;
  for (let channel = 0; channel < channels; channel += 1) {
    for (let pixel = 0; pixel < height * width; pixel += 1) {
      image[at] = values(random, { channel, pixel });
      at += 1;
    }
  }
  return image;
}

function bundle(cases: readonly OpCase[], inputs: CaseInputs): Bundle {
  const { height, width, multiple = 1, routing = { kind: 'argmax' } } = cases[0] as OpCase;
  const graph = new GraphBuilder();
  const weights = new SeededWeights();
  const channels = cases.reduce((sum, each) => sum + each.channels, 0);
  const source = graph.input('input', { channels, multiple });
  let start = 0;
  let blocks = 0;
  const nodes = cases.map((each) => {
    const name = (part: string) => `${each.id}/${part}`;
    const view = graph.sliceChannels(name('view'), source, { start, channels: each.channels });
    start += each.channels;
    const ones = Array.from({ length: each.channels }, () => 1);
    const copy = () => graph.affine(name('copy'), view, { scale: ones, offset: ones.map(() => 0) });
    return each.build({
      graph,
      image: inputs === 'views' ? view : copy(),
      name,
      nextBlock: () => blocks++,
      weight: (part, shape, draw) => weights.weight(name(part), shape, draw),
    });
  });
  const finished = graph.finish(source);
  const data = new Float32Array(channels * height * width);
  let filled = 0;
  for (const each of cases) {
    data.set(caseImage(each), filled);
    filled += each.channels * height * width;
  }
  const pixels = paddedSize(height, multiple) * paddedSize(width, multiple);
  return {
    graph: finished,
    tensors: weights.tensors,
    input: { shape: [1, channels, height, width], data },
    routing: routingOf(finished, routing, pixels),
    tested: new Map(cases.map(({ id }, index) => [id, finished.nodes[nodes[index] as number] as GraphNode])),
  };
}

/** Noise and classes for a graph's route nodes; the noise's seed and the classes' pattern are arbitrary. */
export function routingOf(graph: Graph, routing: CaseRouting, pixels: number): Routing {
  const tokens = graph.routes.map((id) => {
    const operation = graph.nodes[id]?.operation;
    return operation?.op === 'route' ? operation.tokens : 0;
  });
  switch (routing.kind) {
    case 'argmax':
      return { kind: 'argmax' };
    case 'seeded':
      return routing;
    case 'replay': {
      const region = { seed: 77, originX: 0, originY: 0, width: pixels, height: 1 };
      const noise = tokens.map((count, block) => Float32Array.from(seededNoise({ ...region, block, tokens: count })));
      return { kind: 'replay', noise };
    }
    case 'forced': {
      const classes = tokens.map((count, block) => {
        const random = numbersOf(`classes ${block}`);
        return Int32Array.from({ length: pixels }, () => Math.floor(random() * count));
      });
      return { kind: 'forced', classes };
    }
  }
}

/** Cases that can share a graph and a run. */
function bundlesOf(cases: readonly OpCase[]): readonly (readonly OpCase[])[] {
  const bundles = new Map<string, OpCase[]>();
  for (const each of cases) {
    const { height, width, multiple = 1, routing } = each;
    const key = JSON.stringify([height, width, multiple, routing]);
    bundles.set(key, [...(bundles.get(key) ?? []), each]);
  }
  return [...bundles.values()];
}

/**
 * Runs cases on an executor; results by id. With `soiled`, an image of NaN goes through the network first: what it
 * leaves in memory must not show.
 */
export async function runCases(
  executor: Executor,
  cases: readonly OpCase[],
  { inputs = 'copies', soiled = false }: { readonly inputs?: CaseInputs; readonly soiled?: boolean } = {},
): Promise<ReadonlyMap<string, CaseResult>> {
  const results = new Map<string, CaseResult>();
  for (const group of bundlesOf(cases)) {
    const { graph, tensors, input, routing, tested } = bundle(group, inputs);
    const taps = [...new Set([...tested.values()].map(({ name }) => name))];
    const network = await executor.load(graph, tensors);
    const nothing = { shape: input.shape, data: new Float32Array(input.data.length).fill(Number.NaN) };
    const before = soiled ? (await network.run(nothing, { routing, taps })).taps : undefined;
    const values = (await network.run(input, { routing, taps })).taps;
    await network.dispose();
    for (const [id, node] of tested) {
      const { shape = [], data = new Float32Array() } = values.get(node.name) ?? {};
      results.set(id, { node, shape, data, soiled: before?.get(node.name)?.data });
    }
  }
  return results;
}

/** The distance of two maps, in the units of an error bound; NaN where one has no number. */
export function distanceOf(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
): { readonly maxAbs: number; readonly relative: number } {
  let farthest = 0;
  let largest = 1;
  let squares = 0;
  let norm = 0;
  for (let at = 0; at < expected.length; at += 1) {
    const value = expected[at] as number;
    const difference = abs((found[at] as number) - value);
    farthest = difference <= farthest ? farthest : difference;
    largest = max(largest, abs(value));
    squares += difference * difference;
    norm += value * value;
  }
  return { maxAbs: farthest / largest, relative: squares === 0 ? 0 : Math.sqrt(squares / norm) };
}

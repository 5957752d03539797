import { MambairError } from '../errors.js';
import type { Graph, GraphNode } from '../graph/graph.js';
import { elementCount, type Tensor } from '../tensor/tensor.js';
import type { Routing, RunOptions } from './executor.js';

/** The sizes of one run. */
export interface RunSizes {
  readonly batch: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Padded to the network's multiple. */
  readonly paddedHeight: number;
  readonly paddedWidth: number;
}

function mismatch(message: string): MambairError {
  return new MambairError('MAMBAIR_SHAPE_MISMATCH', message);
}

/** Sizes of an input image. @throws MAMBAIR_SHAPE_MISMATCH unless it is `[B, C, h, w]` with the network's C. */
export function checkInput(graph: Graph, input: Tensor): RunSizes {
  const { channels, multiple } = inputOf(graph);
  const [batch = 0, given = 0, height = 0, width = 0] = input.shape;
  const isImage = input.shape.length === 4 && input.shape.every((size) => Number.isSafeInteger(size) && size >= 1);
  if (!isImage || given !== channels) {
    throw mismatch(
      `the network needs an image tensor [B, ${channels}, h, w], got [${input.shape.join(', ')}]` +
        (isImage ? `; its colour channels must be ${channels === 1 ? 'one, gray' : channels}` : ''),
    );
  }
  if (elementCount(input.shape) !== input.data.length) {
    throw mismatch(
      `an input of shape [${input.shape.join(', ')}] needs ${elementCount(input.shape)} values, got ${input.data.length}`,
    );
  }
  const padded = (size: number) => Math.ceil(size / multiple) * multiple;
  return { batch, channels, height, width, paddedHeight: padded(height), paddedWidth: padded(width) };
}

/** Channels and padding multiple of a network's input. */
export function inputOf(graph: Graph): { readonly channels: number; readonly multiple: number } {
  const operation = graph.nodes[0]?.operation;
  if (operation?.op !== 'input') {
    throw new MambairError('MAMBAIR_GRAPH_INVALID', 'the first node of a graph must be its input');
  }
  return operation;
}

/**
 * Checks what a run asks for against the network; `takesGiven` is for executors that take given values.
 * @throws MAMBAIR_OPTION_INVALID for a seed or origin that is no uint32, or a tap the network does not have;
 * MAMBAIR_SHAPE_MISMATCH for replayed noise or forced classes of another size or range.
 */
export function checkRunOptions(graph: Graph, sizes: RunSizes, options: RunOptions, takesGiven = false): void {
  const { batch, paddedHeight, paddedWidth } = sizes;
  if (options.given !== undefined && !takesGiven) {
    throw new MambairError('MAMBAIR_OPTION_INVALID', 'only the executor webgpu takes given values');
  }
  const nodes = new Map(graph.nodes.map((node) => [node.name, node]));
  const given = [...(options.given ?? [])];
  const unknown = [...(options.taps ?? []), ...given.map(([name]) => name)].find((name) => !nodes.has(name));
  if (unknown !== undefined) {
    throw new MambairError(
      'MAMBAIR_OPTION_INVALID',
      `the network has no inner value named ${JSON.stringify(unknown)}`,
      {
        detail: { tap: unknown },
      },
    );
  }
  for (const [name, { length }] of given) {
    const { type, operation } = nodes.get(name) as GraphNode;
    const expected = paddedHeight * paddedWidth * type.scale ** 2 * type.channels;
    if (length !== expected || batch !== 1 || operation.op === 'sliceChannels') {
      throw mismatch(
        `the given value of ${name} must hold ${expected} numbers for one picture, and not be a part of another value; it holds ${length} for ${batch}`,
      );
    }
  }
  const tokens = graph.routes.map((id) => {
    const operation = graph.nodes[id]?.operation;
    return operation?.op === 'route' ? operation.tokens : 0;
  });
  checkRouting(options.routing, tokens, batch * paddedHeight * paddedWidth);
}

function checkRouting(routing: Routing, tokens: readonly number[], pixels: number): void {
  if (routing.kind === 'seeded') {
    const { seed, originX = 0, originY = 0 } = routing;
    for (const [name, value] of Object.entries({ seed, originX, originY })) {
      if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) {
        throw new MambairError(
          'MAMBAIR_OPTION_INVALID',
          `routing ${name} must be a whole number from 0 to 4294967295, got ${value}`,
        );
      }
    }
    return;
  }
  if (routing.kind === 'argmax') {
    return;
  }
  const given = routing.kind === 'replay' ? routing.noise : routing.classes;
  const what = routing.kind === 'replay' ? 'replayed noise' : 'forced classes';
  if (given.length !== tokens.length) {
    throw mismatch(
      `${what} must be given for each of the network's ${tokens.length} routing blocks, got ${given.length}`,
    );
  }
  given.forEach((values, block) => {
    const count = tokens[block] as number;
    const expected = routing.kind === 'replay' ? pixels * count : pixels;
    if (values.length !== expected) {
      throw mismatch(
        `${what} of block ${block} must hold ${expected} values (padded pixels of the whole batch), got ${values.length}`,
      );
    }
    if (routing.kind === 'forced' && !values.every((value) => value >= 0 && value < count)) {
      throw mismatch(`forced classes of block ${block} must be from 0 to ${count - 1}`);
    }
  });
}

import { MambairError } from '../errors.js';
import type { Operation, ValueType, WeightReference } from './graph.js';

/** The error of every broken rule: which node, what it needs. */
function invalid(name: string, message: string): MambairError {
  return new MambairError('MAMBAIR_GRAPH_INVALID', `graph node "${name}": ${message}`, { detail: { node: name } });
}

function describe(type: ValueType): string {
  return `${type.kind} of ${type.channels} channels at scale ${type.scale}`;
}

function isPositiveInteger(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}

/** Rules of one node: looks up its inputs and states what must hold, always naming the node. */
class Rules {
  readonly name: string;
  readonly inputs: readonly ValueType[];

  constructor(name: string, inputs: readonly ValueType[]) {
    this.name = name;
    this.inputs = inputs;
  }

  require(condition: boolean, message: string): void {
    if (!condition) {
      throw invalid(this.name, message);
    }
  }

  positive(value: number, what: string): void {
    this.require(isPositiveInteger(value), `${what} must be a whole number of at least 1, is ${value}`);
  }

  /** The inputs' types, of the kinds named. */
  take(...kinds: ValueType['kind'][]): ValueType[] {
    this.require(
      this.inputs.length === kinds.length,
      `needs ${kinds.length} inputs (${kinds.join(', ')}), got ${this.inputs.length}`,
    );
    this.inputs.forEach((input, index) => {
      this.require(input.kind === kinds[index], `input ${index} must be ${kinds[index]}, is ${describe(input)}`);
    });
    return [...this.inputs];
  }

  one(kind: ValueType['kind'] = 'features'): ValueType {
    return this.take(kind)[0] as ValueType;
  }

  shape(weight: WeightReference, ...expected: readonly (readonly number[])[]): void {
    const text = weight.shape.join(', ');
    this.require(
      expected.some((shape) => shape.join(', ') === text),
      `weight "${weight.key}" must have shape [${expected.map((shape) => shape.join(', ')).join('] or [')}], is declared [${text}]`,
    );
  }

  bias(bias: WeightReference | undefined, size: number): void {
    if (bias !== undefined) {
      this.shape(bias, [size]);
    }
  }
}

/** Rows of a linear weight `[out, in]`, also written `[out, in, 1, 1]` (1×1 convolution) or `[1, out, in]`. */
function linearOutputChannels(weight: WeightReference): number {
  const { shape } = weight;
  return (shape.length === 3 ? shape[1] : shape[0]) ?? 0;
}

/**
 * The type of a node's value; the shape rules of the whole op vocabulary.
 * @throws MAMBAIR_GRAPH_INVALID naming the node, when inputs, constants or weight shapes do not fit the op.
 */
export function valueTypeOf(name: string, operation: Operation, inputs: readonly ValueType[]): ValueType {
  const rules = new Rules(name, inputs);
  switch (operation.op) {
    case 'input': {
      rules.take();
      rules.positive(operation.channels, 'channels');
      rules.positive(operation.multiple, 'multiple');
      return { kind: 'features', channels: operation.channels, scale: 1 };
    }
    case 'affine': {
      const x = rules.one();
      for (const values of [operation.scale, operation.offset]) {
        rules.require(
          values.length === x.channels && values.every((value) => Number.isFinite(value)),
          `needs ${x.channels} finite scales and offsets, one per channel`,
        );
      }
      return x;
    }
    case 'conv2d': {
      const x = rules.one();
      const { kernelSize: k, depthwise, weight } = operation;
      rules.positive(k, 'kernelSize');
      rules.require(k % 2 === 1, `kernelSize must be odd, is ${k}`);
      const out = weight.shape[0] ?? 0;
      rules.positive(out, 'output channels');
      rules.shape(weight, depthwise ? [x.channels, 1, k, k] : [out, x.channels, k, k]);
      rules.bias(operation.bias, out);
      return { ...x, channels: out };
    }
    case 'linear': {
      const x = rules.one();
      const out = linearOutputChannels(operation.weight);
      rules.positive(out, 'output channels');
      rules.shape(operation.weight, [out, x.channels], [out, x.channels, 1, 1], [1, out, x.channels]);
      rules.bias(operation.bias, out);
      return { ...x, channels: out };
    }
    case 'layerNorm': {
      const x = rules.one();
      rules.shape(operation.weight, [x.channels]);
      rules.shape(operation.bias, [x.channels]);
      return x;
    }
    case 'activation': {
      rules.require(
        operation.function === 'leakyRelu' ? Number.isFinite(operation.slope) : operation.slope === undefined,
        'leakyRelu needs a finite slope; other functions have none',
      );
      return rules.one();
    }
    case 'add':
    case 'multiply': {
      const [a, b] = rules.take('features', 'features') as [ValueType, ValueType];
      rules.require(
        a.channels === b.channels && a.scale === b.scale,
        `both inputs must have one type, got ${describe(a)} and ${describe(b)}`,
      );
      return a;
    }
    case 'scaleChannels': {
      const x = rules.one();
      rules.shape(operation.weight, [x.channels]);
      return x;
    }
    case 'sliceChannels': {
      const x = rules.one();
      const { start, channels } = operation;
      rules.positive(channels, 'channels');
      rules.require(
        Number.isSafeInteger(start) && start >= 0 && start + channels <= x.channels,
        `channels ${start} to ${start + channels - 1} are not all inside the input's ${x.channels}`,
      );
      return { ...x, channels };
    }
    case 'windowAttention': {
      const qkv = rules.one();
      const { windowSize, heads, shift } = operation;
      rules.positive(windowSize, 'windowSize');
      rules.positive(heads, 'heads');
      rules.require(
        Number.isSafeInteger(shift) && shift >= 0 && shift < windowSize,
        `shift ${shift} is outside a window`,
      );
      rules.require(
        qkv.scale === 1 && qkv.channels % (3 * heads) === 0,
        `needs q, k and v of a multiple of ${heads} channels each at scale 1, got ${describe(qkv)}`,
      );
      rules.shape(operation.biasTable, [(2 * windowSize - 1) ** 2, heads]);
      return { ...qkv, channels: qkv.channels / 3 };
    }
    case 'route': {
      const logits = rules.one();
      rules.positive(operation.tokens, 'tokens');
      rules.require(
        Number.isSafeInteger(operation.block) && operation.block >= 0,
        `block ${operation.block} is no number`,
      );
      rules.require(logits.channels === operation.tokens, `needs ${operation.tokens} logits, got ${describe(logits)}`);
      return { kind: 'indices', channels: 1, scale: logits.scale };
    }
    case 'sortByClass': {
      rules.positive(operation.classes, 'classes');
      return rules.one('indices');
    }
    case 'selectiveScan': {
      const [u, projection, ...indices] = rules.take(
        'features',
        'features',
        // A single class needs no sorting.
        ...((operation.prompt?.embeddingB.shape[0] ?? 1) === 1 ? [] : (['indices', 'indices'] as const)),
      ) as [ValueType, ValueType, ...ValueType[]];
      const { stateSize: n, dtRank: r } = operation;
      rules.positive(n, 'stateSize');
      rules.positive(r, 'dtRank');
      rules.require(
        [projection, ...indices].every((input) => input.scale === u.scale),
        'all inputs must have the same scale',
      );
      rules.require(
        projection.channels === r + 2 * n,
        `the projection must have dtRank + 2·stateSize = ${r + 2 * n} channels, has ${projection.channels}`,
      );
      rules.shape(operation.dtWeight, [1, u.channels, r]);
      rules.shape(operation.dtBias, [1, u.channels]);
      rules.shape(operation.aLogs, [u.channels, n]);
      rules.shape(operation.skip, [u.channels]);
      if (operation.prompt !== undefined) {
        const { embeddingB, embeddingA } = operation.prompt;
        const [classes = 0, rank = 0] = embeddingB.shape;
        rules.positive(classes, 'prompt classes');
        rules.positive(rank, 'prompt rank');
        rules.shape(embeddingB, [classes, rank]);
        rules.shape(embeddingA, [rank, n]);
      }
      return u;
    }
    case 'pixelShuffle': {
      const x = rules.one();
      const { factor } = operation;
      rules.positive(factor, 'factor');
      rules.require(x.channels % factor ** 2 === 0, `${x.channels} channels are no multiple of ${factor ** 2}`);
      return { ...x, channels: x.channels / factor ** 2, scale: x.scale * factor };
    }
    case 'upsampleNearest': {
      const x = rules.one();
      rules.positive(operation.factor, 'factor');
      return { ...x, scale: x.scale * operation.factor };
    }
  }
}

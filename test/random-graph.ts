import { GraphBuilder } from '../core/graph/build-graph.js';
import type { Graph, NodeId, ValueType } from '../core/graph/graph.js';
import { between, within } from '../core/ops/op-case.js';
import type { TensorMap } from '../core/tensor/tensor.js';
import { numbersOf, SeededWeights } from './seeded-weights.js';

/** A graph of every op, in an order that no network has. */
export interface RandomGraph {
  readonly graph: Graph;
  readonly tensors: TensorMap;
}

/** Writes about `length` ops, each on a recent or on any earlier value; the same for the same seed. */
export function randomGraph(seed: number, length: number): RandomGraph {
  return new RandomWriter(seed).write(length);
}

const windowSize = 4;

class RandomWriter {
  readonly #graph = new GraphBuilder();
  readonly #weights = new SeededWeights();
  readonly #random: () => number;
  readonly #seed: number;
  readonly #features: NodeId[] = [];
  #nodes = 0;
  #blocks = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = numbersOf(`graph ${seed}`);
  }

  write(length: number): RandomGraph {
    const image = this.#graph.input('input', { channels: this.#whole(1, 9), multiple: windowSize });
    this.#features.push(image);
    while (this.#nodes < length) {
      this.#features.push(this.#step(this.#any()));
    }
    // A norm keeps the output near 1 whatever was multiplied before.
    return { graph: this.#graph.finish(this.#norm(this.#features.at(-1) as NodeId)), tensors: this.#weights.tensors };
  }

  #whole(low: number, high: number): number {
    return low + Math.floor(this.#random() * (high - low + 1));
  }

  #one<Value>(values: readonly Value[]): Value {
    return values[this.#whole(0, values.length - 1)] as Value;
  }

  #any(): NodeId {
    return this.#random() < 0.6 ? (this.#features.at(-1) as NodeId) : this.#one(this.#features);
  }

  #type(id: NodeId): ValueType {
    return this.#graph.typeOf(id);
  }

  #name(): string {
    return `n${this.#nodes++}`;
  }

  #weight(shape: readonly number[], draw?: Parameters<SeededWeights['weight']>[2]) {
    return this.#weights.weight(`${this.#seed}.${this.#nodes}.${shape.join('x')}.${this.#whole(0, 1e9)}`, shape, draw);
  }

  #linear(x: NodeId, outputs: number): NodeId {
    const weight = this.#weight([outputs, this.#type(x).channels]);
    const bias = this.#random() < 0.5 ? this.#weight([outputs]) : undefined;
    return this.#graph.linear(this.#name(), x, { weight, bias });
  }

  #norm(x: NodeId): NodeId {
    const { channels } = this.#type(x);
    const [weight, bias] = [this.#weight([channels], between(0.5, 1.5)), this.#weight([channels])];
    return this.#graph.layerNorm(this.#name(), x, { weight, bias });
  }

  /** Another value of the same type, or the same. */
  #partner(x: NodeId): NodeId {
    const { channels, scale } = this.#type(x);
    return this.#one(
      this.#features.filter((id) => this.#type(id).channels === channels && this.#type(id).scale === scale),
    );
  }

  #step(x: NodeId): NodeId {
    const graph = this.#graph;
    const { channels, scale } = this.#type(x);
    const kind = this.#whole(0, 15);
    switch (kind) {
      case 0:
      case 1:
        return this.#linear(x, this.#whole(1, 20));
      case 2:
      case 3:
        return this.#norm(x);
      case 4: {
        const [out, k] = [this.#whole(1, 12), this.#one([1, 3, 5])];
        return graph.conv2d(this.#name(), x, { weight: this.#weight([out, channels, k, k]) });
      }
      case 5: {
        const k = this.#one([3, 5, 7]);
        return graph.depthwiseConv2d(this.#name(), x, { weight: this.#weight([channels, 1, k, k]) });
      }
      case 6:
        return graph.gelu(this.#name(), x);
      case 7:
        return this.#one([() => graph.silu(this.#name(), x), () => graph.leakyRelu(this.#name(), x, 0.2)])();
      case 8:
      case 9: {
        const y = this.#one([
          x,
          this.#linear(x, channels),
          graph.scaleChannels(this.#name(), x, this.#weight([channels])),
        ]);
        const other = this.#partner(x);
        return this.#one([() => graph.add(this.#name(), y, other), () => graph.add(this.#name(), other, y)])();
      }
      case 10:
        return graph.multiply(this.#name(), graph.sigmoid(this.#name(), x), this.#partner(x));
      case 11: {
        const start = this.#whole(0, channels - 1);
        return graph.sliceChannels(this.#name(), x, { start, channels: this.#whole(1, channels - start) });
      }
      case 12:
        return scale === 1 ? this.#attention(x) : this.#norm(x);
      case 13:
      case 14:
        return this.#scan(x);
      default: {
        if (scale > 2) {
          return this.#norm(x);
        }
        return this.#random() < 0.5
          ? graph.upsampleNearest(this.#name(), x, 2)
          : graph.pixelShuffle(this.#name(), this.#linear(x, 4 * this.#whole(1, 5)), 2);
      }
    }
  }

  #attention(x: NodeId): NodeId {
    const [heads, headSize] = [this.#whole(1, 3), this.#whole(1, 6)];
    return this.#graph.windowAttention(this.#name(), this.#linear(x, 3 * heads * headSize), {
      windowSize,
      heads,
      shift: this.#one([0, windowSize / 2]),
      biasTable: this.#weight([(2 * windowSize - 1) ** 2, heads]),
    });
  }

  #scan(x: NodeId): NodeId {
    const graph = this.#graph;
    // A scan multiplies its inputs three times: from unnormed values it would soon overflow.
    const u = this.#norm(x);
    const [states, rank, classes] = [this.#whole(1, 9), this.#whole(1, 4), this.#whole(1, 20)];
    const { channels, scale } = this.#type(u);
    const inputs = [u, this.#linear(u, rank + 2 * states)];
    // Noise and classes are given for maps of the input's size.
    const hasPrompt = scale === 1 && this.#random() < 0.7;
    if (hasPrompt && classes > 1) {
      const logits = this.#linear(this.#partner(u), classes);
      const route = graph.route(this.#name(), logits, { block: this.#blocks++, tokens: classes });
      inputs.push(route, graph.sortByClass(this.#name(), route, { classes }));
    }
    return graph.selectiveScan(this.#name(), inputs, {
      stateSize: states,
      dtRank: rank,
      dtWeight: this.#weight([1, channels, rank]),
      dtBias: this.#weight([1, channels], between(-5, 0)),
      aLogs: this.#weight([channels, states], between(-1, 2)),
      skip: this.#weight([channels], within(1)),
      ...(hasPrompt
        ? { prompt: { embeddingB: this.#weight([classes, 2]), embeddingA: this.#weight([2, states]) } }
        : {}),
    });
  }
}

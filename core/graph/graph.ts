/**
 * The op vocabulary: a network as a value, at the level at which the papers speak. A graph knows no size, no device
 * and no numbers; weights are named by their checkpoint keys.
 *
 * Every value is a *feature map* of one image: `[H, W, C]`, channel-last, raster order (token l = y·W + x), or a map
 * of integers with one value per pixel. Batch items are independent and run one after the other.
 */

/** Index of a node in {@link Graph.nodes}; a node may only read nodes before it. */
export type NodeId = number;

/** A weight by its checkpoint key, with the exact shape the op needs. */
export interface WeightReference {
  readonly key: string;
  readonly shape: readonly number[];
}

/** What flows along an edge. `scale` is the value's side length in units of the *padded* input's. */
export interface ValueType {
  readonly kind: 'features' | 'indices';
  /** Channels; 1 for indices. */
  readonly channels: number;
  /** Output pixels per padded input pixel and axis: 1 inside, 2, 3, 4 in the head, 1/2 in U-shaped nets. */
  readonly scale: number;
}

/** Channel-wise functions. GELU is the exact erf form. */
export type ActivationFunction = 'gelu' | 'silu' | 'sigmoid' | 'leakyRelu';

/**
 * The closed list of ops. Formulas: the plain loops in `core/ops/<op>/reference.ts`.
 * Weight roles are optional where marked; a missing bias is zero.
 */
export type Operation =
  /** The image as given, `[h, w, channels]`; padded by mirroring (edge repeated, bottom and right) to `multiple`. */
  | { readonly op: 'input'; readonly channels: number; readonly multiple: number }
  /** y = x·scale[c] + offset[c], constants of the network rather than weights. */
  | { readonly op: 'affine'; readonly scale: readonly number[]; readonly offset: readonly number[] }
  /** Cross-correlation, stride 1, zero padding (k−1)/2. weight [out, in, k, k], or [C, 1, k, k] when depthwise. */
  | {
      readonly op: 'conv2d';
      readonly kernelSize: number;
      readonly depthwise: boolean;
      readonly weight: WeightReference;
      readonly bias?: WeightReference;
    }
  /** y = x·Wᵀ + b per pixel. weight [out, in] (a 1×1 convolution's [out, in, 1, 1] has the same bytes). */
  | { readonly op: 'linear'; readonly weight: WeightReference; readonly bias?: WeightReference }
  /** Over the channels, biased variance, eps 1e-5. */
  | { readonly op: 'layerNorm'; readonly weight: WeightReference; readonly bias: WeightReference }
  | { readonly op: 'activation'; readonly function: ActivationFunction; readonly slope?: number }
  /** Sum of two maps of equal type. */
  | { readonly op: 'add' }
  /** Product of two maps of equal type. */
  | { readonly op: 'multiply' }
  /** y = x·weight[c]. */
  | { readonly op: 'scaleChannels'; readonly weight: WeightReference }
  /** Channels start … start + channels − 1 of the input. */
  | { readonly op: 'sliceChannels'; readonly start: number; readonly channels: number }
  /**
   * Multi-head attention inside windows of windowSize², cyclically shifted by `shift`, with relative position bias
   * [(2ws−1)², heads] and, iff shift > 0, the border mask. Input: q|k|v maps of 3C channels; output C, before `proj`.
   */
  | {
      readonly op: 'windowAttention';
      readonly windowSize: number;
      readonly heads: number;
      readonly shift: number;
      readonly biasTable: WeightReference;
    }
  /** Class per pixel: argmax over tokens of logits + routing noise. `block` is the noise's block number. */
  | { readonly op: 'route'; readonly block: number; readonly tokens: number }
  /** order[p] = the pixel at place p of a stable counting sort by class. */
  | { readonly op: 'sortByClass'; readonly classes: number }
  /**
   * Mamba-1 selective scan along the order given. Inputs: u [L, D], projection [L, R + 2N] (Δ low-rank | B | C),
   * and with a `prompt` of several classes also class and order (indices). Output y in raster order: y[order[p]] is step p's.
   * The prompt embeddingB·embeddingA [T, N] is added to C by the class of *raster* pixel p at step p.
   */
  | {
      readonly op: 'selectiveScan';
      readonly stateSize: number;
      readonly dtRank: number;
      readonly dtWeight: WeightReference;
      readonly dtBias: WeightReference;
      readonly aLogs: WeightReference;
      readonly skip: WeightReference;
      readonly prompt?: { readonly embeddingB: WeightReference; readonly embeddingA: WeightReference };
    }
  /** [H, W, C·r²] → [H·r, W·r, C]: out[y·r+i][x·r+j][c] = in[y][x][c·r² + i·r + j]. */
  | { readonly op: 'pixelShuffle'; readonly factor: number }
  /** Each pixel repeated factor × factor times. */
  | { readonly op: 'upsampleNearest'; readonly factor: number };

export type OperationName = Operation['op'];

export interface GraphNode {
  /** The official module path, e.g. `layers.0.residual_group.layers.1.norm1`; unique in the graph. */
  readonly name: string;
  readonly operation: Operation;
  readonly inputs: readonly NodeId[];
  readonly type: ValueType;
}

/**
 * A whole network. `output` is cropped to the unpadded input's size × its scale by whoever runs the graph.
 * Node order is an execution order.
 */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly output: NodeId;
  /** Class counts of the `route` nodes, in block order: the tests and replayed noise are checked against it. */
  readonly routes: readonly NodeId[];
}

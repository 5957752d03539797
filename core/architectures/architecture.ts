import type { Graph } from '../graph/graph.js';
import type { TensorMap } from '../tensor/tensor.js';

/** What a network does, as far as its weights tell. `restore`: same size out, purpose unknown. */
export type Task = 'upscale' | 'denoise' | 'jpeg' | 'restore';

/** How to read a checkpoint. */
export interface RecogniseOptions {
  /** What keys and shapes cannot tell, by the official option names, e.g. `{ img_range: '255' }`. */
  readonly overrides?: Readonly<Record<string, string>> | undefined;
  /** Leave tensors which the network does not use aside instead of refusing the file. Default false. */
  readonly allowExtra?: boolean | undefined;
}

/** What people and the rest of the house want to know of a network. */
export interface ModelInfo {
  /** For people, e.g. `MambaIRv2 lightSR ×4`. */
  readonly title: string;
  /** The published configuration with exactly these hyper-parameters, e.g. `lightSR_x4`; several may share them. */
  readonly published: readonly string[];
  /** What it is for, as far as the weights tell. */
  readonly task: Task;
  /** Output pixels per input pixel and axis: 1 for restoration. */
  readonly scale: number;
  /** Channels it takes: 3 RGB, 1 luma. */
  readonly inputChannels: number;
  /** Channels it gives. */
  readonly outputChannels: number;
  /** The input is padded to multiples of this many pixels. */
  readonly multiple: number;
  /** Numbers the network learned; buffers not counted. */
  readonly parameters: number;
  /** Blocks that draw routing noise; 0 means that routing and seed have no effect. */
  readonly routedBlocks: number;
}

/** A checkpoint understood: which network it is, and the network itself. */
export interface RecognisedModel {
  /** Name of the {@link Architecture}, e.g. `mambairv2`. */
  readonly architecture: string;
  /** Every hyper-parameter, plain data. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly graph: Graph;
  readonly info: ModelInfo;
}

/** One family of networks: how to tell its checkpoints and how to build its graph. */
export interface Architecture {
  /** Folder name, e.g. `mambairv2`. */
  readonly name: string;
  /** The papers' name, e.g. `MambaIRv2`. */
  readonly title: string;
  /** Option names that {@link RecogniseOptions.overrides} may hold. */
  readonly overridable: readonly string[];
  /** Key lists of typical checkpoints: what an unknown file is compared with. */
  typicalKeys(): readonly Iterable<string>[];
  /** True when the tensors claim to be of this family; they may still be broken. */
  matches(tensors: TensorMap): boolean;
  /**
   * @throws MAMBAIR_ARCHITECTURE_BROKEN naming the tensors that are missing, misshaped or unknown;
   * MAMBAIR_OPTION_INVALID for an override that makes no sense.
   */
  recognise(tensors: TensorMap, options: RecogniseOptions): RecognisedModel;
}

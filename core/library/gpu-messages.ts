import type { ErrorCode, ErrorDetail } from '../errors.js';
import type { LoadOptions, PrecisionChoice, RunOptions, RunResult } from '../executors/executor.js';
import type { Graph } from '../graph/graph.js';
import type { CodedPictures } from '../tensor/coded-picture.js';
import type { StoredTensor, Tensor } from '../tensor/tensor.js';

/** What the GPU's process is asked; `id` is that of the answer. */
export type GpuRequest =
  | {
      readonly kind: 'load';
      readonly id: number;
      readonly graph: Graph;
      readonly weights: Map<string, StoredTensor>;
      readonly options: LoadOptions;
    }
  | {
      readonly kind: 'run';
      readonly id: number;
      readonly network: number;
      readonly input: Tensor;
      readonly options: Pick<RunOptions, 'routing' | 'taps' | 'given'>;
      readonly wantsProgress: boolean;
    }
  | {
      readonly kind: 'runCodes';
      readonly id: number;
      readonly network: number;
      readonly codes: Uint8Array;
      readonly pictures: CodedPictures;
      readonly options: Pick<RunOptions, 'routing'>;
      readonly wantsProgress: boolean;
    }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'dispose'; readonly id: number; readonly network: number };

/** What it answers. */
export type GpuAnswer =
  /** Once, when the device is there. */
  | { readonly kind: 'opened'; readonly description: string; readonly maxBindingBytes: number }
  | {
      readonly kind: 'loaded';
      readonly id: number;
      readonly weightBytes: number;
      readonly precision: PrecisionChoice;
    }
  | { readonly kind: 'ran'; readonly id: number; readonly result: RunResult }
  | { readonly kind: 'ranCodes'; readonly id: number; readonly codes: Uint8Array }
  | { readonly kind: 'progress'; readonly id: number; readonly done: number; readonly total: number }
  | { readonly kind: 'disposed'; readonly id: number }
  | {
      readonly kind: 'failed';
      /** Missing when the device could not be opened. */
      readonly id?: number;
      readonly code: ErrorCode;
      readonly message: string;
      readonly detail: ErrorDetail;
    };

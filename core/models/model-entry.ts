import type { Task } from '../architectures/architecture.js';

/** What a model of the catalogue is for. */
export type RestorationTask = Exclude<Task, 'restore'>;

/** One line of the model catalogue: what a user chooses by, and where the weights are. */
export interface ModelEntry {
  /** What users type: lower case, digits and hyphens. */
  readonly id: string;
  /**
   * `embedded`: in the package. `official`: the MambaIR authors' release, fetched on demand. `built-in`: code without
   * weights.
   */
  readonly origin: 'embedded' | 'official' | 'built-in';
  /** `restore` for the built-in models, which do nothing to a picture. */
  readonly task: Task;
  /** Output pixels per input pixel and axis; 1 for denoising and JPEG repair. */
  readonly scale: number;
  /** Channels the network takes: 3 RGB, 1 luma. */
  readonly channels: 1 | 3;
  /** File name inside the package's `models/` folder or the cache folder; empty for built-in models. */
  readonly file: string;
  /** One line for people. */
  readonly description: string;
  /** SPDX identifier of the weights' terms. */
  readonly license: string;
  /** Noise level (standard deviation, 8-bit units) the model was trained for; absent for blind models. */
  readonly sigma?: number;
  /** JPEG quality the model was trained for; absent for blind models. */
  readonly quality?: number;
  /** The published configuration that an official file must turn out to have, e.g. `lightSR_x4`. */
  readonly configuration?: string;
  /** Where an official file is published, in the order of trying. */
  readonly urls?: readonly string[];
  /** SHA-256 of the file as published, lower-case hexadecimal, where it is known. */
  readonly sha256?: string;
}

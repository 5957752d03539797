import type { ModelInfo } from '../architectures/architecture.js';
import { isMambairError, MambairError } from '../errors.js';
import type { ExecutorName, Network, Routing, RunOptions, RunResult } from '../executors/executor.js';
import type { PixelImage } from '../image/pixels.js';
import type { ListedModel } from '../models/catalogue.js';
import type { RestoreOptions } from '../restore/options.js';
import { createFrameRestorer, type FrameRestorer } from '../restore/restore-frames.js';
import type { Tensor } from '../tensor/tensor.js';
import type { FrameColour } from '../video/colour.js';
import type { FrameLayout } from '../video/pixel-format.js';
import type { Recovery } from './recovery.js';
import { restoreFile, type RestoredFile, type RestoreFileOptions } from './restore-file.js';
import { restorePicture, type RestoredPicture, type RestorePictureOptions, type Runner } from './restore-picture.js';

/** What is known of a loaded model. */
export interface LoadedModelInfo extends ModelInfo {
  /** The catalogue id or path it was loaded by, or `tensors`. */
  readonly name: string;
  /** Family, e.g. `mambairv2`. */
  readonly architecture: string;
  /** Every hyper-parameter, plain data. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The executor it runs on; another one after the first has failed. */
  readonly device: ExecutorName;
  /** One line for people: build, threads. */
  readonly deviceDescription: string;
  /** Why it runs there, where `auto` decided: a sentence. */
  readonly deviceReason?: string;
  /** A GPU that `auto` left aside because it is broken, and how: a sentence. */
  readonly deviceWarning?: string;
  /** What was odd about the checkpoint, in sentences. */
  readonly warnings: readonly string[];
  /** Its catalogue entry, when it was loaded by id. */
  readonly entry?: ListedModel;
}

/** How {@link Model.runTensor} runs. */
export interface RunTensorOptions extends Omit<RunOptions, 'routing'> {
  /** @default seeded with seed 0 */
  readonly routing?: Routing;
}

/** How frames are restored; everything has a default. */
export type RestoreFramesOptions = Partial<Omit<RestoreOptions, 'recover'>>;

/** A model in memory, ready to run. Calls may overlap: they queue up. Dispose of it when done: it holds threads. */
export interface Model extends AsyncDisposable {
  /** What is known of the network and of where it runs. */
  readonly info: LoadedModelInfo;
  /** The network itself: memory plans and raw runs. */
  readonly network: Network;
  /**
   * Restores one picture: a path, the bytes of an image file, or pixels at hand (8, 16 bit or float; alpha is kept).
   * @throws MAMBAIR_FILE_NOT_FOUND, MAMBAIR_IMAGE_UNREADABLE, MAMBAIR_IMAGE_UNSUPPORTED, MAMBAIR_IMAGE_TOO_LARGE,
   * MAMBAIR_OUT_OF_MEMORY, MAMBAIR_NOT_FINITE, MAMBAIR_OPTION_INVALID, MAMBAIR_CANCELLED, MAMBAIR_DISPOSED
   */
  restore(input: string | Uint8Array | PixelImage, options?: RestorePictureOptions): Promise<RestoredPicture>;
  /**
   * Restores an image file into another, with its profile, metadata and depth, rows streamed out. The format is that
   * of the output's name. The file appears whole or not at all.
   * @throws as {@link Model.restore}, and MAMBAIR_FILE_EXISTS, MAMBAIR_FILE_WRITE
   */
  restoreFile(input: string | Uint8Array, output: string, options?: RestoreFileOptions): Promise<RestoredFile>;
  /**
   * Runs the raw network on `[B, C, h, w]` in [0, 1]: no tiles, no clamping. If the device is lost, once more on the next.
   * @throws MAMBAIR_SHAPE_MISMATCH, MAMBAIR_OUT_OF_MEMORY, MAMBAIR_DEVICE_LOST, MAMBAIR_CANCELLED, MAMBAIR_DISPOSED
   */
  runTensor(input: Tensor, options?: RunTensorOptions): Promise<RunResult>;
  /**
   * Takes raw video frames of a layout (`frameLayout`) and colour through the model; made once for a clip. All frames
   * share one seed, so that what is still stays still.
   * @throws MAMBAIR_OPTION_INVALID, MAMBAIR_OUT_OF_MEMORY, MAMBAIR_DISPOSED
   */
  createFrameRestorer(layout: FrameLayout, colour: FrameColour, options?: RestoreFramesOptions): Promise<FrameRestorer>;
  /** Frees threads and memory. Running calls fail with MAMBAIR_DISPOSED; a second call does nothing. */
  dispose(): Promise<void>;
}

/** What {@link LoadedModel} is made of. */
export interface ModelParts {
  readonly info: LoadedModelInfo;
  /** The network, and what it goes on as when its device fails. */
  readonly running: Pick<Recovery, 'network' | 'dispose'> & Partial<Pick<Recovery, 'executor' | 'recover'>>;
  /** Takes frames through the network on a shorter way than by tensors. */
  readonly frameRestorer?: (
    layout: FrameLayout,
    colour: FrameColour,
    options: RestoreFramesOptions,
  ) => Promise<FrameRestorer>;
}

/** {@link Model} on an executor of its own. */
export class LoadedModel implements Model {
  readonly #parts: ModelParts;
  /** Told with the first result: loading has no other way to say it to people. */
  #warnings: Runner['warnings'];
  #isDisposed = false;

  constructor(parts: ModelParts) {
    this.#parts = parts;
    const { deviceWarning } = parts.info;
    this.#warnings =
      deviceWarning === undefined ? [] : [{ code: 'MAMBAIR_DEVICE_UNAVAILABLE', message: deviceWarning }];
  }

  get info(): LoadedModelInfo {
    const { info, running } = this.#parts;
    const { executor, network } = running;
    if (executor === undefined) {
      return info;
    }
    const { precision } = network;
    const numbers = precision === undefined ? '' : `, ${precision.name}: ${precision.reason}`;
    return { ...info, device: executor.name, deviceDescription: executor.description + numbers };
  }

  get network(): Network {
    if (this.#isDisposed) {
      throw new MambairError('MAMBAIR_DISPOSED', `the model ${this.info.name} was disposed of; load it again`);
    }
    return this.#parts.running.network;
  }

  async restore(
    input: string | Uint8Array | PixelImage,
    options: RestorePictureOptions = {},
  ): Promise<RestoredPicture> {
    return restorePicture(this.#runner(), input, options);
  }

  async restoreFile(
    input: string | Uint8Array,
    output: string,
    options: RestoreFileOptions = {},
  ): Promise<RestoredFile> {
    return restoreFile(this.#runner(), input, output, options);
  }

  async runTensor(input: Tensor, options: RunTensorOptions = {}): Promise<RunResult> {
    const { routing = { kind: 'seeded', seed: 0 }, ...rest } = options;
    const { network } = this;
    try {
      return await network.run(input, { routing, ...rest });
    } catch (error) {
      const { recover } = this.#parts.running;
      const recovered = isMambairError(error, 'MAMBAIR_DEVICE_LOST') ? await recover?.(network, error.code) : undefined;
      if (recovered === undefined) {
        throw error;
      }
      return recovered.network.run(input, { routing, ...rest });
    }
  }

  async createFrameRestorer(
    layout: FrameLayout,
    colour: FrameColour,
    options: RestoreFramesOptions = {},
  ): Promise<FrameRestorer> {
    const { network, recover, warnings } = this.#runner();
    for (const { code, message } of warnings) {
      options.warn?.(code, message);
    }
    if (this.#parts.frameRestorer !== undefined) {
      return this.#parts.frameRestorer(layout, colour, options);
    }
    return createFrameRestorer(network, layout, colour, {
      ...options,
      tile: options.tile ?? 'auto',
      routing: options.routing ?? 'seeded',
      ...(recover === undefined ? {} : { recover }),
    });
  }

  async dispose(): Promise<void> {
    if (!this.#isDisposed) {
      this.#isDisposed = true;
      await this.#parts.running.dispose();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  #runner(): Runner {
    const warnings = this.#warnings;
    const { network } = this;
    this.#warnings = [];
    return { network, recover: this.#parts.running.recover, warnings };
  }
}

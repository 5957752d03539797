import { invariant, MambairError, throwIfCancelled } from '../../errors.js';
import type { Graph, GraphNode, NodeId } from '../../graph/graph.js';
import { elementCount, type Precision, type Tensor, type TensorMap, tensor } from '../../tensor/tensor.js';
import { checkInput, checkRunOptions, inputOf, type RunSizes } from '../check-run.js';
import type { LoadOptions, MemoryReport, Network, PrecisionChoice, RunOptions, RunResult } from '../executor.js';
import { bindProgram, type BoundProgram, memoryReport, programBytes, runsAtOnce } from './bound-program.js';
import { loadInBestPrecision } from './choose-precision.js';
import type { GpuBuffer } from './gpu.js';
import { codesBytes } from '../../ops/picture-codes/webgpu.js';
import type { CodedPictures } from '../../tensor/coded-picture.js';
import { type LoadedWeights, loadWeights } from './loaded-weights.js';
import type { OpenedDevice } from './opened-device.js';
import { type GpuProgram, makeProgram, type ProgramKey } from './program.js';
import { Submitter } from './submitter.js';
import { readMapped, readValue, writeRouting, writeValue } from './transfer.js';

/** A network on a GPU: its weights there, buffers and passes for each input size. */
export class WebgpuNetwork implements Network {
  readonly scale: number;
  readonly inputChannels: number;
  readonly outputChannels: number;
  #choice: PrecisionChoice;
  readonly #graph: Graph;
  readonly #weights: LoadedWeights;
  readonly #device: OpenedDevice;
  /** The last size's; only one, so that a network never takes more than it planned. */
  #program: { readonly name: string; readonly bound: BoundProgram } | undefined;
  readonly #submitter: Submitter;
  /** The turns of runs: one begins when all commands of the one before are on their way. */
  #queue: Promise<unknown> = Promise.resolve();
  /** Results that are being read, oldest first, and runs whose results were read so far or are. */
  readonly #reading: Promise<unknown>[] = [];
  #runs = 0;
  #isDisposed = false;

  private constructor(graph: Graph, weights: LoadedWeights, { device, choice }: Loading) {
    this.#graph = graph;
    this.#weights = weights;
    this.#device = device;
    this.#choice = choice;
    this.#submitter = new Submitter(device);
    const { type } = this.#node(graph.output);
    this.scale = type.scale;
    this.outputChannels = type.channels;
    this.inputChannels = this.#node(0).type.channels;
  }

  /** @throws MAMBAIR_SHAPE_MISMATCH, MAMBAIR_OUT_OF_MEMORY, MAMBAIR_DEVICE_LOST */
  static async load(
    graph: Graph,
    tensors: TensorMap,
    { device, precision: asked = 'auto' }: LoadOptions & { readonly device: OpenedDevice },
  ): Promise<WebgpuNetwork> {
    const load = async (precision: Precision) =>
      new WebgpuNetwork(graph, await loadWeights(graph, tensors, { device, precision }), {
        device,
        choice: { name: precision, reason: 'it was asked for' },
      });
    if (asked !== 'auto') {
      return load(asked);
    }
    const { network, choice } = await loadInBestPrecision(load, device);
    network.#choice = choice;
    return network;
  }

  readonly runsAtOnce = runsAtOnce;

  get precision(): PrecisionChoice {
    return this.#choice;
  }

  get weightBytes(): number {
    return this.#weights.bytes;
  }

  plan(height: number, width: number): MemoryReport {
    this.#check();
    return this.#report(
      makeProgram(this.#graph, { height, width, routing: 'seeded', precision: this.#choice.name, keep: [] }),
    );
  }

  run(input: Tensor, options: RunOptions): Promise<RunResult> {
    return this.#inTurn(() => this.#startRun(input, options));
  }

  runCodes(
    codes: Uint8Array,
    pictures: CodedPictures,
    options: Omit<RunOptions, 'taps' | 'given'>,
  ): Promise<Uint8Array> {
    return this.#inTurn(() => this.#startCodes(codes, pictures, options));
  }

  async dispose(): Promise<void> {
    if (!this.#isDisposed) {
      this.#isDisposed = true;
      await this.#queue;
      await this.#forget();
      for (const buffer of this.#weights.buffers) {
        buffer.destroy();
      }
    }
  }

  /**
   * Starts a run after those before it have started; what it gives then reads the result, while the next may start. Never
   * more are under way than there are buffers to read from.
   */
  #inTurn<T>(start: () => Promise<() => Promise<T>>): Promise<T> {
    const begun = this.#queue.then(async () => {
      if (this.#reading.length >= runsAtOnce) {
        await this.#reading.shift();
      }
      const read = await start();
      const result = read();
      const settled = result.then(
        () => undefined,
        () => undefined,
      );
      this.#reading.push(settled);
      this.#runs += 1;
      // In an array: a promise would be waited for.
      return [result] as const;
    });
    this.#queue = begun.catch(() => undefined);
    return begun.then(([result]) => result);
  }

  #node(id: NodeId): GraphNode {
    const node = this.#graph.nodes[id];
    invariant(node, `node ${id} is missing`);
    return node;
  }

  #check(): void {
    if (this.#isDisposed) {
      throw new MambairError('MAMBAIR_DISPOSED', 'this network was disposed of; load it again');
    }
  }

  #report(program: GpuProgram): MemoryReport {
    const { maxBindingBytes } = this.#device;
    return memoryReport(program, { weightBytes: this.weightBytes, maxBindingBytes });
  }

  async #startCodes(
    codes: Uint8Array,
    pictures: CodedPictures,
    options: Omit<RunOptions, 'taps' | 'given'>,
  ): Promise<() => Promise<Uint8Array>> {
    this.#checkStart(options);
    const { source, target } = pictures;
    const { height, width, samples, bytesPerSample } = source;
    this.#checkCodes(codes, pictures);
    const { multiple } = inputOf(this.#graph);
    const padded = (size: number) => Math.ceil(size / multiple) * multiple;
    const [paddedHeight, paddedWidth] = [padded(height), padded(width)];
    const sizes = { batch: 1, channels: this.inputChannels, height, width, paddedHeight, paddedWidth };
    checkRunOptions(this.#graph, sizes, options);
    const precision = this.#choice.name;
    const bound = await this.#programFor({
      height,
      width,
      routing: options.routing.kind,
      precision,
      keep: [],
      codes: pictures,
    });
    invariant(bound.codes && bound.newCodes, 'a program for codes has buffers for them');
    const { queue } = this.#device.device;
    const words = new Uint8Array(codesBytes(source));
    words.set(codes.subarray(0, samples * bytesPerSample));
    queue.writeBuffer(bound.codes, 0, words);
    const most = codesBytes(target);
    queue.writeBuffer(bound.newCodes, most, new Uint32Array(1));
    writeRouting(queue, bound, options.routing, 0);
    await this.#submit(bound, options, { item: 0, batch: 1 });
    const read = await this.#startReading(bound, bound.newCodes, most + 4);
    return async () => {
      const result = await read();
      if (new Uint32Array(result, most, 1)[0] !== 0) {
        throw new MambairError(
          'MAMBAIR_NOT_FINITE',
          'the network gave values that are not finite; no codes were made of them',
        );
      }
      return new Uint8Array(result.slice(0, target.samples * target.bytesPerSample));
    };
  }

  #checkCodes(codes: Uint8Array, { source, target }: CodedPictures): void {
    const bytes = source.samples * source.bytesPerSample;
    const isLarger = target.width === source.width * this.scale && target.height === source.height * this.scale;
    if (codes.length !== bytes || !isLarger || source.channels.length !== this.inputChannels) {
      throw new MambairError(
        'MAMBAIR_SHAPE_MISMATCH',
        `this network takes ${bytes} bytes of codes in ${this.inputChannels} channels to a picture ${this.scale} times as large, not ${codes.length} bytes in ${source.channels.length} from ${source.width} × ${source.height} to ${target.width} × ${target.height}`,
      );
    }
  }

  #checkStart({ signal }: Pick<RunOptions, 'signal'>): void {
    this.#check();
    this.#device.check();
    throwIfCancelled(signal);
  }

  async #startRun(input: Tensor, options: RunOptions): Promise<() => Promise<RunResult>> {
    this.#checkStart(options);
    const sizes = checkInput(this.#graph, input);
    checkRunOptions(this.#graph, sizes, options, true);
    const { taps = [], given = new Map<string, Float32Array | Int32Array>() } = options;
    const idOf = (name: string): NodeId => this.#graph.nodes.findIndex((node) => node.name === name);
    const tapped = taps.map(idOf);
    const replaced = [...given].map(([name, data]) => ({ id: idOf(name), data }));
    const { height, width, batch } = sizes;
    const bound = await this.#programFor({
      height,
      width,
      routing: options.routing.kind,
      precision: this.#choice.name,
      keep: [...new Set([...tapped, ...replaced.map(({ id }) => id)])],
    });
    const shape = [batch, this.outputChannels, height * this.scale, width * this.scale];
    const size = resultSize(bound);
    if (batch === 1 && tapped.length === 0) {
      await this.#submitItem(bound, { input, sizes, options, replaced, item: 0 });
      const read = await this.#startReading(bound, bound.result, size.bytes);
      return async () => ({ output: tensor(shape, new Float32Array(await read(), 0, size.values)), taps: new Map() });
    }
    // Values between are gone once the next run has started: all is read in this turn.
    const outputs: Float32Array[] = [];
    const values = tapped.map((): (Float32Array | Int32Array)[] => []);
    for (let item = 0; item < batch; item++) {
      await this.#submitItem(bound, { input, sizes, options, replaced, item });
      const read = await this.#startReading(bound, bound.result, size.bytes);
      outputs.push(new Float32Array(await read(), 0, size.values));
      for (const [at, id] of tapped.entries()) {
        const ways = { opened: this.#device, submitter: this.#submitter };
        values[at]?.push(await readValue(this.#graph, bound, id, ways));
      }
    }
    const result: RunResult = {
      output: tensor(shape, joined(outputs, new Float32Array(elementCount(shape)))),
      taps: new Map(
        tapped.map((id, at) => {
          const { type, name } = this.#node(id);
          const tapShape = [batch, sizes.paddedHeight * type.scale, sizes.paddedWidth * type.scale, type.channels];
          const count = elementCount(tapShape);
          const all = type.kind === 'indices' ? new Int32Array(count) : new Float32Array(count);
          return [name, { shape: tapShape, data: joined(values[at] ?? [], all) }];
        }),
      ),
    };
    return () => Promise.resolve(result);
  }

  /** The program of a size, its buffers on the device. @throws MAMBAIR_OUT_OF_MEMORY before anything is allocated */
  async #programFor(key: ProgramKey): Promise<BoundProgram> {
    const name = JSON.stringify(key);
    if (this.#program?.name === name) {
      return this.#program.bound;
    }
    const program = makeProgram(this.#graph, key);
    const { totalBytes, limitBytes } = this.#report(program);
    if (totalBytes > limitBytes) {
      throw new MambairError(
        'MAMBAIR_OUT_OF_MEMORY',
        `${key.width} × ${key.height} pixels need a buffer of ${programBytes(program).largest} bytes, and the GPU binds no more than ${this.#device.maxBindingBytes}; use smaller tiles`,
        { detail: { totalBytes, limitBytes } },
      );
    }
    await this.#forget();
    const bound = await bindProgram(program, this.#weights, this.#device);
    this.#program = { name, bound };
    return bound;
  }

  /** Frees the buffers of the last size, once nothing is read from them any more. */
  async #forget(): Promise<void> {
    await Promise.all(this.#reading.splice(0));
    this.#program?.bound.dispose();
    this.#program = undefined;
  }

  /** Sends one item of a batch and all passes over it on their way. */
  async #submitItem(bound: BoundProgram, { input, sizes, options, replaced, item }: RunItem): Promise<void> {
    const { queue } = this.#device.device;
    const itemValues = sizes.channels * sizes.height * sizes.width;
    // A copy: a view on shared memory would bring Dawn down.
    const image = Float32Array.from(input.data.subarray(item * itemValues, (item + 1) * itemValues));
    queue.writeBuffer(bound.image, 0, image);
    writeRouting(queue, bound, options.routing, item);
    const between = new Map(
      replaced.map(({ id, data }) => {
        const last = bound.program.nodes.lastIndexOf(id);
        invariant(last >= 0, `${this.#node(id).name} is computed by no pass`);
        return [last + 1, () => writeValue(this.#graph, bound, id, { queue, data })];
      }),
    );
    await this.#submit(bound, options, { item, batch: sizes.batch }, between);
  }

  /** @throws MAMBAIR_CANCELLED, MAMBAIR_DISPOSED, MAMBAIR_DEVICE_LOST */
  #submit(
    { passes }: BoundProgram,
    { signal, progress }: Pick<RunOptions, 'signal' | 'progress'>,
    at: { readonly item: number; readonly batch: number },
    between?: ReadonlyMap<number, () => void>,
  ): Promise<void> {
    return this.#submitter.submit(passes, {
      check: () => this.#check(),
      progress: (done, total) => progress?.(at.item * total + done, at.batch * total),
      ...(signal === undefined ? {} : { signal }),
      ...(between === undefined ? {} : { between }),
    });
  }

  /** Sends a copy of a buffer on its way behind what was submitted; what it gives waits for it. */
  async #startReading(
    { readbacks }: BoundProgram,
    source: GpuBuffer,
    bytes: number,
  ): Promise<() => Promise<ArrayBuffer>> {
    const readback = readbacks[this.#runs % runsAtOnce];
    invariant(readback, 'there is a buffer for each run at a time');
    await this.#submitter.copy(source, readback, bytes);
    return () => readMapped(this.#device, readback, bytes);
  }
}

/** One item of a batch, and what goes with it. */
interface RunItem {
  readonly input: Tensor;
  readonly sizes: RunSizes;
  readonly options: RunOptions;
  readonly replaced: readonly { readonly id: NodeId; readonly data: Float32Array | Int32Array }[];
  readonly item: number;
}

/** Of a result: what is read, and what of it counts, since a buffer has a least size. */
function resultSize({ program }: BoundProgram): { readonly bytes: number; readonly values: number } {
  return { bytes: program.resultBytes, values: program.resultValues };
}

/** What a network is made with beside its weights. */
interface Loading {
  readonly device: OpenedDevice;
  readonly choice: PrecisionChoice;
}

/** Puts batch items one after the other into `all`. */
function joined<T extends Float32Array | Int32Array>(parts: readonly (Float32Array | Int32Array)[], all: T): T {
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

import { invariant, MambairError, throwIfCancelled } from '../../errors.js';
import type { Graph, GraphNode, NodeId } from '../../graph/graph.js';
import { runWords } from '../../ops/webgpu-kernel.js';
import { widenFloat16 } from '../../tensor/float16.js';
import { elementCount, type Precision, type Tensor, type TensorMap, tensor } from '../../tensor/tensor.js';
import { checkInput, checkRunOptions, inputOf, type RunSizes } from '../check-run.js';
import type { LoadOptions, MemoryReport, Network, PrecisionChoice, RunOptions, RunResult } from '../executor.js';
import { bindProgram, type BoundPass, type BoundProgram, memoryReport, programBytes } from './bound-program.js';
import { loadInBestPrecision } from './choose-precision.js';
import { bufferUsage, type GpuBuffer, mapRead } from './gpu.js';
import { codesBytes } from '../../ops/picture-codes/webgpu.js';
import type { CodedPictures } from '../../tensor/coded-picture.js';
import { type LoadedWeights, loadWeights } from './loaded-weights.js';
import type { OpenedDevice } from './opened-device.js';
import { type GpuProgram, makeProgram, operandOf, type ProgramKey } from './program.js';

/** Values written by the passes of one command buffer: short enough to be cancelled, and for a driver's watchdog. */
const submitWork = 2 ** 27;
/** Command buffers that are under way at a time: the next is recorded while one runs. */
const submitsAhead = 2;

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
  #queue: Promise<unknown> = Promise.resolve();
  #isDisposed = false;

  private constructor(graph: Graph, weights: LoadedWeights, { device, choice }: Loading) {
    this.#graph = graph;
    this.#weights = weights;
    this.#device = device;
    this.#choice = choice;
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
    const result = this.#queue.then(() => this.#runNow(input, options));
    this.#queue = result.catch(() => undefined);
    return result;
  }

  runCodes(codes: Uint8Array, pictures: CodedPictures, options: Omit<RunOptions, 'taps'>): Promise<Uint8Array> {
    const result = this.#queue.then(() => this.#runCodesNow(codes, pictures, options));
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async dispose(): Promise<void> {
    if (!this.#isDisposed) {
      this.#isDisposed = true;
      await this.#queue;
      this.#forget();
      for (const buffer of this.#weights.buffers) {
        buffer.destroy();
      }
    }
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

  async #runCodesNow(
    codes: Uint8Array,
    pictures: CodedPictures,
    options: Omit<RunOptions, 'taps'>,
  ): Promise<Uint8Array> {
    this.#check();
    this.#device.check();
    throwIfCancelled(options.signal);
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
    this.#uploadRouting(bound, options, 0);
    await this.#execute(bound, options, { item: 0, batch: 1 });
    const result = await this.#read(bound.newCodes, bound.readback, most + 4);
    if (new Uint32Array(result, most, 1)[0] !== 0) {
      throw new MambairError(
        'MAMBAIR_NOT_FINITE',
        'the network gave values that are not finite; no codes were made of them',
      );
    }
    return new Uint8Array(result.slice(0, target.samples * target.bytesPerSample));
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

  async #runNow(input: Tensor, options: RunOptions): Promise<RunResult> {
    this.#check();
    this.#device.check();
    throwIfCancelled(options.signal);
    const sizes = checkInput(this.#graph, input);
    checkRunOptions(this.#graph, sizes, options);
    const keep = (options.taps ?? []).map((name) => this.#graph.nodes.findIndex((node) => node.name === name));
    const { height, width, batch } = sizes;
    const bound = await this.#programFor({
      height,
      width,
      routing: options.routing.kind,
      precision: this.#choice.name,
      keep,
    });
    const outputs: Float32Array[] = [];
    const taps = keep.map((): (Float32Array | Int32Array)[] => []);
    for (let item = 0; item < batch; item++) {
      this.#upload(bound, input, sizes, options, item);
      await this.#execute(bound, options, { item, batch });
      outputs.push(await this.#readResult(bound));
      for (const [at, id] of keep.entries()) {
        taps[at]?.push(await this.#readValue(bound, id));
      }
    }
    const shape = [batch, this.outputChannels, height * this.scale, width * this.scale];
    return {
      output: tensor(shape, joined(outputs, new Float32Array(elementCount(shape)))),
      taps: new Map(
        keep.map((id, at) => {
          const { type, name } = this.#node(id);
          const size = [batch, sizes.paddedHeight * type.scale, sizes.paddedWidth * type.scale, type.channels];
          const all =
            type.kind === 'indices' ? new Int32Array(elementCount(size)) : new Float32Array(elementCount(size));
          return [name, { shape: size, data: joined(taps[at] ?? [], all) }];
        }),
      ),
    };
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
    this.#forget();
    const bound = await bindProgram(program, this.#weights, this.#device);
    this.#program = { name, bound };
    return bound;
  }

  #forget(): void {
    this.#program?.bound.dispose();
    this.#program = undefined;
  }

  #upload(bound: BoundProgram, input: Tensor, sizes: RunSizes, options: RunOptions, item: number): void {
    const itemValues = sizes.channels * sizes.height * sizes.width;
    // Copies, here and below: a view on shared memory would bring Dawn down.
    const image = Float32Array.from(input.data.subarray(item * itemValues, (item + 1) * itemValues));
    this.#device.device.queue.writeBuffer(bound.image, 0, image);
    this.#uploadRouting(bound, options, item);
  }

  #uploadRouting(bound: BoundProgram, { routing }: RunOptions, item: number): void {
    const { queue } = this.#device.device;
    if (routing.kind === 'seeded') {
      const words = new Uint32Array(runWords.count);
      words[runWords.seed] = routing.seed;
      words[runWords.originX] = routing.originX ?? 0;
      words[runWords.originY] = routing.originY ?? 0;
      queue.writeBuffer(bound.run, 0, words);
    } else if (routing.kind !== 'argmax') {
      const given = routing.kind === 'replay' ? routing.noise : routing.classes;
      for (const [block, buffer] of bound.routeData.entries()) {
        const length = (bound.program.routeDataBytes[block] as number) / 4;
        invariant(buffer && given[block], 'the routing was checked');
        const own = given[block].slice(item * length, (item + 1) * length);
        queue.writeBuffer(buffer, 0, own as Float32Array<ArrayBuffer>);
      }
    }
  }

  /** Records and submits all passes, some at a time. @throws MAMBAIR_CANCELLED, MAMBAIR_DISPOSED, MAMBAIR_DEVICE_LOST */
  async #execute(bound: BoundProgram, { signal, progress }: RunOptions, at: { item: number; batch: number }) {
    const { device } = this.#device;
    const steps = bound.passes.length;
    const underWay: Promise<unknown>[] = [];
    try {
      for (let first = 0; first < steps; ) {
        const group = nextGroup(bound.passes, first);
        await this.#device.checked('running a network', () => {
          const encoder = device.createCommandEncoder();
          const pass = encoder.beginComputePass();
          for (const { pipeline, group: bindings, x, y } of group) {
            pass.setPipeline(pipeline);
            pass.setBindGroup(0, bindings);
            pass.dispatchWorkgroups(x, y);
          }
          pass.end();
          device.queue.submit([encoder.finish()]);
        });
        underWay.push(device.queue.onSubmittedWorkDone());
        first += group.length;
        if (underWay.length >= submitsAhead) {
          await this.#device.wait(underWay.shift() as Promise<unknown>);
        }
        throwIfCancelled(signal);
        this.#check();
        progress?.(at.item * steps + first, at.batch * steps);
      }
    } finally {
      await this.#device.wait(Promise.all(underWay));
    }
  }

  async #readResult({ result, readback, program }: BoundProgram): Promise<Float32Array> {
    const words = await this.#read(result, readback, program.resultBytes);
    // The buffer has a least size.
    return new Float32Array(words, 0, program.resultValues);
  }

  /** A kept value, without its padding channels. */
  async #readValue({ values, program }: BoundProgram, id: NodeId): Promise<Float32Array | Int32Array> {
    const { buffer, start, stride, height, width, isHalf } = operandOf(this.#graph, program, id);
    invariant(buffer.kind === 'value', 'a tap is a value');
    const { kind, channels } = this.#node(id).type;
    const source = values[program.valueBuffer.get(buffer.id) ?? -1];
    invariant(source, `${this.#node(id).name} was not kept`);
    const bytes = height * width * stride * (isHalf ? 2 : 4);
    const readback = this.#device.createBuffer('tap', bytes, bufferUsage.mapRead | bufferUsage.copyTarget);
    const words = await this.#read(source, readback, bytes);
    readback.destroy();
    if (kind === 'indices') {
      return new Int32Array(words);
    }
    const all = isHalf ? widenFloat16(new Uint16Array(words)) : new Float32Array(words);
    const data = new Float32Array(height * width * channels);
    for (let pixel = 0; pixel < height * width; pixel++) {
      const from = pixel * stride + start;
      data.set(all.subarray(from, from + channels), pixel * channels);
    }
    return data;
  }

  async #read(source: GpuBuffer, readback: GpuBuffer, bytes: number): Promise<ArrayBuffer> {
    await this.#device.checked('reading a result', () => {
      const encoder = this.#device.device.createCommandEncoder();
      encoder.copyBufferToBuffer(source, 0, readback, 0, bytes);
      this.#device.device.queue.submit([encoder.finish()]);
    });
    await this.#device.wait(readback.mapAsync(mapRead));
    const copy = readback.getMappedRange().slice(0, bytes);
    readback.unmap();
    // A lost device leaves nothing in the range.
    this.#device.check();
    return copy;
  }
}

/** What a network is made with beside its weights. */
interface Loading {
  readonly device: OpenedDevice;
  readonly choice: PrecisionChoice;
}

/** The passes of the next command buffer: at least one. */
function nextGroup(passes: readonly BoundPass[], first: number): readonly BoundPass[] {
  let work = 0;
  let end = first;
  while (end < passes.length && (end === first || work + (passes[end] as BoundPass).work <= submitWork)) {
    work += (passes[end] as BoundPass).work;
    end += 1;
  }
  return passes.slice(first, end);
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

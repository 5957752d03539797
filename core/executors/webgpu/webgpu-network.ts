import { invariant, MambairError, throwIfCancelled } from '../../errors.js';
import type { Graph, GraphNode, NodeId } from '../../graph/graph.js';
import { runWords } from '../../ops/webgpu-kernel.js';
import { elementCount, type Tensor, type TensorMap, tensor } from '../../tensor/tensor.js';
import { checkInput, checkRunOptions, type RunSizes } from '../check-run.js';
import type { MemoryReport, Network, RunOptions, RunResult } from '../executor.js';
import { bindProgram, type BoundPass, type BoundProgram, memoryReport, programBytes } from './bound-program.js';
import { bufferUsage, type GpuBuffer, mapRead } from './gpu.js';
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
  readonly #graph: Graph;
  readonly #weights: LoadedWeights;
  readonly #device: OpenedDevice;
  /** The last size's; only one, so that a network never takes more than it planned. */
  #program: { readonly name: string; readonly bound: BoundProgram } | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #isDisposed = false;

  private constructor(graph: Graph, weights: LoadedWeights, device: OpenedDevice) {
    this.#graph = graph;
    this.#weights = weights;
    this.#device = device;
    const { type } = this.#node(graph.output);
    this.scale = type.scale;
    this.outputChannels = type.channels;
    this.inputChannels = this.#node(0).type.channels;
  }

  static async load(graph: Graph, tensors: TensorMap, device: OpenedDevice): Promise<WebgpuNetwork> {
    return new WebgpuNetwork(graph, await loadWeights(graph, tensors, device), device);
  }

  get weightBytes(): number {
    return this.#weights.bytes;
  }

  plan(height: number, width: number): MemoryReport {
    this.#check();
    return this.#report(makeProgram(this.#graph, { height, width, routing: 'seeded', keep: [] }));
  }

  run(input: Tensor, options: RunOptions): Promise<RunResult> {
    const result = this.#queue.then(() => this.#runNow(input, options));
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

  async #runNow(input: Tensor, options: RunOptions): Promise<RunResult> {
    this.#check();
    this.#device.check();
    throwIfCancelled(options.signal);
    const sizes = checkInput(this.#graph, input);
    checkRunOptions(this.#graph, sizes, options);
    const keep = (options.taps ?? []).map((name) => this.#graph.nodes.findIndex((node) => node.name === name));
    const { height, width, batch } = sizes;
    const bound = await this.#programFor({ height, width, routing: options.routing.kind, keep });
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

  #upload(bound: BoundProgram, input: Tensor, sizes: RunSizes, { routing }: RunOptions, item: number): void {
    const { queue } = this.#device.device;
    const itemValues = sizes.channels * sizes.height * sizes.width;
    // Copies: a view on shared memory would bring Dawn down.
    const write = (buffer: GpuBuffer, values: Float32Array | Int32Array) =>
      queue.writeBuffer(buffer, 0, values.slice() as Float32Array<ArrayBuffer>);
    write(bound.image, Float32Array.from(input.data.subarray(item * itemValues, (item + 1) * itemValues)));
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
        write(buffer, given[block].subarray(item * length, (item + 1) * length));
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
    const { buffer, start, stride, height, width } = operandOf(this.#graph, program.plan, id);
    invariant(buffer.kind === 'value', 'a tap is a value');
    const { kind, channels } = this.#node(id).type;
    const source = values[program.valueBuffer.get(buffer.id) ?? -1];
    invariant(source, `${this.#node(id).name} was not kept`);
    const bytes = height * width * stride * 4;
    const readback = this.#device.createBuffer('tap', bytes, bufferUsage.mapRead | bufferUsage.copyTarget);
    const words = await this.#read(source, readback, bytes);
    readback.destroy();
    if (kind === 'indices') {
      return new Int32Array(words);
    }
    const all = new Float32Array(words);
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

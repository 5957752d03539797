import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { MambairError, throwIfCancelled } from '../errors.js';
import type {
  Executor,
  LoadOptions,
  MemoryReport,
  Network,
  PrecisionChoice,
  RunOptions,
  RunResult,
} from '../executors/executor.js';
import { memoryReport, runsAtOnce } from '../executors/webgpu/bound-program.js';
import { makeProgram } from '../executors/webgpu/program.js';
import { describeExecutor } from '../executors/webgpu/webgpu-executor.js';
import type { Graph } from '../graph/graph.js';
import { checkWeights } from '../graph/weights.js';
import type { CodedPictures } from '../tensor/coded-picture.js';
import type { Tensor } from '../tensor/tensor.js';
import type { GpuAnswer, GpuRequest } from './gpu-messages.js';
import { unlessAborted } from './unless-aborted.js';

/** How long a process that was told to end may take. */
const endMs = 2000;

/** How long a driver may take to open a device: those of sleeping GPUs take seconds. */
const openMs = 60_000;

/** What of a driver's last words an error repeats. */
const lastWords = 300;

type Waiting = {
  readonly resolve: (answer: GpuAnswer) => void;
  readonly reject: (error: Error) => void;
  readonly progress: RunOptions['progress'];
};

type Opened = Extract<GpuAnswer, { readonly kind: 'opened' }>;

/** A request without its number. */
type Unnumbered<T> = T extends unknown ? Omit<T, 'id'> : never;

/**
 * The other end of a GPU's process. Whatever happens to it (a driver that crashes, an end by someone else) is the error
 * MAMBAIR_DEVICE_LOST of all that wait for it, and never the end of this process.
 */
class GpuProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #said = '';
  #lost: MambairError | undefined;
  #count = 0;

  constructor(index: number | undefined) {
    const path = fileURLToPath(new URL('./gpu-process.js', import.meta.url));
    this.#child = fork(path, index === undefined ? [] : [`${index}`], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [],
    });
    this.#child.stderr?.on('data', (text: Buffer) => {
      this.#said = `${this.#said}${text.toString()}`.slice(-lastWords);
    });
    this.#child.on('message', (answer: GpuAnswer) => this.#take(answer));
    this.#child.once('exit', (code, signal) => this.#end(`its process ended (${signal ?? `code ${code}`})`));
    this.#child.once('error', (error) => this.#end(error.message));
  }

  /** Waits for the device. @throws MAMBAIR_DEVICE_UNAVAILABLE */
  async open(): Promise<Opened> {
    try {
      return (await unlessAborted(AbortSignal.timeout(openMs), this.#wait(0))) as Opened;
    } catch (error) {
      await this.close();
      throw error instanceof MambairError && error.code !== 'MAMBAIR_DEVICE_LOST'
        ? error
        : new MambairError('MAMBAIR_DEVICE_UNAVAILABLE', `the GPU did not open: ${(error as Error).message}`, {
            cause: error,
          });
    }
  }

  /** Asks, and waits for the answer. @throws MAMBAIR_DEVICE_LOST, and what the other side throws */
  ask(request: Unnumbered<GpuRequest>, { signal, progress }: Partial<RunOptions> = {}): Promise<GpuAnswer> {
    if (this.#lost !== undefined) {
      return Promise.reject(this.#lost);
    }
    const id = ++this.#count;
    const answered = this.#wait(id, progress);
    this.#send({ ...request, id } as GpuRequest);
    const cancel = (): void => this.#send({ kind: 'cancel', id });
    signal?.addEventListener('abort', cancel, { once: true });
    return answered.finally(() => signal?.removeEventListener('abort', cancel));
  }

  /** Ends the process. */
  async close(): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) {
      return;
    }
    const ended = once(child, 'exit');
    const timer = setTimeout(() => child.kill('SIGKILL'), endMs);
    if (child.connected) {
      child.disconnect();
    }
    await ended;
    clearTimeout(timer);
  }

  #wait(id: number, progress?: RunOptions['progress']): Promise<GpuAnswer> {
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject, progress }));
  }

  #send(request: GpuRequest): void {
    if (this.#child.connected) {
      // An error is a broken channel, and the process's end tells of that.
      this.#child.send(request, () => undefined);
    }
  }

  #take(answer: GpuAnswer): void {
    const id = answer.kind === 'opened' ? 0 : (answer.id ?? 0);
    const waiting = this.#waiting.get(id);
    if (answer.kind === 'progress') {
      waiting?.progress?.(answer.done, answer.total);
      return;
    }
    this.#waiting.delete(id);
    if (answer.kind === 'failed') {
      const { code, message, detail } = answer;
      waiting?.reject(new MambairError(code, message, { detail }));
    } else {
      waiting?.resolve(answer);
    }
  }

  #end(what: string): void {
    const words = this.#said.trim();
    this.#lost = new MambairError('MAMBAIR_DEVICE_LOST', `the GPU was lost: ${what}${words ? `: ${words}` : ''}`);
    for (const { reject } of this.#waiting.values()) {
      reject(this.#lost);
    }
    this.#waiting.clear();
  }
}

interface ProcessNetworkParts {
  readonly process: GpuProcess;
  readonly graph: Graph;
  /** Its number there. */
  readonly id: number;
  readonly weightBytes: number;
  readonly precision: PrecisionChoice;
  readonly maxBindingBytes: number;
}

/** A network that lives in a GPU's process. */
class ProcessNetwork implements Network {
  readonly scale: number;
  readonly inputChannels: number;
  readonly outputChannels: number;
  readonly runsAtOnce = runsAtOnce;
  readonly precision: PrecisionChoice;
  readonly #parts: ProcessNetworkParts;
  #disposal: Promise<void> | undefined;

  constructor(parts: ProcessNetworkParts) {
    this.#parts = parts;
    this.precision = parts.precision;
    const { graph } = parts;
    const output = graph.nodes[graph.output]?.type;
    this.scale = output?.scale ?? 1;
    this.outputChannels = output?.channels ?? 0;
    this.inputChannels = graph.nodes[0]?.type.channels ?? 0;
  }

  plan(height: number, width: number): MemoryReport {
    this.#check();
    const program = makeProgram(this.#parts.graph, {
      height,
      width,
      routing: 'seeded',
      precision: this.precision.name,
      keep: [],
    });
    return memoryReport(program, this.#parts);
  }

  async run(input: Tensor, { routing, taps, given, signal, progress }: RunOptions): Promise<RunResult> {
    this.#check();
    throwIfCancelled(signal);
    const answer = await this.#parts.process.ask(
      {
        kind: 'run',
        network: this.#parts.id,
        input,
        options: { routing, ...(taps === undefined ? {} : { taps }), ...(given === undefined ? {} : { given }) },
        wantsProgress: progress !== undefined,
      },
      { ...(signal === undefined ? {} : { signal }), ...(progress === undefined ? {} : { progress }) },
    );
    return (answer as Extract<GpuAnswer, { readonly kind: 'ran' }>).result;
  }

  async runCodes(
    codes: Uint8Array,
    pictures: CodedPictures,
    { routing, signal, progress }: Omit<RunOptions, 'taps' | 'given'>,
  ): Promise<Uint8Array> {
    this.#check();
    throwIfCancelled(signal);
    const { process, id } = this.#parts;
    const answer = await process.ask(
      { kind: 'runCodes', network: id, codes, pictures, options: { routing }, wantsProgress: progress !== undefined },
      { ...(signal === undefined ? {} : { signal }), ...(progress === undefined ? {} : { progress }) },
    );
    // A copy: in a message, bytes lie anywhere, and codes of two bytes have to start at an even place.
    return (answer as Extract<GpuAnswer, { readonly kind: 'ranCodes' }>).codes.slice();
  }

  dispose(): Promise<void> {
    // A process that is gone has nothing left to free.
    this.#disposal ??= this.#parts.process
      .ask({ kind: 'dispose', network: this.#parts.id })
      .then(() => undefined)
      .catch(() => undefined);
    return this.#disposal;
  }

  #check(): void {
    if (this.#disposal !== undefined) {
      throw new MambairError('MAMBAIR_DISPOSED', 'this network was disposed of; load it again');
    }
  }
}

/**
 * The WebGPU executor in a process of its own, on the GPU of a number or the one that the system prefers. A driver that
 * crashes takes that process with it and no more: runs then end with MAMBAIR_DEVICE_LOST.
 * @throws MAMBAIR_DEVICE_UNAVAILABLE
 */
export async function openGpuProcess(index?: number, defaults: LoadOptions = {}): Promise<Executor> {
  const child = new GpuProcess(index);
  const { description, maxBindingBytes } = await child.open();
  const networks = new Set<ProcessNetwork>();
  let isDisposed = false;
  return {
    name: 'webgpu',
    description: describeExecutor(description),
    async load(graph, tensors, options = defaults) {
      if (isDisposed) {
        throw new MambairError('MAMBAIR_DISPOSED', 'the WebGPU executor was disposed of; create another');
      }
      // Only what the network uses goes over.
      const weights = new Map(checkWeights(graph, tensors));
      const { id, weightBytes, precision } = (await child.ask({ kind: 'load', graph, weights, options })) as Extract<
        GpuAnswer,
        { readonly kind: 'loaded' }
      >;
      const network = new ProcessNetwork({ process: child, graph, id, weightBytes, precision, maxBindingBytes });
      networks.add(network);
      return network;
    },
    async dispose() {
      isDisposed = true;
      // A driver that hangs never answers; what its networks hold ends with its process.
      const freed = Promise.all([...networks].map((network) => network.dispose()));
      await unlessAborted(AbortSignal.timeout(endMs), freed).catch(() => undefined);
      networks.clear();
      await child.close();
    },
  };
}

import { Worker } from 'node:worker_threads';
import { MambairError } from '../../errors.js';
import type { Reply, Request, ThreadData } from './messages.js';

/**
 * The threads of one network. They sleep between runs and do not keep the process alive then. If one dies, the run in
 * progress fails with MAMBAIR_DEVICE_LOST, the others are ended, and the pool is dead.
 */
export class ThreadPool {
  readonly #workers: Worker[] = [];
  #waiting: { left: number; resolve: () => void; reject: (error: unknown) => void } | undefined;
  #failure: MambairError | undefined;
  #acceleratorFailure: string | undefined;
  #acceleratorVersion: string | undefined;

  /** Starts the threads and waits until all are ready. @throws MAMBAIR_DEVICE_LOST */
  static async start(threads: number, data: Omit<ThreadData, 'thread' | 'threads'>): Promise<ThreadPool> {
    const pool = new ThreadPool();
    const ready = pool.#repliesOf(threads);
    for (let thread = 0; thread < threads; thread++) {
      const worker = new Worker(new URL('./worker.js', import.meta.url), {
        workerData: { ...data, thread, threads } satisfies ThreadData,
        // The parent's flags (of a test runner, say) may not be allowed in a thread.
        execArgv: [],
      });
      worker.on('message', (reply: Reply) => pool.#onReply(reply));
      worker.on('error', (error) => pool.#fail(error));
      worker.on('exit', (code) => pool.#fail(new Error(`a thread ended with exit code ${code}`)));
      pool.#workers.push(worker);
    }
    await ready;
    return pool;
  }

  /** True once a thread has died. */
  get isDead(): boolean {
    return this.#failure !== undefined;
  }

  /** Why ONNX Runtime failed in a thread, at the start or in the last run, whose result is void then. */
  get acceleratorFailure(): string | undefined {
    return this.#acceleratorFailure;
  }

  /** Undefined where ONNX Runtime was not asked for or does not tell. */
  get acceleratorVersion(): string | undefined {
    return this.#acceleratorVersion;
  }

  /** Sends a request that has no answer. */
  send(request: Exclude<Request, { kind: 'run' }>): void {
    for (const worker of this.#workers) {
      worker.postMessage(request);
    }
  }

  /** Runs a bound program to its end, or to where it was cancelled. @throws MAMBAIR_DEVICE_LOST */
  async run(request: Extract<Request, { kind: 'run' }>): Promise<void> {
    const finished = this.#repliesOf(this.#workers.length);
    for (const worker of this.#workers) {
      worker.postMessage(request);
    }
    await finished;
  }

  async end(): Promise<void> {
    this.#failure ??= new MambairError('MAMBAIR_DISPOSED', 'the network was disposed');
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #repliesOf(count: number): Promise<void> {
    for (const worker of this.#workers) {
      worker.ref();
    }
    return new Promise((resolve, reject) => {
      if (this.#failure) {
        reject(this.#failure);
      } else {
        this.#waiting = { left: count, resolve, reject };
      }
    });
  }

  #onReply({ acceleratorFailure, acceleratorVersion }: Reply): void {
    this.#acceleratorFailure ??= acceleratorFailure;
    this.#acceleratorVersion ??= acceleratorVersion;
    const waiting = this.#waiting;
    if (waiting && --waiting.left === 0) {
      this.#waiting = undefined;
      for (const worker of this.#workers) {
        worker.unref();
      }
      waiting.resolve();
    }
  }

  #fail(cause: unknown): void {
    if (this.#failure) {
      return;
    }
    this.#failure = new MambairError('MAMBAIR_DEVICE_LOST', `a thread of the CPU executor died: ${String(cause)}`, {
      cause,
    });
    this.#waiting?.reject(this.#failure);
    this.#waiting = undefined;
    // The others may wait for the dead one for ever.
    for (const worker of this.#workers) {
      void worker.terminate();
    }
  }
}

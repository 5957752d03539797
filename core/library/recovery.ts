import type { ErrorCode } from '../errors.js';
import type { Executor, ExecutorName, Network } from '../executors/executor.js';
import type { Recovered } from '../restore/options.js';

/** A network on its executor. */
export interface Running {
  readonly executor: Executor;
  readonly network: Network;
}

/** The ways that a network can be made to run. */
export interface RecoveryWays {
  /** On a new device of the same kind, as the network ran last. Fails when there is none, or it is another one. */
  readonly reopen?: (like: Running) => Promise<Running>;
  /** More exactly on the same device; absent where it runs exactly. */
  readonly exactly?: (like: Running) => Promise<Running | undefined>;
  /** On the CPU. */
  readonly onCpu?: () => Promise<Running>;
  /** On the CPU by kernels that do not fuse multiply and add. */
  readonly plainly?: () => Promise<Running>;
}

/** So many losses within so long are borne; after that the device is not trusted any more. */
const bornLosses = 2;
const lossWindowMs = 10 * 60 * 1000;

/** A driver that has just been reset may need a moment. */
const pauseMs = 500;

/**
 * Keeps a model's network running, for all that use it: when a device fails, the next way is taken, in this order: exactly
 * (what halves cannot hold, floats may), a new device (twice in ten minutes), the CPU, its plain kernels. Who comes with a
 * network that was replaced meanwhile gets the one in use.
 */
export class Recovery {
  readonly #ways: RecoveryWays;
  readonly #all: Running[];
  readonly #now: () => number;
  #running: Running;
  #losses: number[] = [];
  #isPlain = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(running: Running, ways: RecoveryWays, now: () => number = Date.now) {
    this.#running = running;
    this.#all = [running];
    this.#ways = ways;
    this.#now = now;
  }

  /** The network in use. */
  get network(): Network {
    return this.#running.network;
  }

  /** Where it runs. */
  get executor(): { readonly name: ExecutorName; readonly description: string } {
    return this.#running.executor;
  }

  /** See `RestoreOptions.recover`. @throws what the last way raises when none is left */
  readonly recover = (failed: Network, code: ErrorCode): Promise<Recovered | undefined> => {
    const turn = this.#turn.then(() => this.#recover(failed, code));
    this.#turn = turn.catch(() => undefined);
    return turn;
  };

  /** Frees whatever was opened. */
  async dispose(): Promise<void> {
    await this.#turn;
    // What failed is kept to the end: others may be waiting for its runs.
    await Promise.all(this.#all.map(({ executor }) => executor.dispose()));
  }

  async #recover(failed: Network, code: ErrorCode): Promise<Recovered | undefined> {
    const last = this.#running;
    if (failed !== last.network) {
      return { network: last.network };
    }
    const { exactly, reopen, onCpu, plainly } = this.#ways;
    if (last.executor.name === 'webgpu') {
      const exact = code === 'MAMBAIR_NOT_FINITE' ? await exactly?.(last) : undefined;
      if (exact !== undefined) {
        return this.#goOn(exact, 'in float32');
      }
      const again = code === 'MAMBAIR_DEVICE_LOST' && reopen !== undefined ? await this.#reopen(reopen) : undefined;
      return again === undefined
        ? onCpu && this.#goOn(await onCpu(), 'on the CPU')
        : this.#goOn(again, 'on the device, opened anew');
    }
    if (plainly === undefined || this.#isPlain || code !== 'MAMBAIR_NOT_FINITE') {
      return undefined;
    }
    const plain = await plainly();
    this.#isPlain = true;
    return this.#goOn(plain, 'by the plain kernels of the CPU');
  }

  async #reopen(reopen: NonNullable<RecoveryWays['reopen']>): Promise<Running | undefined> {
    const now = this.#now();
    this.#losses = [...this.#losses.filter((at) => now - at < lossWindowMs), now];
    for (; this.#losses.length <= bornLosses; this.#losses.push(now)) {
      try {
        return await reopen(this.#running);
      } catch {
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
    return undefined;
  }

  #goOn(running: Running, how: string): Recovered {
    this.#running = running;
    this.#all.push(running);
    return { network: running.network, how };
  }
}

import { throwIfCancelled } from '../../errors.js';
import type { RunOptions } from '../executor.js';
import type { BoundPass } from './bound-program.js';
import type { GpuBuffer } from './gpu.js';
import type { OpenedDevice } from './opened-device.js';

/** Values written by the passes of one command buffer: short enough to be cancelled, and for a driver's watchdog. */
const submitWork = 2 ** 27;
/** Command buffers that are under way at a time: the next is recorded while one runs. */
const submitsAhead = 2;

/** What happens besides while passes are submitted. */
export interface SubmitOptions extends Pick<RunOptions, 'signal' | 'progress'> {
  /** Called before each command buffer; throws to stop. */
  readonly check: () => void;
  /** By number of passes: what is done when so many have been submitted, before the next one. */
  readonly between?: ReadonlyMap<number, () => void>;
}

/** Records passes and hands them to a device, some at a time and never many ahead of what it has done. */
export class Submitter {
  readonly #device: OpenedDevice;
  readonly #underWay: Promise<unknown>[] = [];

  constructor(device: OpenedDevice) {
    this.#device = device;
  }

  /**
   * Submits passes; what they write is there for what is submitted later. When it fails, the device has nothing of them
   * left to do. @throws MAMBAIR_CANCELLED, MAMBAIR_DEVICE_LOST, and what `check` throws
   */
  async submit(passes: readonly BoundPass[], { signal, progress, check, between }: SubmitOptions): Promise<void> {
    const { device } = this.#device;
    try {
      for (let first = 0; first < passes.length; ) {
        const end = groupEnd(passes, first, between);
        await this.#submit('running a network', () => {
          const encoder = device.createCommandEncoder();
          const pass = encoder.beginComputePass();
          for (const { pipeline, group, x, y } of passes.slice(first, end)) {
            pass.setPipeline(pipeline);
            pass.setBindGroup(0, group);
            pass.dispatchWorkgroups(x, y);
          }
          pass.end();
          device.queue.submit([encoder.finish()]);
        });
        first = end;
        between?.get(first)?.();
        throwIfCancelled(signal);
        check();
        progress?.(first, passes.length);
      }
    } catch (error) {
      await this.#device.wait(Promise.all(this.#underWay.splice(0)));
      throw error;
    }
  }

  /** Submits a copy of the first bytes of a buffer. @throws MAMBAIR_DEVICE_LOST */
  async copy(source: GpuBuffer, target: GpuBuffer, bytes: number): Promise<void> {
    const { device } = this.#device;
    await this.#submit('reading a result', () => {
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(source, 0, target, 0, bytes);
      device.queue.submit([encoder.finish()]);
    });
  }

  async #submit(what: string, act: () => void): Promise<void> {
    while (this.#underWay.length >= submitsAhead) {
      await this.#device.wait(this.#underWay.shift() as Promise<unknown>);
    }
    await this.#device.checked(what, act);
    // Nobody may be waiting for it any more when the device is lost; who is hears of that from the device.
    this.#underWay.push(this.#device.device.queue.onSubmittedWorkDone().catch(() => undefined));
  }
}

/** Where the next command buffer ends: after one pass at least, and where something is to be done in between. */
function groupEnd(passes: readonly BoundPass[], first: number, between: SubmitOptions['between']): number {
  const workOf = (at: number) => (passes[at] as BoundPass).work;
  let work = workOf(first);
  let end = first + 1;
  while (end < passes.length && between?.has(end) !== true && work + workOf(end) <= submitWork) {
    work += workOf(end);
    end += 1;
  }
  return end;
}

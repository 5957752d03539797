import { describe, expect, it } from '@jest/globals';
import { repeatNetwork } from '../../test/fake-networks.js';
import { MambairError } from '../errors.js';
import type { ExecutorName } from '../executors/executor.js';
import { Recovery, type RecoveryWays, type Running } from './recovery.js';

const [lost, notFinite, full] = ['MAMBAIR_DEVICE_LOST', 'MAMBAIR_NOT_FINITE', 'MAMBAIR_OUT_OF_MEMORY'] as const;

/** A network that knows whether its executor was disposed of. */
function running(name: ExecutorName): Running & { readonly state: { isDisposed: boolean } } {
  const state = { isDisposed: false };
  return {
    state,
    network: repeatNetwork(),
    executor: {
      name,
      description: name,
      load: () => Promise.reject(new Error('not asked for')),
      dispose: () => {
        state.isDisposed = true;
        return Promise.resolve();
      },
    },
  };
}

/** All ways, each told in `taken` when it is. */
function allWays(taken: string[], gpus: readonly (Running | undefined)[] = []): Required<RecoveryWays> {
  const left = [...gpus];
  const take = async (name: string, result: Running): Promise<Running> => {
    taken.push(name);
    return result;
  };
  return {
    exactly: () => take('exactly', running('webgpu')),
    reopen: () => {
      const next = left.length > 0 ? left.shift() : running('webgpu');
      taken.push('reopen');
      return next === undefined
        ? Promise.reject(new MambairError('MAMBAIR_DEVICE_UNAVAILABLE', 'gone'))
        : Promise.resolve(next);
    },
    onCpu: () => take('onCpu', running('cpu')),
    plainly: () => take('plainly', running('cpu')),
  };
}

describe('the recovery of a network', () => {
  it('opens a lost device anew, twice in ten minutes, then takes the CPU', async () => {
    const taken: string[] = [];
    let now = 0;
    const recovery = new Recovery(running('webgpu'), allWays(taken), () => now);
    const lose = () => recovery.recover(recovery.network, lost);
    await lose();
    await lose();
    now += 11 * 60_000;
    await lose();
    await lose();
    expect((await lose())?.how).toBe('on the CPU');
    expect(taken).toEqual(['reopen', 'reopen', 'reopen', 'reopen', 'onCpu']);
    expect(recovery.executor.name).toBe('cpu');
    expect(await lose()).toBeUndefined();
  });

  it('tries a second time when the driver does not answer yet', async () => {
    const taken: string[] = [];
    const gpu = running('webgpu');
    const recovery = new Recovery(running('webgpu'), allWays(taken, [undefined, gpu]));
    expect((await recovery.recover(recovery.network, lost))?.network).toBe(gpu.network);
    expect(taken).toEqual(['reopen', 'reopen']);
  });

  it('takes the CPU when the device is gone for good', async () => {
    const taken: string[] = [];
    const recovery = new Recovery(running('webgpu'), allWays(taken, [undefined, undefined, undefined]));
    await recovery.recover(recovery.network, lost);
    expect(taken).toEqual(['reopen', 'reopen', 'onCpu']);
  });

  it('goes from halves to floats, to the CPU, to its plain kernels for values that are not finite', async () => {
    const taken: string[] = [];
    const ways = allWays(taken);
    const recovery = new Recovery(running('webgpu'), {
      ...ways,
      exactly: (like) => (taken.includes('exactly') ? Promise.resolve(undefined) : ways.exactly(like)),
    });
    const hows: (string | undefined)[] = [];
    for (let step = 0; step < 4; step++) {
      hows.push((await recovery.recover(recovery.network, notFinite))?.how);
    }
    expect(taken).toEqual(['exactly', 'onCpu', 'plainly']);
    expect(hows.map((how) => how?.split(' ').at(-1))).toEqual(['float32', 'CPU', 'CPU', undefined]);
  });

  it('takes the CPU when a GPU has no memory for the smallest tile; a CPU without has nothing', async () => {
    const taken: string[] = [];
    const recovery = new Recovery(running('webgpu'), allWays(taken));
    await recovery.recover(recovery.network, full);
    expect(await recovery.recover(recovery.network, full)).toBeUndefined();
    expect(taken).toEqual(['onCpu']);
  });

  it('gives those who come late what is in use, without another word', async () => {
    const taken: string[] = [];
    const recovery = new Recovery(running('webgpu'), allWays(taken));
    const failed = recovery.network;
    const [first, second] = await Promise.all([recovery.recover(failed, lost), recovery.recover(failed, lost)]);
    expect([first?.network, second?.network]).toEqual([recovery.network, recovery.network]);
    expect([typeof first?.how, second?.how]).toEqual(['string', undefined]);
    expect(taken).toEqual(['reopen']);
  });

  it('frees all that was opened, at the end', async () => {
    const [first, second] = [running('webgpu'), running('webgpu')];
    const recovery = new Recovery(first, allWays([], [second]));
    await recovery.recover(recovery.network, lost);
    expect(first.state.isDisposed).toBe(false);
    await recovery.dispose();
    expect([first, second].map(({ state }) => state.isDisposed)).toEqual([true, true]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { MambairError } from '../../errors.js';
import { type Precision, type Tensor, tensor } from '../../tensor/tensor.js';
import type { Network } from '../executor.js';
import { loadInBestPrecision } from './choose-precision.js';

/** A network that gives its input back, changed; and counts itself while it is there. */
function network(change: (value: number) => number, alive: Set<Network>): Network {
  const made: Network = {
    scale: 1,
    inputChannels: 3,
    outputChannels: 3,
    plan: () => ({ weightBytes: 0, activationBytes: 0, scratchBytes: 0, totalBytes: 0, limitBytes: 0 }),
    run: async (input: Tensor) => ({
      output: tensor(input.shape, input.data.map(change) as Float32Array<ArrayBuffer>),
      taps: new Map(),
    }),
    dispose: async () => void alive.delete(made),
  };
  alive.add(made);
  return made;
}

describe('the precision of a network', () => {
  const choose = async (inHalves: (value: number) => number, hasHalves = true) => {
    const alive = new Set<Network>();
    const load = async (precision: Precision) => network(precision === 'f32' ? (value) => value : inHalves, alive);
    const { network: chosen, choice } = await loadInBestPrecision(load, { hasHalves });
    expect([...alive]).toEqual([chosen]);
    return choice;
  };

  it('is halves where they agree with float32', async () => {
    const { name, reason } = await choose((value) => value + 1e-4);
    expect(name).toBe('f16');
    expect(reason).toContain('80 dB');
    expect((await choose((value) => value)).name).toBe('f16');
  });

  it('is float32 on a device without halves', async () => {
    expect(await choose((value) => value, false)).toEqual({ name: 'f32', reason: 'the device has no shader-f16' });
  });

  it('is float32 where halves change the picture or overflow', async () => {
    expect(await choose((value) => value + 0.01)).toMatchObject({ name: 'f32' });
    expect(await choose((value) => (value === 1 ? Number.NaN : value))).toEqual({
      name: 'f32',
      reason: 'the network in halves overflows on a test picture',
    });
  });

  it('is float32 where halves fail, and nothing where the device is lost', async () => {
    const failing = (code: 'MAMBAIR_OUT_OF_MEMORY' | 'MAMBAIR_DEVICE_LOST') => {
      const alive = new Set<Network>();
      const load = async (precision: Precision) => {
        if (precision === 'f16') {
          throw new MambairError(code, 'no more');
        }
        return network((value) => value, alive);
      };
      return { alive, choosing: loadInBestPrecision(load, { hasHalves: true }) };
    };
    expect((await failing('MAMBAIR_OUT_OF_MEMORY').choosing).choice).toEqual({
      name: 'f32',
      reason: 'halves could not be tried (no more)',
    });
    const { alive, choosing } = failing('MAMBAIR_DEVICE_LOST');
    await expect(choosing).rejects.toMatchObject({ code: 'MAMBAIR_DEVICE_LOST' });
    expect(alive.size).toBe(0);
  });
});

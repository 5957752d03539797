import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fakeNetwork, mapPixels } from '../../test/fake-networks.js';
import { frameLayout, pixelFormat } from '../video/pixel-format.js';
import { MambairError } from '../errors.js';
import type { Network } from '../executors/executor.js';
import { inOrder, limited } from './in-order.js';
import { createFrameRestorer } from './restore-frames.js';
import { restoreTensor } from './restore-tensor.js';

const pause = (turns: number): Promise<void> =>
  turns <= 0 ? Promise.resolve() : new Promise((resolve) => setImmediate(() => resolve(pause(turns - 1))));

describe('work in order', () => {
  it('gives results in the order of items, never with more under way than it may', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(5), { maxLength: 12 }),
        fc.integer({ min: 1, max: 4 }),
        async (items, atOnce) => {
          let underWay = 0;
          let most = 0;
          const start = async (turns: number): Promise<number> => {
            underWay += 1;
            most = Math.max(most, underWay);
            await pause(turns);
            underWay -= 1;
            return turns * 10;
          };
          const results: number[] = [];
          for await (const { item, result } of inOrder(items, atOnce, start)) {
            expect(result).toBe(item * 10);
            results.push(item);
          }
          expect(results).toEqual(items);
          expect(most).toBe(Math.min(atOnce, items.length));
        },
      ),
      { seed: 1, numRuns: 40 },
    );
  });

  it('leaves nothing under way when an item fails or who takes them leaves', async () => {
    let underWay = 0;
    const start = async (item: number): Promise<number> => {
      underWay += 1;
      await pause(item);
      underWay -= 1;
      if (item === 2) {
        throw new MambairError('MAMBAIR_INTERNAL', 'the second');
      }
      return item;
    };
    const all = async (): Promise<void> => {
      for await (const { item } of inOrder([1, 2, 9], 3, start)) {
        expect(item).toBe(1);
      }
    };
    await expect(all()).rejects.toMatchObject({ code: 'MAMBAIR_INTERNAL' });
    expect(underWay).toBe(0);
    for await (const { item } of inOrder([1, 9, 9], 2, start)) {
      expect(item).toBe(1);
      break;
    }
    expect(underWay).toBe(0);
  });

  it('limits calls, those that fail too', async () => {
    const one = limited(1);
    const order: string[] = [];
    const call = (name: string, turns: number) =>
      one(async () => {
        order.push(`${name} begins`);
        await pause(turns);
        order.push(`${name} ends`);
        if (name === 'a') {
          throw new MambairError('MAMBAIR_INTERNAL', 'a');
        }
      }).catch(() => undefined);
    await Promise.all([call('a', 3), call('b', 0), call('c', 1)]);
    expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });
});

/** A network that says it is worth two runs at a time, and counts how many it had. */
function pairedNetwork(): { readonly network: Network; readonly most: () => number } {
  let underWay = 0;
  let most = 0;
  let runs = 0;
  const during = async <T>(compute: () => T): Promise<T> => {
    underWay += 1;
    most = Math.max(most, underWay);
    runs += 1;
    // Later ones are done sooner.
    await pause(6 - (runs % 6));
    underWay -= 1;
    return compute();
  };
  const fake = fakeNetwork({ compute: (input) => during(() => mapPixels(input, 1, (value) => 1 - value)) });
  const network: Network = {
    ...fake,
    runsAtOnce: 2,
    runCodes: (codes) => during(() => codes.map((code) => 255 - code)),
  };
  return { network, most: () => most };
}

describe('a network that is worth two runs at a time', () => {
  it('gets two tiles at a time, and the picture is the same', async () => {
    const { network, most } = pairedNetwork();
    const input = {
      shape: [1, 3, 90, 100],
      data: Float32Array.from({ length: 27_000 }, (_, at) => (at % 251) / 251),
    };
    const progress: number[] = [];
    const output = await restoreTensor(network, input, {
      tile: 32,
      overlap: 8,
      routing: 'argmax',
      progress: ({ done }) => progress.push(done),
    });
    expect(output.data).toEqual(input.data.map((value) => 1 - value));
    expect(most()).toBe(2);
    expect(progress.at(-1)).toBe(30);
    expect(progress.every((done, at) => done >= (progress[at - 1] ?? 0) - 1e-9)).toBe(true);
  });

  it('is replaced once, and told of once, when both tiles fail alike', async () => {
    const { network, most } = pairedNetwork();
    const lost: Network = {
      ...network,
      run: async () => {
        await pause(1);
        throw new MambairError('MAMBAIR_DEVICE_LOST', 'gone');
      },
    };
    const codes: string[] = [];
    let asked = 0;
    const input = { shape: [1, 3, 40, 100], data: new Float32Array(12_000).fill(0.25) };
    const output = await restoreTensor(lost, input, {
      tile: 32,
      overlap: 8,
      routing: 'argmax',
      warn: (code) => codes.push(code),
      recover: async () => {
        asked += 1;
        await pause(3);
        return { network, how: 'elsewhere' };
      },
    });
    expect(output.data.every((value) => value === 0.75)).toBe(true);
    expect([asked, codes, most()]).toEqual([1, ['MAMBAIR_DEVICE_LOST'], 2]);
  });

  it('gets two frames at a time, and each comes back as its own', async () => {
    const { network, most } = pairedNetwork();
    const layout = frameLayout(pixelFormat('rgb24'), 8, 8);
    const colour = { matrix: 'bt709', range: 'full', chromaLocation: 'left' } as const;
    const restorer = await createFrameRestorer(network, layout, colour, { tile: 'auto', routing: 'argmax' });
    expect(restorer.framesAtOnce).toBe(2);
    const frames = Array.from({ length: 7 }, (_, frame) => new Uint8Array(layout.bytes).fill(frame));
    const results = await Promise.all(frames.map((frame) => restorer.restore(frame)));
    expect(results.map(([first]) => first)).toEqual(frames.map((_, frame) => 255 - frame));
    expect(most()).toBe(2);
  });
});

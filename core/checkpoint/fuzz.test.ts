import { describe, expect, it } from '@jest/globals';
import {
  floats,
  legacyCheckpoint,
  pickle,
  tensorOpcodes,
  zipCheckpoint,
  zipFile,
} from '../../test/checkpoint-files.js';
import { mutate, seededRandom } from '../../test/mutate.js';
import { invariant, isMambairError } from '../errors.js';
import { encodeSafetensors } from '../tensor/safetensors.js';
import { dtypeBytes, elementCount } from '../tensor/tensor.js';
import { parseCheckpoint } from './read-checkpoint.js';

const { program, dict, text, int, float, list, tuple, call, global, none } = pickle;

const view = { key: '0', count: 12, size: [2, 3], stride: [1, 2], offset: 1 };
const objectOf = (isLegacy: boolean) =>
  program(
    dict({
      params: call(
        global('collections', 'OrderedDict'),
        list(
          tuple(text('w'), tensorOpcodes({ ...view, isLegacy })),
          tuple(text('b'), tensorOpcodes({ ...view, isLegacy })),
        ),
      ),
      optimizer: dict({ state: list(int(1), float(0.5), none), step: int(2n ** 40n) }),
    }),
  );
const data = floats(...Array.from({ length: 12 }, (_, index) => index));
const object = objectOf(false);
const seeds = [
  zipCheckpoint(object, { '0': data }, [{ name: 'archive/version', data: Buffer.from('3\n') }]),
  zipFile([
    { name: 'a/data.pkl', data: object, isDeflated: true },
    { name: 'a/data/0', data, isDeflated: true },
  ]),
  legacyCheckpoint(objectOf(true), [{ key: '0', count: 12, data }]),
  encodeSafetensors(new Map([['w', { dtype: 'F32', shape: [3, 4], bytes: data }]]), new Map([['a', 'b']])),
];

/** Runs the reader on damaged files; gives every error that is not ours, and the slowest time in milliseconds. */
function fuzz(
  runs: number,
  makeFile: (run: number) => Uint8Array,
): { readonly failures: unknown[]; readonly slowest: number } {
  const failures: unknown[] = [];
  let slowest = 0;
  for (let run = 0; run < runs; run++) {
    const file = makeFile(run);
    const start = performance.now();
    try {
      for (const { dtype, shape, bytes } of parseCheckpoint(file, 'x.pth').tensors.values()) {
        invariant(bytes.length === elementCount(shape) * dtypeBytes[dtype], 'the bytes fit the shape');
      }
    } catch (error) {
      if (!isMambairError(error) || error.code === 'MAMBAIR_INTERNAL') {
        failures.push(error);
      }
    }
    slowest = Math.max(slowest, performance.now() - start);
  }
  return { failures, slowest };
}

describe('damaged checkpoints', () => {
  it('gives a typed error or whole tensors for 20,000 damaged files', () => {
    const random = seededRandom(1);
    const { failures, slowest } = fuzz(20_000, (run) => mutate(seeds[run % seeds.length] ?? data, random, seeds));
    expect(failures).toEqual([]);
    expect(slowest).toBeLessThan(1000);
  });

  it('does so for 10,000 damaged pickles in sound archives', () => {
    const random = seededRandom(2);
    const { failures, slowest } = fuzz(10_000, () => zipCheckpoint(mutate(object, random, [object]), { '0': data }));
    expect(failures).toEqual([]);
    expect(slowest).toBeLessThan(1000);
  });
});

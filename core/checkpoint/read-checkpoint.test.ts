import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { MemberSpec } from '../../test/checkpoint-files.js';
import { floats, legacyCheckpoint, pickle, tensorOpcodes, zipCheckpoint } from '../../test/checkpoint-files.js';
import { isMambairError } from '../errors.js';
import { toFloat32 } from '../tensor/convert.js';
import { encodeSafetensors } from '../tensor/safetensors.js';
import type { ReadOptions } from './read-checkpoint.js';
import { parseCheckpoint, readCheckpoint } from './read-checkpoint.js';

const { program, dict, text, int, list } = pickle;
const view = { key: '0', count: 4, size: [2, 2], stride: [1, 2] };
const weight = tensorOpcodes(view);
const storages = { '0': floats(0, 1, 2, 3) };
const zipOf = (entries: Parameters<typeof dict>[0], extra: readonly MemberSpec[] = []) =>
  zipCheckpoint(program(dict(entries)), storages, extra);
const member = (name: string, content: string): MemberSpec => ({ name: `archive/${name}`, data: Buffer.from(content) });
const legacyOf = (key: string, count: number | bigint, data: Uint8Array) =>
  legacyCheckpoint(program(dict({ params: dict({ w: tensorOpcodes({ ...view, isLegacy: true }) }) })), [
    { key, count, data },
  ]);

/** Names and values of what a file holds. */
function read(bytes: Uint8Array, options?: ReadOptions): Record<string, readonly number[]> {
  const { tensors } = parseCheckpoint(bytes, 'x.pth', options);
  return Object.fromEntries([...tensors].map(([name, stored]) => [name, [...toFloat32(stored)]]));
}

function codeOf(call: () => unknown): unknown {
  try {
    call();
    return 'none';
  } catch (error) {
    return isMambairError(error) ? error.code.replace('MAMBAIR_', '') : error;
  }
}

describe('parseCheckpoint', () => {
  it('reads the three formats by their content', () => {
    const values = { w: [0, 2, 1, 3] };
    expect(read(zipOf({ params: dict({ w: weight }) }))).toEqual(values);
    expect(read(legacyOf('0', 4, floats(0, 1, 2, 3)))).toEqual(values);
    const tensor = { dtype: 'F32', shape: [4], bytes: floats(0, 2, 1, 3) } as const;
    expect(read(encodeSafetensors(new Map([['module.w', tensor]])))).toEqual(values);
  });

  it('swaps the elements of a big-endian archive', () => {
    const bytes = zipCheckpoint(program(dict({ w: weight })), { '0': floats(0, 1, 2, 3).reverse() }, [
      member('byteorder', 'big'),
    ]);
    expect(read(bytes)).toEqual({ w: [3, 1, 2, 0] });
  });

  it('chooses params, lets the caller choose, and names the other groups', () => {
    const bytes = zipOf({ params_ema: dict({ a: weight }), params: dict({ b: weight }), epoch: int(3) });
    expect(parseCheckpoint(bytes, 'x.pth')).toMatchObject({
      group: ['params'],
      otherGroups: ['params_ema'],
      warnings: [],
    });
    expect(Object.keys(read(bytes, { group: 'params_ema' }))).toEqual(['a']);
  });

  it('takes the only group under any name, and asks when there are several', () => {
    expect(parseCheckpoint(zipOf({ net: dict({ w: weight }), args: dict({}) }), 'x.pth').group).toEqual(['net']);
    const several = zipOf({ g: dict({ w: weight }), d: dict({ w: weight }) });
    expect(codeOf(() => read(several))).toBe('OPTION_INVALID');
    expect(Object.keys(read(several, { group: 'd' }))).toEqual(['w']);
  });

  it('reads the top level beside a group when asked to', () => {
    const bytes = zipOf({ rng: weight, state_dict: dict({ w: weight }) });
    expect(Object.keys(read(bytes))).toEqual(['w']);
    expect(Object.keys(read(bytes, { group: '' }))).toEqual(['rng']);
  });

  it('looks only once into a group that stands under many names', () => {
    const group = dict(Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`k${index}`, int(0)])));
    const names = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`n${index}`, pickle.get(0)]));
    const bytes = zipOf({ first: pickle.put(group, 0), ...names });
    const start = performance.now();
    expect(codeOf(() => read(bytes))).toBe('NO_TENSORS');
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it('warns of what it leaves out', () => {
    const { tensors, warnings } = parseCheckpoint(zipOf({ w: weight, epoch: int(3), note: text('x') }), 'x.pth');
    expect([...tensors.keys()]).toEqual(['w']);
    expect(warnings).toEqual([expect.stringContaining("'epoch', 'note'")]);
  });

  it('warns of values that are not finite', () => {
    const bytes = zipCheckpoint(program(dict({ w: weight })), { '0': floats(0, Number.NaN, 2, 3) });
    expect(parseCheckpoint(bytes, 'x.pth').warnings).toEqual([expect.stringContaining("'w'")]);
  });

  it.each<readonly [string, Uint8Array, ReadOptions | undefined, string]>([
    ['a group that is not there', zipOf({ params: dict({ w: weight }) }), { group: 'net' }, 'OPTION_INVALID'],
    ['a group of a safetensors file', encodeSafetensors(new Map()), { group: 'params' }, 'OPTION_INVALID'],
    ['names that differ by module. only', zipOf({ w: weight, 'module.w': weight }), undefined, 'TENSOR_INVALID'],
    ['a list of tensors', zipCheckpoint(program(list(weight)), storages), undefined, 'NO_TENSORS'],
    ['tensors two levels down', zipOf({ a: dict({ b: dict({ w: weight }) }) }), undefined, 'NO_TENSORS'],
    ['a storage that is not there', zipCheckpoint(program(dict({ w: weight }))), undefined, 'STORAGE_INVALID'],
    [
      'a storage of another size',
      zipCheckpoint(program(dict({ w: weight })), { '0': floats(1) }),
      undefined,
      'STORAGE_INVALID',
    ],
    ['another byte order', zipOf({ w: weight }, [member('byteorder', 'middle')]), undefined, 'PTH_MALFORMED'],
    ['TorchScript', zipOf({ w: weight }, [member('constants.pkl', '')]), undefined, 'PTH_UNSUPPORTED'],
    ['two pickles', zipOf({ w: weight }, [member('b/data.pkl', '')]), undefined, 'PTH_MALFORMED'],
    ['a legacy storage of another size', legacyOf('0', 3, floats(1, 2, 3)), undefined, 'STORAGE_INVALID'],
    ['a legacy storage cut short', legacyOf('0', 4, floats(1, 2, 3)), undefined, 'STORAGE_INVALID'],
    ['a legacy storage under another key', legacyOf('1', 4, floats(1, 2, 3, 4)), undefined, 'STORAGE_INVALID'],
    ['a tar file', Buffer.from(`${'x'.repeat(257)}ustar`), undefined, 'PTH_UNSUPPORTED'],
    ['an empty file', new Uint8Array(), undefined, 'NOT_A_CHECKPOINT'],
    ['text', Buffer.from('hello'), undefined, 'NOT_A_CHECKPOINT'],
    ['a PNG image', Buffer.from('\u0089PNG\r\n\u001a\n', 'latin1'), undefined, 'NOT_A_CHECKPOINT'],
    ['a pickle of its own', program(int(1)), undefined, 'NOT_A_CHECKPOINT'],
  ])('refuses %s', (_, bytes, options, code) => {
    expect(codeOf(() => read(bytes, options))).toBe(code);
  });
});

describe('readCheckpoint', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mambair-checkpoint-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('reads a file', async () => {
    const path = join(folder, 'a.pth');
    await writeFile(path, zipOf({ params: dict({ w: weight }) }));
    expect(await readCheckpoint(path)).toMatchObject({ format: 'pth-zip', group: ['params'] });
  });

  it('says when there is no file, or no ordinary one', async () => {
    await expect(readCheckpoint(join(folder, 'none.pth'))).rejects.toMatchObject({ code: 'MAMBAIR_FILE_NOT_FOUND' });
    await expect(readCheckpoint(folder)).rejects.toMatchObject({ code: 'MAMBAIR_FILE_READ' });
    await expect(readCheckpoint('a\0b')).rejects.toMatchObject({ code: 'MAMBAIR_FILE_READ' });
  });

  it('stops when cancelled', async () => {
    const path = join(folder, 'b.pth');
    await writeFile(path, zipOf({ params: dict({ w: weight }) }));
    await expect(readCheckpoint(path, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'MAMBAIR_CANCELLED',
    });
  });
});

import { readFile, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { parseSafetensors, encodeSafetensors } from '../../core/tensor/safetensors.js';
import type { StoredTensor } from '../../core/tensor/tensor.js';
import { readInputTensor } from '../../core/library/tensor-files.js';
import { randomCheckpoint, randomImage, smallConfig } from '../random-network.js';
import { sharedPath, describeWithShared } from '../shared.js';
import { mambair, workFolder } from './run.js';

const at = workFolder();

const stored = (shape: readonly number[], data: Float32Array): StoredTensor => ({
  dtype: 'F32',
  shape,
  bytes: new Uint8Array(data.buffer),
});

beforeAll(async () => {
  const input = randomImage([2, 3, 5, 7], 3);
  const tensors = new Map(randomCheckpoint(smallConfig, 1));
  tensors.set('input', stored(input.shape, input.data));
  for (const block of [0, 1]) {
    tensors.set(`noise${block}`, stored([2, 64, 5], randomImage([2, 1, 64, 5], block).data));
  }
  await writeFile(at('all.safetensors'), encodeSafetensors(tensors));
});

async function output(...options: string[]): Promise<ReadonlyMap<string, StoredTensor>> {
  const run = await mambair(
    ...['tensor', '--model', at('all.safetensors'), '--input', at('all.safetensors')],
    ...['--output', at('out.safetensors'), '--overwrite', ...options],
  );
  expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  return parseSafetensors(await readFile(at('out.safetensors')), 'out').tensors;
}

const bytes = async (...options: string[]): Promise<Buffer> =>
  Buffer.from((await output(...options)).get('output')!.bytes);

describe('mambair tensor', () => {
  it('runs the raw network on a batch', async () => {
    expect((await output()).get('output')).toMatchObject({ dtype: 'F32', shape: [2, 3, 10, 14] });
  });

  it('routes as it is told', async () => {
    const seeded = await bytes('--routing', 'seeded', '--seed', '0', '--threads', '1');
    expect(seeded.equals(await bytes())).toBe(true);
    expect(seeded.equals(await bytes('--seed', '1'))).toBe(false);
    expect(seeded.equals(await bytes('--routing', 'argmax'))).toBe(false);
    expect(seeded.equals(await bytes('--routing', `noise:${at('all.safetensors')}`))).toBe(false);
    expect(seeded.equals(await bytes('--set', 'img_range=2'))).toBe(false);
  });

  it('writes inner values by their names', async () => {
    const tensors = await output('--taps', 'conv_first,norm', '--device', 'reference');
    expect([...tensors.keys()].sort()).toEqual(['conv_first', 'norm', 'output']);
    expect(tensors.get('conv_first')?.shape).toEqual([2, 8, 8, 8]);
  });

  it('tells what it did, or nothing', async () => {
    const args = ['tensor', '-m', at('all.safetensors'), '-i', at('all.safetensors'), '-o', at('t.safetensors')];
    expect((await mambair(...args, '--json')).events()[0]).toMatchObject({ event: 'tensor', shape: [2, 3, 10, 14] });
    expect(await mambair(...args, '--overwrite', '--quiet')).toMatchObject({ stdout: '' });
    expect((await mambair(...args, '--overwrite')).stdout).toContain('[2, 3, 10, 14]');
    expect(await mambair(...args)).toMatchObject({ exitCode: 5 });
  });

  it.each([
    [2, ['--model', 'all.safetensors']],
    [2, ['-m', 'all.safetensors', '-i', 'all.safetensors', '-o', 'o.safetensors', '--routing', 'random']],
    [
      2,
      ['-m', 'all.safetensors', '-i', 'all.safetensors', '-o', 'o.safetensors', '--routing', 'argmax', '--seed', '1'],
    ],
    [2, ['-m', 'all.safetensors', '-i', 'all.safetensors', '-o', 'o.safetensors', '--taps', 'nothing']],
    [3, ['-m', 'none.safetensors', '-i', 'all.safetensors', '-o', 'o.safetensors']],
    [4, ['-m', 'all.safetensors', '-i', 'none.safetensors', '-o', 'o.safetensors']],
    [4, ['-m', 'all.safetensors', '-i', 'out.safetensors', '-o', 'o.safetensors']],
    [
      4,
      ['-m', 'all.safetensors', '-i', 'all.safetensors', '-o', 'o.safetensors', '--routing', 'noise:out.safetensors'],
    ],
    [5, ['-m', 'all.safetensors', '-i', 'all.safetensors', '-o', 'no/such/o.safetensors']],
  ])('ends with %d for %j', async (exitCode, args) => {
    const words = args.map((each) => (each.endsWith('.safetensors') && !each.startsWith('noise:') ? at(each) : each));
    const run = await mambair('tensor', ...words.map((each) => each.replace('noise:', `noise:${at('')}`)));
    expect(run.exitCode).toBe(exitCode);
    expect(run.stderr).toMatch(/^mambair: .+\n$/);
  });
});

const fixture = 'golden/mambairv2-light-x3-gumbel.safetensors';
describeWithShared('mambair tensor on an official fixture', [fixture], () => {
  it('gives the official output with the official noise', async () => {
    const path = sharedPath(fixture) ?? '';
    const run = await mambair(
      ...[
        'tensor',
        '--model',
        path,
        '--input',
        path,
        '--routing',
        `noise:${path}`,
        '--output',
        at('official.safetensors'),
      ],
    );
    expect(run.exitCode).toBe(0);
    const expected = parseSafetensors(await readFile(path), path).tensors.get('output')!;
    const actual = parseSafetensors(await readFile(at('official.safetensors')), '').tensors.get('output')!;
    const wanted = new Float64Array(Uint8Array.from(expected.bytes).buffer);
    const got = new Float32Array(Uint8Array.from(actual.bytes).buffer);
    let difference = 0;
    let norm = 0;
    wanted.forEach((value, index) => {
      difference += (value - got[index]!) ** 2;
      norm += value ** 2;
    });
    expect(Math.sqrt(difference / norm)).toBeLessThan(2e-5);
    expect((await readInputTensor(path)).shape).toEqual([1, 3, 9, 17]);
  });
});

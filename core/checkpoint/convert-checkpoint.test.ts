import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { floats, pickle, tensorOpcodes, zipCheckpoint } from '../../test/checkpoint-files.js';
import { toFloat32 } from '../tensor/convert.js';
import { parseSafetensors } from '../tensor/safetensors.js';
import { convertCheckpoint } from './convert-checkpoint.js';

const { program, dict } = pickle;

let folder = '';
let input = '';
let output = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mambair-convert-'));
  input = join(folder, 'in.pth');
  output = join(folder, 'out.safetensors');
});
afterEach(() => rm(folder, { recursive: true }));

/** A file with a float tensor `w` and an index tensor `i`. */
async function writeInput(...values: readonly number[]): Promise<void> {
  const count = values.length;
  const view = { count, size: [count], stride: [1] };
  const entries = {
    w: tensorOpcodes({ ...view, key: '0' }),
    i: tensorOpcodes({ ...view, key: '1', storageClass: 'LongStorage' }),
  };
  const indices = new Uint8Array(BigInt64Array.from(values, (_, i) => BigInt(i)).buffer);
  await writeFile(
    input,
    zipCheckpoint(program(dict({ params: dict(entries) })), { '0': floats(...values), '1': indices }),
  );
}

describe('convertCheckpoint', () => {
  it('writes the same tensors, and says where they came from', async () => {
    await writeInput(1, -0, Number.NaN);
    const conversion = await convertCheckpoint(input, output);
    const bytes = await readFile(output);
    expect(conversion).toMatchObject({
      sourceFormat: 'pth-zip',
      group: ['params'],
      tensorCount: 2,
      byteCount: bytes.length,
    });
    const { tensors, metadata } = parseSafetensors(bytes, output);
    expect([...(tensors.get('w')?.bytes ?? [])]).toEqual([...floats(1, -0, Number.NaN)]);
    expect(tensors.get('i')?.dtype).toBe('I64');
    expect(Object.fromEntries(metadata)).toEqual({ format: 'pt', source_format: 'pth-zip', source_group: 'params' });
  });

  it('changes the type of the fractions only', async () => {
    await writeInput(1, 0.1);
    await convertCheckpoint(input, output, { dtype: 'F16' });
    const { tensors } = parseSafetensors(await readFile(output), output);
    expect(tensors.get('i')?.dtype).toBe('I64');
    const half = tensors.get('w');
    expect(half?.dtype).toBe('F16');
    expect(half && [...toFloat32(half)]).toEqual([1, 0.0999755859375]);
  });

  it('refuses to turn large weights into infinity, and leaves no file behind', async () => {
    await writeInput(1, 65520);
    await expect(convertCheckpoint(input, output, { dtype: 'F16' })).rejects.toMatchObject({
      code: 'MAMBAIR_TENSOR_INVALID',
    });
    expect(await readdir(folder)).toEqual(['in.pth']);
  });

  it('overwrites only when allowed', async () => {
    await writeInput(1);
    await writeFile(output, 'mine');
    await expect(convertCheckpoint(input, output)).rejects.toMatchObject({ code: 'MAMBAIR_FILE_EXISTS' });
    expect(await readFile(output, 'utf8')).toBe('mine');
    await convertCheckpoint(input, output, { overwrite: true });
    expect(parseSafetensors(await readFile(output), output).tensors.size).toBe(2);
  });

  it('refuses a name that promises another format, and a folder that is not there', async () => {
    await writeInput(1);
    await expect(convertCheckpoint(input, join(folder, 'out.pth'))).rejects.toMatchObject({
      code: 'MAMBAIR_OPTION_INVALID',
    });
    await expect(convertCheckpoint(input, join(folder, 'none', 'out.safetensors'))).rejects.toMatchObject({
      code: 'MAMBAIR_FILE_WRITE',
    });
  });
});

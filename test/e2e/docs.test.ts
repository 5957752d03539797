import { readFile, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { commands } from '../../cli/commands.js';
import { exitCodes, meanings } from '../../cli/exit-codes.js';
import { encodeSafetensors } from '../../core/tensor/safetensors.js';
import { randomCheckpoint, randomImage, smallConfig } from '../random-network.js';
import { mambair, workFolder, writeModel, writePicture } from './run.js';

const at = workFolder();
const read = (name: string): Promise<string> => readFile(`docs/${name}`, 'utf8');

describe('docs/errors.md', () => {
  it('has every code, once, with its exit code', async () => {
    const rows = [...(await read('errors.md')).matchAll(/^\| `(MAMBAIR_\w+)` \| .+ \| ([\d, ]+) \|$/gm)];
    const expected = Object.entries(meanings).map(([code, meaning]) => [
      code,
      meaning === 'phase' ? `${exitCodes.model}, ${exitCodes.input}` : String(exitCodes[meaning]),
    ]);
    expect(new Map(rows.map(([, code, exit]) => [code, exit]))).toEqual(new Map(expected as [string, string][]));
    expect(rows).toHaveLength(expected.length);
  });
});

describe('docs/cli.md', () => {
  it('has every exit code and every command', async () => {
    const text = await read('cli.md');
    const rows = [...text.matchAll(/^\| (\d+) \| .+ \|$/gm)].map(([, code]) => Number(code));
    expect(rows).toEqual(Object.values(exitCodes));
    for (const { name } of commands) {
      expect(text).toContain(`mambair ${name}`.replace(/mambair (bench|doctor)/, '`$1`'));
    }
  });
});

describe('docs/json.md', () => {
  beforeAll(async () => {
    const input = randomImage([1, 3, 5, 7], 3);
    const tensors = new Map(randomCheckpoint(smallConfig, 1));
    tensors.set('input', { dtype: 'F32', shape: input.shape, bytes: new Uint8Array(input.data.buffer) });
    await writeFile(at('all.safetensors'), encodeSafetensors(tensors));
    await writeModel(at('x2.safetensors'));
    await writePicture(at('a.png'));
  });

  it.each([
    ['restore', 'a.png', 'gone.png', '-m', 'x2.safetensors'],
    ['models', 'list'],
    ['models', 'info', 'tiny-x2'],
    ['models', 'convert', 'x2.safetensors', 'converted.safetensors'],
    ['models', 'pull', 'tiny-x2', 'tiny-x9'],
    ['tensor', '-m', 'all.safetensors', '-i', 'all.safetensors', '-o', 'out.safetensors'],
    ['eval', '-m', 'x2.safetensors', '--hr', '', '--scale', '2'],
    ['bench', '-m', 'x2.safetensors', '--size', '8x8', '--repeats', '0'],
    ['doctor'],
    ['restore', 'a.png', '--tile', '1'],
  ])('describes every field of: %s %s', async (...words) => {
    const text = await read('json.md');
    const args = words.map((word) => (word === '' || word.includes('.') ? at(word) : word));
    const events = (await mambair(...args, '--json')).events();
    expect(events.length).toBeGreaterThan(0);
    for (const { event, ...fields } of events) {
      const section = text.split(/^### /m).find((part) => part.startsWith(`${String(event)}\n`)) ?? '';
      for (const field of Object.keys(fields)) {
        expect(section).toContain(`\`${field}\``);
      }
    }
  });
});

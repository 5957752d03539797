import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { publishedConfigurations } from '../../core/architectures/mambairv2/published.js';
import { encodeSafetensors } from '../../core/tensor/safetensors.js';
import { randomCheckpoint } from '../random-network.js';
import { mambair, workFolder, writeModel } from './run.js';

const at = workFolder();
let server: Server;
let mirror = '';

beforeAll(async () => {
  const { config } = publishedConfigurations[0] ?? { config: undefined };
  if (config === undefined) {
    throw new Error('nothing is published');
  }
  const weights = encodeSafetensors(randomCheckpoint(config, 1));
  server = createServer((request, response) =>
    request.url === '/mambairv2_lightSR_x2.pth' ? response.end(weights) : response.writeHead(404).end(),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  mirror = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await writeModel(at('small.safetensors'));
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

describe('mambair models list', () => {
  it('shows what is embedded and what can be fetched', async () => {
    const { exitCode, stdout } = await mambair('models', 'list');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^tiny-x2 +upscale ×2 +embedded/m);
    expect(stdout).toMatch(/^mambairv2-light-x2 +upscale ×2 +to fetch/m);
  });

  it('says the same as JSON', async () => {
    const models = (await mambair('models', 'list', '--json')).events();
    expect(models.every(({ event }) => event === 'model')).toBe(true);
    expect(models.find(({ id }) => id === 'tiny-x2')).toMatchObject({ origin: 'embedded', scale: 2, available: true });
  });
});

describe('mambair models info', () => {
  it('tells what a file holds', async () => {
    const run = await mambair('models', 'info', at('small.safetensors'), '--set', 'img_range=255');
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toMatch(/network: +MambaIRv2/);
    expect(run.stdout).toMatch(/imgRange: +255/);
  });

  it('says the same as JSON, for ids too', async () => {
    const [report] = (await mambair('models', 'info', 'tiny-x2', '--json')).events();
    expect(report).toMatchObject({ name: 'tiny-x2', format: 'safetensors', network: { architecture: 'mambairv2' } });
  });

  it('shows the tensors of an unknown network and fails', async () => {
    const bytes = new Uint8Array(16);
    await writeFile(at('other.safetensors'), encodeSafetensors(new Map([['a', { dtype: 'F32', shape: [4], bytes }]])));
    const run = await mambair('models', 'info', at('other.safetensors'));
    expect(run.exitCode).toBe(3);
    expect(run.stdout).toContain('1 × F32');
    expect(run.stderr).toContain('MambaIRv2');
  });

  it('refuses a group that is not there', async () => {
    expect(await mambair('models', 'info', at('small.safetensors'), '--group', 'params_ema')).toMatchObject({
      exitCode: 2,
    });
  });
});

describe('mambair models convert', () => {
  it('writes safetensors in the element type that is asked for', async () => {
    const run = await mambair('models', 'convert', at('small.safetensors'), at('half.safetensors'), '--dtype', 'F16');
    expect(run.exitCode).toBe(0);
    const [report] = (await mambair('models', 'info', at('half.safetensors'), '--json')).events();
    expect(report).toMatchObject({ dtypes: { F16: expect.any(Number) } });
  });

  it('keeps an existing file unless told otherwise', async () => {
    const args = ['models', 'convert', at('small.safetensors'), at('twice.safetensors'), '--json'];
    expect((await mambair(...args)).events()[0]).toMatchObject({ event: 'converted', sourceFormat: 'safetensors' });
    expect(await mambair(...args)).toMatchObject({ exitCode: 5 });
    expect(await mambair(...args, '--overwrite', '--quiet', '--group', '')).toMatchObject({ exitCode: 2 });
    expect(await mambair(...args, '--overwrite', '--quiet')).toMatchObject({ exitCode: 0 });
  });

  it('needs two names', async () => {
    expect(await mambair('models', 'convert', at('small.safetensors'))).toMatchObject({ exitCode: 2 });
  });
});

describe('mambair models pull', () => {
  it('fetches a model once', async () => {
    const args = ['models', 'pull', 'mambairv2-light-x2', '--mirror', mirror, '--json'];
    const [first] = (await mambair(...args)).events();
    expect(first).toMatchObject({ event: 'pulled', id: 'mambairv2-light-x2', alreadyThere: false });
    const [second] = (await mambair(...args)).events();
    expect(second).toMatchObject({ alreadyThere: true, path: first?.['path'] });
    expect((await readFile(String(first?.['path']))).length).toBe(first?.['bytes']);
  });

  it('goes on after one that cannot be had', async () => {
    const run = await mambair('models', 'pull', 'mambairv2-light-x3', 'mambairv2-light-x2', '--mirror', mirror);
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toContain('was there already');
    expect(run.stderr).toContain('404');
  });

  it('says nothing when all is well and it should not', async () => {
    const run = await mambair('models', 'pull', 'mambairv2-light-x2', '--mirror', mirror, '--quiet');
    expect(run).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
  });

  it('ends with 3 when a model cannot be had', async () => {
    const run = await mambair('models', 'pull', 'mambairv2-light-x4', '--mirror', mirror, '--json');
    expect(run.exitCode).toBe(3);
    expect(run.events()[0]).toMatchObject({ event: 'failure', code: 'MAMBAIR_DOWNLOAD_FAILED' });
    await mkdir(at('home/models'), { recursive: true });
    expect(await readdir(at('home/models'))).toEqual(['mambairv2_lightSR_x2.pth']);
  });
});

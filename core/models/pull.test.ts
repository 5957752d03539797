import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { describeWithShared, sharedPath } from '../../test/shared.js';
import { pullModel } from './pull.js';

let folder = '';
let server: Server;
const paths: string[] = [];

/** Serves one body for every path, or 404 where there is none. */
async function mirror(body: Uint8Array | undefined): Promise<string> {
  server = createServer((request, response) => {
    paths.push(request.url ?? '');
    response.writeHead(body === undefined ? 404 : 200).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/models/`;
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mambair-pull-'));
  paths.length = 0;
});

afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  await rm(folder, { recursive: true });
});

const weights = (name: string): Promise<Buffer> => readFile(sharedPath(`weights/${name}`) ?? '');

describe('pulling a model', () => {
  it('knows no such model, but one that is near', async () => {
    await expect(pullModel('mambairv2-ligth-x2', { folder })).rejects.toMatchObject({
      code: 'MAMBAIR_MODEL_UNKNOWN',
      detail: { nearest: 'mambairv2-light-x2' },
    });
  });

  it('says that the file is not where it should be', async () => {
    const url = await mirror(undefined);
    await expect(pullModel('mambairv2-light-x2', { folder, mirror: url })).rejects.toMatchObject({
      code: 'MAMBAIR_DOWNLOAD_FAILED',
    });
    expect(paths).toEqual(['/models/mambairv2_lightSR_x2.pth']);
  });

  it('deletes what is no checkpoint', async () => {
    const url = await mirror(Buffer.alloc(5000, 7));
    await expect(pullModel('mambairv2-light-x2', { folder, mirror: url })).rejects.toMatchObject({
      code: 'MAMBAIR_DOWNLOAD_FAILED',
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it('leaves a file alone that another process is fetching, and takes over from one that is gone', async () => {
    const url = await mirror(Buffer.alloc(5000, 7));
    const lock = join(folder, 'mambairv2_lightSR_x2.pth.lock');
    await writeFile(lock, String(process.ppid));
    await expect(pullModel('mambairv2-light-x2', { folder, mirror: url })).rejects.toMatchObject({
      code: 'MAMBAIR_FILE_WRITE',
    });
    expect(paths).toEqual([]);
    await writeFile(lock, String(2 ** 22 + 1));
    await expect(pullModel('mambairv2-light-x2', { folder, mirror: url })).rejects.toMatchObject({
      code: 'MAMBAIR_DOWNLOAD_FAILED',
    });
  });
});

describeWithShared('pulling official weights', ['weights/mambairv2_lightSR_x3.pth'], () => {
  it('fetches, checks and then finds the model', async () => {
    const body = await weights('mambairv2_lightSR_x3.pth');
    const url = await mirror(body);
    const first = await pullModel('mambairv2-light-x3', { folder, mirror: url });
    expect(first).toMatchObject({ bytes: body.length, verified: true, alreadyThere: false });
    expect(await readdir(folder)).toEqual(['mambairv2_lightSR_x3.pth']);
    const second = await pullModel('mambairv2-light-x3', { folder, mirror: url });
    expect(second).toMatchObject({ sha256: first.sha256, alreadyThere: true });
    expect(paths).toHaveLength(1);
  });

  it('refuses the weights of another network, by checksum or by configuration', async () => {
    const url = await mirror(await weights('mambairv2_lightSR_x3.pth'));
    await expect(pullModel('mambairv2-light-x2', { folder, mirror: url })).rejects.toMatchObject({
      code: 'MAMBAIR_DOWNLOAD_FAILED',
    });
    server.close();
    const other = await mirror(await weights('mambairv2_lightSR_x4.pth'));
    await expect(pullModel('mambairv2-light-x3', { folder, mirror: other })).rejects.toMatchObject({
      code: 'MAMBAIR_CHECKSUM_MISMATCH',
    });
    expect(await readdir(folder)).toEqual([]);
  });
});

import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { downloadFile, type DownloadOptions } from './download.js';

const content = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 131) % 251));
const sha256 = createHash('sha256').update(content).digest('hex');

type Handler = (request: IncomingMessage, response: ServerResponse, call: number) => void;

let folder = '';
let server: Server;
const requests: IncomingMessage['headers'][] = [];

async function serve(handler: Handler): Promise<string> {
  server = createServer((request, response) => {
    requests.push(request.headers);
    handler(request, response, requests.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.pth`;
}

/** A server that honours Range and If-Range, as object stores do. */
function sendRange(request: IncomingMessage, response: ServerResponse, body: Buffer, etag: string): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? Number.NaN);
  if (Number.isNaN(from) || request.headers['if-range'] !== etag) {
    response.writeHead(200, { etag, 'content-length': body.length });
    response.end(body);
  } else if (from >= body.length) {
    response.writeHead(416, { 'content-range': `bytes */${body.length}` });
    response.end();
  } else {
    response.writeHead(206, {
      etag,
      'content-length': body.length - from,
      'content-range': `bytes ${from}-${body.length - 1}/${body.length}`,
    });
    response.end(body.subarray(from));
  }
}

/**
 * Announces everything, sends some, and hangs up once that has been written down: what is on its way when a connection
 * breaks is lost, more or less of it with the version of Node.
 */
function breakOff(
  response: ServerResponse,
  body: Buffer,
  headers: Record<string, string | number>,
  sent: number,
): void {
  response.writeHead(200, { ...headers, 'content-length': body.length });
  response.write(body.subarray(0, sent));
  const timer = setInterval(() => {
    if ((statSync(`${target()}.part`, { throwIfNoEntry: false })?.size ?? 0) >= sent) {
      response.destroy();
    }
  }, 2);
  response.on('close', () => clearInterval(timer));
}

const quick: DownloadOptions = { backoffMs: 1, attempts: 3 };
const target = (): string => join(folder, 'model.pth');

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mambair-download-'));
  requests.length = 0;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

describe('downloading a file', () => {
  it('writes what the server sends, reports progress and leaves nothing else behind', async () => {
    const url = await serve((request, response) => sendRange(request, response, content, '"a"'));
    const seen: number[] = [];
    const result = await downloadFile(url, target(), {
      sha256,
      progress: ({ done, total }) => seen.push(done / (total ?? 0)),
    });
    expect(result).toEqual({ bytes: content.length, sha256, resumedFrom: 0 });
    expect(content.equals(await readFile(target()))).toBe(true);
    expect(seen.at(-1)).toBe(1);
    expect(await readdir(folder)).toEqual(['model.pth']);
  });

  it('continues by itself when the connection drops half-way', async () => {
    const url = await serve((request, response, call) =>
      call === 1 ? breakOff(response, content, { etag: '"a"' }, 100_000) : sendRange(request, response, content, '"a"'),
    );
    await downloadFile(url, target(), { ...quick, sha256 });
    expect(requests[1]?.range).toBe('bytes=100000-');
    expect(requests[1]?.['if-range']).toBe('"a"');
    expect(content.equals(await readFile(target()))).toBe(true);
  });

  it('continues in a later call what an earlier one left', async () => {
    const url = await serve((request, response, call) =>
      call === 1 ? breakOff(response, content, { etag: '"a"' }, 100_000) : sendRange(request, response, content, '"a"'),
    );
    await expect(downloadFile(url, target(), { attempts: 1 })).rejects.toMatchObject({
      code: 'MAMBAIR_DOWNLOAD_FAILED',
    });
    expect(await readdir(folder)).toEqual(['model.pth.part', 'model.pth.part.json']);
    const result = await downloadFile(url, target(), { ...quick, sha256 });
    expect(result.resumedFrom).toBe(100_000);
  });

  it('starts over when the server ignores ranges', async () => {
    const url = await serve((_, response, call) => {
      if (call === 1) {
        breakOff(response, content, { etag: '"a"' }, 100_000);
      } else {
        response.writeHead(200, { etag: '"a"', 'content-length': content.length });
        response.end(content);
      }
    });
    await downloadFile(url, target(), { ...quick, sha256 });
    expect(content.equals(await readFile(target()))).toBe(true);
  });

  it('starts over when the file changed in between', async () => {
    const newer = Buffer.from(content).reverse();
    const url = await serve((request, response, call) =>
      call === 1 ? breakOff(response, content, { etag: '"a"' }, 100_000) : sendRange(request, response, newer, '"b"'),
    );
    await downloadFile(url, target(), quick);
    expect(newer.equals(await readFile(target()))).toBe(true);
  });

  it('starts over when a range of another version comes in spite of If-Range', async () => {
    const newer = Buffer.from(content).reverse();
    const url = await serve((request, response, call) => {
      if (call === 1) {
        breakOff(response, content, { etag: '"a"' }, 100_000);
      } else {
        request.headers['if-range'] = '"b"';
        sendRange(request, response, newer, '"b"');
      }
    });
    await downloadFile(url, target(), quick);
    expect(newer.equals(await readFile(target()))).toBe(true);
  });

  it('does not append to a part whose version nobody can tell', async () => {
    const url = await serve((_, response, call) => {
      if (call === 1) {
        breakOff(response, content, {}, 100_000);
      } else {
        response.end(content);
      }
    });
    await downloadFile(url, target(), { ...quick, sha256 });
    expect(requests[1]?.range).toBeUndefined();
  });

  it('takes a part that is already whole', async () => {
    const url = await serve((request, response) => sendRange(request, response, content, '"a"'));
    await writeFile(`${target()}.part`, content);
    await writeFile(`${target()}.part.json`, JSON.stringify({ url, validator: '"a"' }));
    const result = await downloadFile(url, target(), { ...quick, sha256 });
    expect(result.resumedFrom).toBe(content.length);
  });

  it('gives up on a missing file at once', async () => {
    const url = await serve((_, response) => response.writeHead(404).end());
    await expect(downloadFile(url, target(), quick)).rejects.toMatchObject({
      code: 'MAMBAIR_DOWNLOAD_FAILED',
      detail: { status: 404 },
    });
    expect(requests).toHaveLength(1);
    expect(await readdir(folder)).toEqual([]);
  });

  it('tries again when the server is overloaded', async () => {
    const url = await serve((request, response, call) =>
      call < 3 ? response.writeHead(503).end() : sendRange(request, response, content, '"a"'),
    );
    await downloadFile(url, target(), { ...quick, sha256 });
    expect(requests).toHaveLength(3);
  });

  it('gives up after so many attempts without a new byte', async () => {
    const url = await serve((_, response) => response.writeHead(503).end());
    await expect(downloadFile(url, target(), quick)).rejects.toMatchObject({ code: 'MAMBAIR_DOWNLOAD_FAILED' });
    expect(requests).toHaveLength(3);
  });

  it.each([
    ['says so', { 'content-type': 'text/html; charset=utf-8' }],
    ['does not say so', {}],
  ])('refuses a web page that %s', async (_, headers) => {
    const url = await serve((_request, response) =>
      response.writeHead(200, headers).end('\n<!DOCTYPE html><title>Log in</title>'),
    );
    await expect(downloadFile(url, target(), quick)).rejects.toMatchObject({ code: 'MAMBAIR_DOWNLOAD_FAILED' });
    expect(await readdir(folder)).toEqual([]);
  });

  it('deletes a file with another checksum', async () => {
    const url = await serve((request, response) => sendRange(request, response, content.subarray(1), '"a"'));
    await expect(downloadFile(url, target(), { ...quick, sha256 })).rejects.toMatchObject({
      code: 'MAMBAIR_CHECKSUM_MISMATCH',
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it('deletes a file that does not pass the check', async () => {
    const url = await serve((request, response) => sendRange(request, response, content, '"a"'));
    const check = (): Promise<void> => Promise.reject(new Error('no'));
    await expect(downloadFile(url, target(), { ...quick, check })).rejects.toThrow('no');
    expect(await readdir(folder)).toEqual([]);
  });

  it('refuses what is longer than a model can be, announced or not', async () => {
    const url = await serve((_, response, call) => {
      response.writeHead(200, call === 1 ? { 'content-length': content.length } : {});
      response.end(content);
    });
    for (let call = 0; call < 2; call += 1) {
      await expect(downloadFile(url, target(), { ...quick, limitBytes: 1000 })).rejects.toMatchObject({
        code: 'MAMBAIR_DOWNLOAD_FAILED',
        detail: { limitBytes: 1000 },
      });
      expect(await readdir(folder)).toEqual([]);
    }
  });

  it('breaks off a connection that falls silent, and continues', async () => {
    const url = await serve((request, response, call) => {
      if (call === 1) {
        response.writeHead(200, { etag: '"a"', 'content-length': content.length });
        response.write(content.subarray(0, 1000));
      } else {
        sendRange(request, response, content, '"a"');
      }
    });
    const result = await downloadFile(url, target(), { ...quick, sha256, stallMs: 100 });
    expect(result.bytes).toBe(content.length);
  });

  it('stops when asked to and keeps what has come', async () => {
    const controller = new AbortController();
    const url = await serve((_, response) => {
      response.writeHead(200, { etag: '"a"', 'content-length': content.length });
      response.write(content.subarray(0, 1000));
    });
    const progress = ({ done }: { done: number }): void => {
      if (done > 0) {
        controller.abort();
      }
    };
    await expect(downloadFile(url, target(), { ...quick, signal: controller.signal, progress })).rejects.toMatchObject({
      code: 'MAMBAIR_CANCELLED',
    });
    expect(await readdir(folder)).toContain('model.pth.part');
  });

  it('says that the host cannot be reached', async () => {
    await expect(downloadFile('http://127.0.0.1:9/model.pth', target(), quick)).rejects.toMatchObject({
      code: 'MAMBAIR_DOWNLOAD_FAILED',
    });
  });
});

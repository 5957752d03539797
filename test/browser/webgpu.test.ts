import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, normalize } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { describeWithShared, sharedPath } from '../shared.js';

const chromium = '/usr/bin/chromium';
const fixture = 'golden/mambairv2-light-denoise-range255-argmax.safetensors';

/** Makes Chromium offer WebGPU by SwiftShader, without a screen; the last for the sake of its compile time. */
const flags = [
  '--headless=new',
  '--no-sandbox',
  '--disable-dev-shm-usage',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-dawn-features=disable_workgroup_init',
];

/** Serves the built files, the page and the fixture; what the page sends is handed to `take`. */
async function serve(take: (result: string) => void): Promise<{ port: number; close: () => void }> {
  const answer = async ({ url = '/', method }: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (url === '/') {
      response.setHeader('content-type', 'text/html');
      response.end('<!doctype html><script type="module" src="/dist/test/browser/page.js"></script>');
    } else if (url === '/fixture') {
      response.end(await readFile(sharedPath(fixture) ?? fixture));
    } else if (method === 'GET' && /^\/dist\/[\w./-]+\.js$/.test(url)) {
      response.setHeader('content-type', 'text/javascript');
      response.end(await readFile(join(process.cwd(), normalize(url))));
    } else {
      response.statusCode = 404;
      response.end();
    }
  };
  const server = createServer((request, response) => {
    if (request.url === '/result') {
      text(request).then(take, take);
      response.end();
      return;
    }
    answer(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function resultInBrowser(): Promise<{ readonly distance?: number; readonly problem?: string }> {
  const profile = await mkdtemp(join(tmpdir(), 'mambair-browser-'));
  let browser: ChildProcess | undefined;
  let said = '';
  let take: (result: string) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const done = new Promise<string>((resolve, reject) => {
    [take, fail] = [resolve, reject];
  });
  const server = await serve(take);
  try {
    browser = spawn(chromium, [...flags, `--user-data-dir=${profile}`, `http://127.0.0.1:${server.port}/`], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    browser.stderr?.on('data', (part: Buffer) => {
      said += part.toString();
    });
    browser.once('exit', () => fail(new Error(`the browser ended: ${said.slice(-500)}`)));
    return JSON.parse(await done) as { distance?: number; problem?: string };
  } finally {
    server.close();
    if (browser?.pid !== undefined && browser.exitCode === null) {
      const ended = once(browser, 'exit');
      // Its other processes end when they lose it. It stays in our group, so that whoever stops the tests stops it too.
      browser.kill('SIGKILL');
      await ended;
    }
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

if (existsSync(chromium)) {
  describeWithShared('in headless Chromium, the webgpu executor', [fixture], () => {
    it('computes what the official code does', async () => {
      const { distance, problem } = await resultInBrowser();
      expect(problem).toBeUndefined();
      expect(distance).toBeLessThanOrEqual(2e-5);
    }, 240_000);
  });
} else {
  describe('in headless Chromium, the webgpu executor', () => {
    it.skip('computes what the official code does (needs /usr/bin/chromium)', () => undefined);
  });
}

import { spawn } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { ByteInlet } from './byte-inlet.js';

/** What a small program writes through an inlet, and how the program ended. */
async function start(script: string): Promise<{ readonly inlet: ByteInlet; readonly ended: Promise<number | null> }> {
  const inlet = await ByteInlet.open();
  if (inlet === undefined) {
    throw new Error('expected an inlet');
  }
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', inlet.outer, 'ignore'] });
  inlet.handOver();
  return { inlet, ended: new Promise((resolve) => child.on('close', resolve)) };
}

const many = `const part = Buffer.alloc(100_003);
  for (let turn = 0; turn < 50; turn++) { part.fill(turn); require('fs').writeSync(1, part); }`;
const written = Buffer.alloc(50 * 100_003).map((_, at) => Math.floor(at / 100_003));

const isWindows = process.platform === 'win32';

it('is a matter of Unix sockets: Windows takes a pipe', async () => {
  const inlet = await ByteInlet.open();
  inlet?.close();
  expect(inlet === undefined).toBe(isWindows);
});

(isWindows ? describe.skip : describe)('an inlet (needs Unix sockets)', () => {
  it('gives every byte in order, in one and the same memory', async () => {
    const { inlet, ended } = await start(many);
    const memories = new Set<ArrayBufferLike>();
    const read: Buffer[] = [];
    for await (const part of inlet) {
      memories.add(part.buffer);
      // A reader that takes its time.
      await new Promise((resolve) => setTimeout(resolve, 1));
      read.push(Buffer.from(part));
    }
    expect(Buffer.concat(read).equals(written)).toBe(true);
    expect(memories.size).toBe(1);
    expect(inlet.hasEnded).toBe(true);
    expect(await ended).toBe(0);
  });

  it('tells the program when nobody reads any more', async () => {
    const { inlet, ended } = await start(`process.exitCode = 1; ${many} process.exitCode = 0;`);
    for await (const part of inlet) {
      expect(part.length).toBeGreaterThan(0);
      break;
    }
    inlet.close();
    expect(await ended).not.toBe(0);
  });

  it('ends with a program that was killed, and with one that writes nothing', async () => {
    for (const script of ['process.kill(process.pid, "SIGKILL")', '']) {
      const { inlet } = await start(script);
      let count = 0;
      for await (const part of inlet) {
        count += part.length;
      }
      expect(count).toBe(0);
    }
  });

  it('is none where no socket can be made', async () => {
    expect(await ByteInlet.open('/dev/null')).toBeUndefined();
    expect(await ByteInlet.open(`/tmp/${'long/'.repeat(20)}`)).toBeUndefined();
  });
});

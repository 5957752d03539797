import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What is read at once, at most; a socket holds less on the usual systems. */
const bufferBytes = 2 ** 18;

/** Longest path of a socket in bytes, its last zero included, on any system. */
const longestPath = 104;

/**
 * Bytes from a program that is yet to be started, read into one and the same memory. Pipes of `child_process` make a new
 * buffer of 64 KiB for every read; at hundreds of megabytes a second, collecting those took more time than reading.
 */
export class ByteInlet implements AsyncIterable<Uint8Array> {
  readonly #socket: Socket;
  readonly #outer: Socket;
  readonly #buffer: Uint8Array;
  #filled = 0;
  #isOver = false;
  #wake: () => void = () => undefined;

  private constructor(socket: Socket, outer: Socket, inbox: Inbox) {
    this.#socket = socket;
    this.#outer = outer;
    this.#buffer = inbox.buffer;
    inbox.take = (count) => {
      this.#filled = count;
      this.#wake();
    };
    const end = (): void => {
      this.#isOver = true;
      this.#wake();
    };
    socket.on('error', end);
    socket.on('close', end);
    // Nothing is read or written there.
    outer.on('error', () => undefined);
  }

  /** Undefined where there is no such way: on Windows, and where no socket can be made in the folder for temporary files. */
  static async open(temporary: string = tmpdir()): Promise<ByteInlet | undefined> {
    if (process.platform === 'win32') {
      return undefined;
    }
    // Nobody else may enter the folder, so nobody else can connect.
    const folder = await mkdtemp(join(temporary, 'mambair-')).catch(() => undefined);
    if (folder === undefined) {
      return undefined;
    }
    try {
      const path = join(folder, 'frames');
      return Buffer.byteLength(path) < longestPath ? await joinEnds(path) : undefined;
    } catch {
      return undefined;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }

    async function joinEnds(path: string): Promise<ByteInlet> {
      const server = createServer({ pauseOnConnect: true });
      try {
        server.listen(path);
        await once(server, 'listening');
        const accepted = once(server, 'connection');
        const inbox: Inbox = { buffer: new Uint8Array(bufferBytes), take: () => undefined };
        const callback = (count: number): boolean => {
          inbox.take(count);
          // Nothing more until this was looked at.
          return false;
        };
        const socket = connect({ path, onread: { buffer: inbox.buffer, callback } });
        const [[outer]] = (await Promise.all([accepted, once(socket, 'connect')])) as [[Socket], unknown];
        return new ByteInlet(socket, outer, inbox);
      } finally {
        server.close();
      }
    }
  }

  /** The other end, to be given to a program as its standard output. */
  get outer(): Socket {
    return this.#outer;
  }

  /** True once the program has closed its end and all that it wrote was read. */
  get hasEnded(): boolean {
    return this.#isOver && this.#filled === 0;
  }

  /** Closes our copy of the other end, so that the program's is the only one and its end is the end. */
  handOver(): void {
    this.#outer.destroy();
  }

  /** What comes, piece by piece; a piece's bytes are valid until the next one is asked for. Leaving the loop closes nothing. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (this.#filled > 0) {
        yield this.#buffer.subarray(0, this.#filled);
        this.#filled = 0;
      } else if (this.#isOver) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
          this.#socket.resume();
        });
      }
    }
  }

  /** Reads no more; who writes to it is told so, and may complain. A second call does nothing. */
  close(): void {
    this.#outer.destroy();
    this.#socket.destroy();
  }
}

/** Where a socket puts what it reads, and whom it tells. */
interface Inbox {
  readonly buffer: Uint8Array;
  take: (count: number) => void;
}

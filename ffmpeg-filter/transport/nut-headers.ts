import { flags, signedOf, startCodeByte } from './nut-format.js';
import type { Rational } from './video-stream.js';

/** The fields of one header packet; `fail` throws the error for a packet that is too short or has impossible fields. */
export class PacketFields {
  readonly #body: Uint8Array;
  readonly #fail: (problem: string) => never;
  #position = 0;

  constructor(body: Uint8Array, fail: (problem: string) => never) {
    this.#body = body;
    this.#fail = fail;
  }

  get isAtEnd(): boolean {
    return this.#position >= this.#body.length;
  }

  /** A number from `least` to `most`, by default any that a double holds exactly. */
  unsigned(name: string, least = 0, most = Number.MAX_SAFE_INTEGER): number {
    let value = 0;
    let byte: number;
    do {
      byte = this.#body[this.#position] ?? this.#fail(`a header ends before its ${name}`);
      this.#position += 1;
      value = value * 128 + (byte & 127);
      if (value > Number.MAX_SAFE_INTEGER) {
        this.#fail(`the ${name} of a header is above 2^53`);
      }
    } while (byte > 127);
    if (value < least || value > most) {
      this.#fail(`expected ${name} from ${least} to ${most}, got ${value}`);
    }
    return value;
  }

  signed(name: string): number {
    return signedOf(this.unsigned(name));
  }

  bytes(name: string): Uint8Array {
    const length = this.unsigned(`length of ${name}`);
    if (length > this.#body.length - this.#position) {
      this.#fail(`a header ends within its ${name}`);
    }
    this.#position += length;
    return this.#body.subarray(this.#position - length, this.#position);
  }

  text(name: string): string {
    return new TextDecoder().decode(this.bytes(name));
  }
}

/** What a frame code stands for. */
export interface FrameCode {
  readonly flags: number;
  readonly ptsDelta: number;
  readonly stream: number;
  readonly sizeMultiplier: number;
  readonly sizeLsb: number;
  readonly reserved: number;
  readonly headerIndex: number;
}

/** The main header: what all streams share. */
export interface MainHeader {
  readonly streamCount: number;
  readonly timeBases: readonly Rational[];
  /** 256 entries. */
  readonly frameCodes: readonly FrameCode[];
  /** Bytes with which small frames begin and that are left out of them; entry 0 is empty. */
  readonly elisionHeaders: readonly Uint8Array[];
}

/** Reads a main header; `fail` takes what is broken, `refuse` what is valid and not read. */
export function readMainHeader(fields: PacketFields, refuse: (problem: string) => never): MainHeader {
  const version = fields.unsigned('version');
  if (version < 2 || version > 4) {
    refuse(`expected version 2, 3 or 4, got ${version}`);
  }
  if (version > 3) {
    fields.unsigned('minor version');
  }
  const streamCount = fields.unsigned('stream count', 1);
  fields.unsigned('max_distance');
  const timeBases = Array.from({ length: fields.unsigned('time base count', 1, 4096) }, (): Rational => {
    const numerator = fields.unsigned('time base numerator', 1, 2 ** 31 - 1);
    return [numerator, fields.unsigned('time base denominator', 1, 2 ** 31 - 1)];
  });
  const frameCodes = readFrameCodes(fields);
  const elisionHeaders = [new Uint8Array(0)];
  if (!fields.isAtEnd) {
    for (let left = fields.unsigned('elision header count', 0, 128); left > 0; left--) {
      elisionHeaders.push(fields.bytes('elision header').slice());
    }
  }
  return { streamCount, timeBases, frameCodes, elisionHeaders };
}

/** The table of 256 frame codes is written in runs; fields that a run leaves out keep their value or start at 0. */
function readFrameCodes(fields: PacketFields): FrameCode[] {
  const table: FrameCode[] = [];
  let ptsDelta = 0;
  let sizeMultiplier = 1;
  let stream = 0;
  let headerIndex = 0;
  while (table.length < 256) {
    const runFlags = fields.unsigned('frame code flags');
    const count = fields.unsigned('frame code field count', 0, 64);
    ptsDelta = count > 0 ? fields.signed('pts delta') : ptsDelta;
    sizeMultiplier = count > 1 ? fields.unsigned('size multiplier', 0, 16384) : sizeMultiplier;
    stream = count > 2 ? fields.unsigned('frame code stream') : stream;
    const size = count > 3 ? fields.unsigned('frame code size', 0, 16384) : 0;
    const reserved = count > 4 ? fields.unsigned('reserved count', 0, 256) : 0;
    const runLength = count > 5 ? fields.unsigned('run length', 0, 256) : Math.max(0, sizeMultiplier - size);
    if (count > 6) {
      fields.signed('match time delta');
    }
    headerIndex = count > 7 ? fields.unsigned('header index', 0, 128) : headerIndex;
    for (let extra = 8; extra < count; extra++) {
      fields.unsigned('unknown frame code field');
    }
    for (let j = 0; j < runLength && table.length < 256; j++) {
      if (table.length === startCodeByte) {
        table.push({ flags: flags.invalid, ptsDelta, stream, sizeMultiplier, sizeLsb: 0, reserved: 0, headerIndex: 0 });
      }
      table.push({ flags: runFlags, ptsDelta, stream, sizeMultiplier, sizeLsb: size + j, reserved, headerIndex });
    }
  }
  return table;
}

/** A stream header. */
export interface StreamHeader {
  readonly id: number;
  /** 0 is video. */
  readonly streamClass: number;
  readonly tag: Uint8Array;
  readonly timeBaseIndex: number;
  /** Bits of a timestamp that frames carry. */
  readonly msbPtsShift: number;
  readonly width: number;
  readonly height: number;
  readonly sampleAspectRatio: Rational | undefined;
}

export function readStreamHeader(fields: PacketFields, main: MainHeader): StreamHeader {
  const id = fields.unsigned('stream number', 0, main.streamCount - 1);
  const streamClass = fields.unsigned('stream class');
  const tag = fields.bytes('codec tag').slice();
  const timeBaseIndex = fields.unsigned('time base', 0, main.timeBases.length - 1);
  const msbPtsShift = fields.unsigned('msb_pts_shift', 0, 31);
  fields.unsigned('max_pts_distance');
  fields.unsigned('decode delay');
  fields.unsigned('stream flags');
  fields.bytes('codec data');
  if (streamClass !== 0) {
    return { id, streamClass, tag, timeBaseIndex, msbPtsShift, width: 0, height: 0, sampleAspectRatio: undefined };
  }
  const width = fields.unsigned('width', 1);
  const height = fields.unsigned('height', 1);
  const aspectWidth = fields.unsigned('sample width');
  const aspectHeight = fields.unsigned('sample height');
  const sampleAspectRatio: Rational | undefined =
    aspectWidth > 0 && aspectHeight > 0 ? [aspectWidth, aspectHeight] : undefined;
  return { id, streamClass, tag, timeBaseIndex, msbPtsShift, width, height, sampleAspectRatio };
}

/** The frame rate that an info packet gives for a stream, such as `30000/1001`. */
export function readFrameRate(fields: PacketFields, streamId: number): Rational | undefined {
  const about = fields.unsigned('stream of an info packet');
  fields.signed('chapter');
  fields.unsigned('chapter start');
  fields.unsigned('chapter length');
  let frameRate: Rational | undefined;
  for (let left = fields.unsigned('info count'); left > 0; left--) {
    const name = fields.text('info name');
    const type = fields.signed('info type');
    const value = type === -1 ? fields.text('info text') : undefined;
    if (type === -2) {
      fields.bytes('info type name');
      fields.bytes('info data');
    } else if (type === -3 || type < -4) {
      fields.signed('info value');
    } else if (type === -4) {
      fields.unsigned('info time');
    }
    if (name === 'r_frame_rate' && about === streamId + 1) {
      frameRate = parseRate(value) ?? frameRate;
    }
  }
  return frameRate;
}

function parseRate(text: string | undefined): Rational | undefined {
  const [, numerator, denominator] = /^(\d{1,10})\/(\d{1,10})$/.exec(text ?? '') ?? [];
  const rate: Rational = [Number(numerator), Number(denominator)];
  return rate[0] >= 1 && rate[1] >= 1 ? rate : undefined;
}

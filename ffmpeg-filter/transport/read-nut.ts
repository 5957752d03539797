import { frameLayout, pixelFormats } from '../../core/index.js';
import type { FrameLayout } from '../../core/index.js';
import { ByteReader } from './byte-reader.js';
import { fileId, flags, formatOfNutTag, longPacket, nutChecksum, startCodeByte, startCodes } from './nut-format.js';
import { PacketFields, readFrameRate, readMainHeader, readStreamHeader } from './nut-headers.js';
import type { MainHeader, StreamHeader } from './nut-headers.js';
import { checkFrameBytes, malformed, unsupported } from './video-stream.js';
import type { Rational, ReadVideoOptions, VideoFrame, VideoHeader, VideoStream } from './video-stream.js';

/** Header packets are some hundred bytes; only the index, which is passed over, grows with the film. */
const maxPacketBytes = 2 ** 20;

/**
 * Reads NUT with one stream of raw video, as ffmpeg's muxer writes it (versions 2 to 4), while it arrives. A stream with
 * headers and no frame is valid. Any damage is fatal: it comes from a failed program, and a repaired guess would shift
 * frames.
 * @throws MAMBAIR_VIDEO_MALFORMED when the stream is broken or ends within a frame; also from the frames
 * @throws MAMBAIR_VIDEO_UNSUPPORTED when it holds anything but one stream of a listed pixel format
 */
export async function readNut(source: AsyncIterable<Uint8Array>, options: ReadVideoOptions = {}): Promise<VideoStream> {
  const parser = new NutParser(source, options);
  try {
    const { header, layout } = await parser.readHeaders();
    return { header, layout, frames: parser.frames() };
  } catch (error) {
    await parser.close();
    throw error;
  }
}

/** A stream once its headers are read. */
interface OpenStream {
  readonly main: MainHeader;
  readonly stream: StreamHeader;
  readonly timeBase: Rational;
  readonly header: VideoHeader;
  readonly layout: FrameLayout;
}

/** What stands before the bytes of a frame. */
interface FrameStart {
  readonly pts: number;
  readonly size: number;
  /** Bytes that the frame begins with and that the stream leaves out. */
  readonly elided: Uint8Array;
}

class NutParser {
  readonly #reader: ByteReader;
  readonly #options: ReadVideoOptions;
  #open: OpenStream | undefined;
  #frame = 0;
  #lastPts = 0;

  constructor(source: AsyncIterable<Uint8Array>, options: ReadVideoOptions) {
    this.#reader = new ByteReader(source, (offset) =>
      malformed('NUT', offset, `the stream ends within ${this.#place()}`),
    );
    this.#options = options;
  }

  async close(): Promise<void> {
    await this.#reader.close();
  }

  /** Reads up to the first syncpoint, which ffmpeg writes when the first frame comes, or to the end. */
  async readHeaders(): Promise<OpenStream> {
    const id = new Uint8Array(fileId.length);
    await this.#reader.fill(id);
    if (id.some((byte, at) => byte !== fileId[at])) {
      this.#fail('expected "nut/multimedia container" at the start');
    }
    let main: MainHeader | undefined;
    let stream: StreamHeader | undefined;
    let frameRate: Rational | undefined;
    for (;;) {
      const code = await this.#reader.byteOrEnd();
      if (code !== undefined && code !== startCodeByte) {
        this.#fail('a frame comes before the first syncpoint');
      }
      const packet = code === undefined ? undefined : await this.#packet();
      if (packet === undefined || packet.startCode === startCodes.syncpoint) {
        if (main === undefined || stream === undefined) {
          this.#fail('no main and stream header before the first frame');
        }
        this.#open = this.#describe(main, stream, frameRate);
        if (packet !== undefined) {
          this.#syncpoint(packet.fields, this.#open);
        }
        return this.#open;
      }
      if (packet.startCode === startCodes.main) {
        main ??= readMainHeader(packet.fields, this.#refuse);
        if (main.streamCount > 1) {
          this.#refuse(`expected one stream, the video, got ${main.streamCount}; map the others past this program`);
        }
      } else if (packet.startCode === startCodes.stream) {
        stream ??= readStreamHeader(packet.fields, main ?? this.#fail('a stream header comes before the main header'));
      } else if (packet.startCode === startCodes.info) {
        frameRate = readFrameRate(packet.fields, 0) ?? frameRate;
      }
    }
  }

  async *frames(): AsyncGenerator<VideoFrame> {
    try {
      for (;;) {
        const code = await this.#reader.byteOrEnd();
        if (code === undefined) {
          return;
        }
        if (code !== startCodeByte) {
          const frame = await this.#readFrame(code, this.#headers());
          if (frame !== undefined) {
            yield frame;
          }
          continue;
        }
        // ffmpeg repeats the headers in between; they say the same again.
        const { startCode, fields } = await this.#packet();
        if (startCode === startCodes.syncpoint) {
          this.#syncpoint(fields, this.#headers());
        }
      }
    } finally {
      await this.close();
    }
  }

  #headers(): OpenStream {
    return this.#open ?? this.#fail('the headers are missing');
  }

  #describe(main: MainHeader, stream: StreamHeader, frameRate: Rational | undefined): OpenStream {
    const pixelFormat = stream.streamClass === 0 ? formatOfNutTag(stream.tag) : undefined;
    if (pixelFormat === undefined) {
      const tag = Array.from(stream.tag, (byte) => (byte > 32 && byte < 127 ? String.fromCharCode(byte) : `[${byte}]`));
      this.#refuse(
        `expected raw video, got ${stream.streamClass === 0 ? `video tagged "${tag.join('')}"` : 'no video'}; ` +
          `convert it by ffmpeg's filter "format=NAME" to one of: ${pixelFormats.map(({ name }) => name).join(' ')}`,
      );
    }
    const layout = frameLayout(pixelFormat, stream.width, stream.height);
    checkFrameBytes('NUT', layout, this.#options);
    const timeBase = main.timeBases[stream.timeBaseIndex] ?? this.#fail('the time base is missing');
    const header: VideoHeader = {
      pixelFormat,
      width: stream.width,
      height: stream.height,
      timeBase,
      ...(frameRate === undefined ? {} : { frameRate }),
      ...(stream.sampleAspectRatio === undefined ? {} : { sampleAspectRatio: stream.sampleAspectRatio }),
    };
    return { main, stream, timeBase, header, layout };
  }

  /** Reads a packet whose first byte was read already, and checks its checksums. An index is passed over. */
  async #packet(): Promise<{ readonly startCode: bigint; readonly fields: PacketFields }> {
    const seen = [startCodeByte];
    for (let left = 7; left > 0; left--) {
      seen.push(await this.#reader.byte());
    }
    const startCode = seen.reduce((code, byte) => (code << 8n) | BigInt(byte), 0n);
    if (!(Object.values(startCodes) as bigint[]).includes(startCode)) {
      this.#fail(`expected a known start code, got ${startCode.toString(16)}`);
    }
    const length = await this.#unsigned(seen);
    if (length > longPacket) {
      await this.#checkSum(seen, 'a packet header');
    }
    const fields = (body: Uint8Array) => new PacketFields(body, this.#fail);
    if (startCode === startCodes.index) {
      await this.#reader.skip(length);
      return { startCode, fields: fields(new Uint8Array(0)) };
    }
    if (length < 4 || length > maxPacketBytes) {
      this.#fail(`expected a header packet of 4 to ${maxPacketBytes} bytes, got ${length}`);
    }
    const body = new Uint8Array(length - 4);
    await this.#reader.fill(body);
    await this.#checkSum(body, 'a header packet');
    return { startCode, fields: fields(body) };
  }

  /** A syncpoint sets the time that the next frame's is counted from. */
  #syncpoint(fields: PacketFields, { main, timeBase }: OpenStream): void {
    const coded = fields.unsigned('syncpoint time');
    const from = main.timeBases[coded % main.timeBases.length] ?? timeBase;
    const ticks = BigInt(Math.floor(coded / main.timeBases.length));
    this.#lastPts = this.#checkPts(
      Number((ticks * BigInt(from[0]) * BigInt(timeBase[1])) / (BigInt(from[1]) * BigInt(timeBase[0]))),
    );
    fields.unsigned('back pointer');
  }

  async #readFrame(code: number, { main, stream, layout }: OpenStream): Promise<VideoFrame | undefined> {
    const start = await this.#frameStart(code, main, stream);
    this.#lastPts = start.pts;
    // "End of relevance" is an empty packet; it is no picture.
    if (start.size === 0) {
      return undefined;
    }
    if (start.size !== layout.bytes) {
      this.#fail(`expected ${layout.bytes} bytes for ${this.#place()}, got ${start.size}`);
    }
    const data = (this.#options.allocate ?? ((bytes) => new Uint8Array(bytes)))(start.size);
    data.set(start.elided);
    await this.#reader.fill(data.subarray(start.elided.length));
    this.#frame += 1;
    return { pts: start.pts, data };
  }

  async #frameStart(code: number, main: MainHeader, stream: StreamHeader): Promise<FrameStart> {
    const seen = [code];
    const entry = main.frameCodes[code];
    if (entry === undefined || (entry.flags & flags.invalid) !== 0) {
      this.#fail(`${code} is no frame code of this stream`);
    }
    const has = entry.flags & flags.coded ? entry.flags ^ (await this.#unsigned(seen)) : entry.flags;
    const streamId = has & flags.streamId ? await this.#unsigned(seen) : entry.stream;
    if (streamId !== stream.id) {
      this.#fail(`${this.#place()} is of stream ${streamId}, which does not exist`);
    }
    const pts =
      has & flags.codedPts
        ? this.#codedPts(await this.#unsigned(seen), 2 ** stream.msbPtsShift)
        : this.#lastPts + entry.ptsDelta;
    const size = entry.sizeLsb + (has & flags.sizeMsb ? entry.sizeMultiplier * (await this.#unsigned(seen)) : 0);
    if (has & flags.matchTime) {
      await this.#unsigned(seen);
    }
    const headerIndex = has & flags.headerIndex ? await this.#unsigned(seen) : entry.headerIndex;
    const reserved = has & flags.reserved ? await this.#unsigned(seen) : entry.reserved;
    if (reserved > 256) {
      this.#fail(`expected at most 256 reserved fields, got ${reserved}`);
    }
    for (let left = reserved; left > 0; left--) {
      await this.#unsigned(seen);
    }
    if (has & flags.checksum) {
      await this.#checkSum(seen, `the header of ${this.#place()}`);
    }
    if (has & flags.sideData) {
      this.#refuse('frames carry side data; write it without "-syncpoints none"');
    }
    const elided = main.elisionHeaders[size > longPacket ? 0 : headerIndex];
    if (elided === undefined || (elided.length > size && size > 0)) {
      this.#fail(`${this.#place()} begins with elision header ${headerIndex}, which does not fit`);
    }
    return { pts: this.#checkPts(pts), size, elided };
  }

  /** Small numbers are the low bits of the time nearest to the last one, others the time itself. */
  #codedPts(coded: number, limit: number): number {
    if (coded >= limit) {
      return coded - limit;
    }
    const least = this.#lastPts - Math.floor((limit - 1) / 2);
    return ((((coded - least) % limit) + limit) % limit) + least;
  }

  #checkPts(pts: number): number {
    if (!Number.isSafeInteger(pts) || pts < 0) {
      this.#fail(`expected a time from 0 to 2^53 ticks for ${this.#place()}, got ${pts}`);
    }
    return pts;
  }

  async #unsigned(seen: number[]): Promise<number> {
    let value = 0;
    let byte: number;
    do {
      byte = await this.#reader.byte();
      seen.push(byte);
      value = value * 128 + (byte & 127);
      if (value > Number.MAX_SAFE_INTEGER) {
        this.#fail(`a number before ${this.#place()} is above 2^53`);
      }
    } while (byte > 127);
    return value;
  }

  async #checkSum(bytes: Iterable<number>, name: string): Promise<void> {
    const stored = new Uint8Array(4);
    await this.#reader.fill(stored);
    if (new DataView(stored.buffer).getUint32(0) !== nutChecksum(bytes)) {
      this.#fail(`the checksum of ${name} does not match`);
    }
  }

  #place(): string {
    return this.#open === undefined ? 'the headers' : `frame ${this.#frame}`;
  }

  readonly #fail: (problem: string) => never = (problem) => {
    throw malformed('NUT', this.#reader.offset, problem);
  };

  readonly #refuse: (problem: string) => never = (problem) => {
    throw unsupported('NUT', problem);
  };
}

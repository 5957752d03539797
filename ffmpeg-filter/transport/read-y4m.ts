import { frameLayout } from '../../core/index.js';
import type { FrameLayout } from '../../core/index.js';
import { ByteReader } from './byte-reader.js';
import { checkFrameBytes, malformed, unsupported } from './video-stream.js';
import type { Rational, ReadVideoOptions, VideoFrame, VideoHeader, VideoStream } from './video-stream.js';
import { maxLineBytes, y4mColour, y4mColourNames, y4mFieldOrders } from './y4m-format.js';

/**
 * Reads Y4M while it arrives. Frame n has the time n/rate: the format has no other.
 * @throws MAMBAIR_VIDEO_MALFORMED when the stream is broken or ends within a frame; also from the frames
 * @throws MAMBAIR_VIDEO_UNSUPPORTED for a colour space that is not listed, or an unknown frame rate
 */
export async function readY4m(source: AsyncIterable<Uint8Array>, options: ReadVideoOptions = {}): Promise<VideoStream> {
  let place = 'the header';
  const reader = new ByteReader(source, (offset) => malformed('Y4M', offset, `the stream ends within ${place}`));
  try {
    const first = await reader.byte();
    const header = parseHeader(await readLine(reader, first), reader.offset);
    const layout = frameLayout(header.pixelFormat, header.width, header.height);
    checkFrameBytes('Y4M', layout, options);
    return { header, layout, frames: readFrames(reader, layout, options, (index) => (place = `frame ${index}`)) };
  } catch (error) {
    await reader.close();
    throw error;
  }
}

async function* readFrames(
  reader: ByteReader,
  layout: FrameLayout,
  options: ReadVideoOptions,
  enter: (index: number) => void,
): AsyncGenerator<VideoFrame> {
  try {
    for (let index = 0; ; index++) {
      enter(index);
      const first = await reader.byteOrEnd();
      if (first === undefined) {
        return;
      }
      const line = await readLine(reader, first);
      if (line !== 'FRAME' && !line.startsWith('FRAME ')) {
        throw malformed('Y4M', reader.offset, `expected "FRAME" before frame ${index}`);
      }
      const data = (options.allocate ?? ((bytes) => new Uint8Array(bytes)))(layout.bytes);
      await reader.fill(data);
      const parameters = line.slice('FRAME '.length);
      yield { pts: index, data, ...(parameters === '' ? {} : { parameters }) };
    }
  } finally {
    await reader.close();
  }
}

/** A line without its end, of which one byte is read already. Bytes are taken as they are (Latin-1), and given back so. */
async function readLine(reader: ByteReader, first: number): Promise<string> {
  let line = '';
  for (let byte = first; byte !== 0x0a; byte = await reader.byte()) {
    if (line.length >= maxLineBytes) {
      throw malformed('Y4M', reader.offset, `expected a line of at most ${maxLineBytes} bytes`);
    }
    line += String.fromCharCode(byte);
  }
  return line;
}

function parseHeader(line: string, offset: number): VideoHeader {
  const [magic, ...parameters] = line.split(' ');
  if (magic !== 'YUV4MPEG2') {
    throw malformed('Y4M', offset, 'expected "YUV4MPEG2" at the start');
  }
  const values = new Map<string, string>();
  const comments: string[] = [];
  let range: VideoHeader['range'];
  for (const parameter of parameters.filter((text) => text !== '')) {
    const [letter, value] = [parameter.charAt(0), parameter.slice(1)];
    if (letter !== 'X') {
      values.set(letter, value);
    } else if (value === 'COLORRANGE=FULL' || value === 'COLORRANGE=LIMITED') {
      range = value.endsWith('FULL') ? 'full' : 'limited';
    } else {
      comments.push(value);
    }
  }
  const side = (letter: string): number => {
    const value = values.get(letter) ?? '';
    if (!/^[1-9]\d{0,8}$/.test(value)) {
      throw malformed('Y4M', offset, `expected the size as ${letter} and a number, got "${letter}${value}"`);
    }
    return Number(value);
  };
  const ratio = (letter: string): Rational | undefined => {
    const value = values.get(letter) ?? '0:0';
    if (!/^\d{1,10}:\d{1,10}$/.test(value)) {
      throw malformed('Y4M', offset, `expected ${letter} and two numbers, got "${letter}${value}"`);
    }
    const [numerator = 0, denominator = 0] = value.split(':').map(Number);
    return numerator >= 1 && denominator >= 1 ? [numerator, denominator] : undefined;
  };
  const [width, height, frameRate, sampleAspectRatio] = [side('W'), side('H'), ratio('F'), ratio('A')];
  const colourName = values.get('C') ?? '420';
  const colour = y4mColour(colourName);
  if (colour === undefined) {
    throw unsupported('Y4M', `expected a colour space of ${y4mColourNames.join(' ')}, got "C${colourName}"`);
  }
  if (frameRate === undefined) {
    throw unsupported('Y4M', 'expected a frame rate (F and two numbers above 0), which gives the frames their times');
  }
  const fieldOrder = y4mFieldOrders.get(values.get('I') ?? '');
  return {
    ...colour,
    width,
    height,
    timeBase: [frameRate[1], frameRate[0]],
    frameRate,
    ...(sampleAspectRatio === undefined ? {} : { sampleAspectRatio }),
    ...(fieldOrder === undefined ? {} : { fieldOrder }),
    ...(range === undefined ? {} : { range }),
    ...(comments.length === 0 ? {} : { comments }),
  };
}

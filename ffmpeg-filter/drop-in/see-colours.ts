import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fillHalf } from '../command/half.js';
import type { PictureFacts } from '../command/probed-input.js';
import type { Split } from '../command/split-command.js';

/**
 * What the colours of the frames are that reach our filter: what filters make of them only ffmpeg can tell, so it decodes a
 * first frame and says. Undefined when it does not come so far, which it will say again when the command runs.
 */
export async function seeColours(
  { decode }: Pick<Split, 'decode'>,
  { ffmpeg, signal }: { readonly ffmpeg: string; readonly signal: AbortSignal | undefined },
): Promise<PictureFacts | undefined> {
  const words = fillHalf(decode, { raw: ['-frames:v', '1', '-f', 'null', '-'] });
  // The place of chroma is told from this level on.
  const loud = words.map((word, at) => (/^-(loglevel|v)$/.test(words[at - 1] ?? '') ? 'verbose' : word));
  const child = spawn(ffmpeg, ['-nostdin', '-hide_banner', '-nostats', '-v', 'verbose', ...loud], {
    stdio: ['ignore', 'ignore', 'pipe'],
    windowsHide: true,
    ...(signal === undefined ? {} : { signal }),
  });
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('close', () => resolve());
  });
  const lines = new PictureLines();
  let seen: PictureFacts | undefined;
  for await (const line of createInterface({ input: child.stderr })) {
    seen ??= lines.take(line);
  }
  await ended;
  return seen;
}

/** Finds in what an ffmpeg writes how it describes its output. */
export class PictureLines {
  #isOutput = false;

  /** Of a line that does so, what it says; else undefined. */
  take(line: string): PictureFacts | undefined {
    this.#isOutput ||= line.startsWith('Output #0');
    return this.#isOutput ? readPictureLine(line) : undefined;
  }
}

/** Tags whose matrix, transfer curve and primaries have one name, which is then told once. */
const joined = /^(bt709|smpte170m|smpte240m|bt470bg|unknown)$/;
const chromaPlaces = /^(left|center|topleft|top|bottomleft|bottom)$/;

/**
 * Reads how ffmpeg describes a video stream, as in
 * `Stream #0:0: Video: wrapped_avframe, yuv420p10le(tv, bt2020nc/bt2020/smpte2084, progressive, topleft), 160x96`; undefined
 * for other lines.
 */
export function readPictureLine(line: string): PictureFacts | undefined {
  const described = /^\s*Stream #\S+ Video: (.*)$/.exec(line)?.[1];
  if (described === undefined) {
    return undefined;
  }
  const [, pixelFormat, inside = ''] = /, ([a-z]\w*)\(([^)]*)\)/.exec(described) ?? [];
  const parts = inside.split(', ');
  const tags = parts.find((part) => part.split('/').length === 3)?.split('/');
  const all = parts.find((part) => joined.test(part));
  const tag = (at: number): string | undefined => {
    const name = tags?.[at] ?? all;
    return name === 'unknown' ? undefined : name;
  };
  return {
    pixelFormat,
    colour: {
      range: parts.find((part) => part === 'tv' || part === 'pc'),
      space: tag(0),
      primaries: tag(1),
      transfer: tag(2),
      chromaLocation: parts.find((part) => chromaPlaces.test(part)),
    },
  };
}

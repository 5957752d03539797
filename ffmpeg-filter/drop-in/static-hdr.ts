import { execFile } from 'node:child_process';
import { formatName } from '../command/choose-streams.js';
import { lastValue, type Command } from '../command/command-line.js';
import type { EncodedStream } from '../command/half.js';
import {
  carriedHdr,
  hdrNumbers,
  hdrOption,
  hdrOptionOf,
  isForContainer,
  lostByContainer,
  lostHdr,
  sayHdrLoss,
  saysHdr,
  staticHdr,
  type StaticHdr,
} from '../command/hdr-options.js';
import { saysOtherLight, type SideData } from '../command/probed-input.js';
import type { Split } from '../command/split-command.js';
import type { HdrNumbers } from '../transport/write-matroska.js';

/** What becomes of HDR10's static data, which NUT does not carry. */
export interface HdrPlan {
  /** The options that give the encoder of a stream what it takes, behind those of the command. */
  readonly words: (stream: EncodedStream) => readonly string[];
  /** What Matroska is to carry to the encoding half, so that ffmpeg writes it into containers; undefined: NUT will do. */
  readonly carried: HdrNumbers | undefined;
  /** What cannot be kept, in sentences, when that is carried, and when it is not. */
  readonly lost: (isCarried: boolean) => readonly string[];
}

/**
 * Plans how HDR10's static data reaches containers, and how it and the place of chroma reach encoders that take them by
 * options of their own.
 * @param sideData of the stream that is restored, and of its frames
 * @param chromaLocation of the frames that are encoded, by ffprobe's name
 * @param ask what ffmpeg prints of an encoder or a codec; see {@link askFfmpeg}
 */
export async function planHdr(
  command: Command,
  split: Pick<Split, 'source' | 'encode' | 'changesLight' | 'mixesInputs' | 'timeBase'>,
  {
    sideData,
    chromaLocation,
    ask,
  }: {
    readonly sideData: readonly SideData[];
    readonly chromaLocation: string | undefined;
    readonly ask: (codec: string) => Promise<string>;
  },
): Promise<HdrPlan> {
  const whole = staticHdr(sideData);
  const words = new Map<EncodedStream, readonly string[]>();
  const streams: PlannedStream[] = [];
  for (const word of split.encode) {
    if (typeof word === 'string' || word.slot !== 'colour') {
      continue;
    }
    const { stream } = word;
    const file = command.outputs[stream.output];
    const format = file === undefined ? '' : formatName(file.url, lastValue(file, 'f'));
    const source = split.source?.stream;
    const isVoid = split.changesLight || (source !== undefined && saysOtherLight(source, stream.options));
    const hdr = isVoid ? staticHdr([]) : whole;
    const encoder = await encoderOf(stream.codec ?? codecOfFormat[format], ask);
    const isUsers = saysHdr(encoder, stream.options.get(hdrOptionOf(encoder ?? '') ?? ''));
    words.set(stream, encoder === undefined ? [] : optionWords(encoder, stream, { hdr, chromaLocation }));
    streams.push({ encoder, format, url: file?.url, isVoid, isUsers });
  }
  const isFree = streams.every(({ isVoid, isUsers }) => !isVoid && !isUsers);
  const ofStream = split.source?.stream.sideData ?? [];
  const isNeeded = streams.some(({ encoder }) => isForContainer(whole, ofStream, encoder));
  const isCarriable = isFree && isNeeded && !split.mixesInputs && split.timeBase !== undefined;
  return {
    words: (stream) => words.get(stream) ?? [],
    carried: isCarriable ? hdrNumbers(whole) : undefined,
    lost: (isCarried) => {
      const told = streams.flatMap((stream) => {
        const what = sayLoss(stream, whole, isCarried);
        return what === undefined ? [] : [command.outputs.length > 1 ? `${stream.url}: ${what}` : what];
      });
      return [...new Set(told)];
    },
  };
}

/** What is known of a stream of an output. */
interface PlannedStream {
  /** Undefined for those that do not take HDR10's data. */
  readonly encoder: string | undefined;
  readonly format: string;
  readonly url: string | undefined;
  /** True when the command gives the pictures another light. */
  readonly isVoid: boolean;
  /** True when the command says itself what is to be said of it. */
  readonly isUsers: boolean;
}

function sayLoss({ encoder, format, isVoid }: PlannedStream, whole: StaticHdr, isCarried: boolean): string | undefined {
  if (isVoid) {
    return sayHdrLoss(whole) === undefined
      ? undefined
      : 'HDR10 data is left out, as the command changes the colours that it tells of';
  }
  const kept = isCarried ? carriedHdr(whole) : staticHdr([]);
  const byContainer = lostByContainer(format, kept);
  const isKept = (name: 'display' | 'light'): boolean => kept[name] !== undefined && byContainer[name] === undefined;
  const { display, light } = lostHdr(encoder, whole);
  const lost = { display: isKept('display') ? undefined : display, light: isKept('light') ? undefined : light };
  return format === 'null' ? undefined : sayHdrLoss(lost);
}

/** Formats whose name is that of their codec. What others take unless told otherwise has no option for HDR10's data. */
const codecOfFormat: Readonly<Record<string, string>> = {
  hevc: 'hevc',
  h265: 'hevc',
  265: 'hevc',
  obu: 'av1',
  avif: 'av1',
};

/** The encoder that a name means to ffmpeg, if it is one of those that take HDR10's data. */
async function encoderOf(
  name: string | undefined,
  ask: (codec: string) => Promise<string>,
): Promise<string | undefined> {
  // These may be several encoders, or none; ffmpeg 5.0 knows libsvtav1 without its parameters.
  return name === 'hevc' || name === 'av1' || name === 'libsvtav1'
    ? readEncoder(await ask(name))
    : name !== undefined && hdrOptionOf(name) !== undefined
      ? name
      : undefined;
}

/**
 * The encoder that ffmpeg takes for a name, from what it prints of that name (`-h encoder=NAME`): the first one there.
 * Undefined unless it has the option through which it is given HDR10's data.
 */
export function readEncoder(printed: string): string | undefined {
  const [, name, text = ''] = /^Encoder (\S+) (.*?)(?=^Encoder |$(?![^]))/ms.exec(printed) ?? [];
  const option = name === undefined ? undefined : hdrOptionOf(name);
  return option !== undefined && new RegExp(`^ *-${option} `, 'm').test(text) ? name : undefined;
}

/** Asks an ffmpeg about an encoder or a codec; the answer is empty where it cannot be asked. */
export function askFfmpeg(ffmpeg: string): (codec: string) => Promise<string> {
  return (codec) =>
    new Promise((resolve) => {
      const words = ['-hide_banner', '-h', `encoder=${codec}`];
      execFile(ffmpeg, words, { maxBuffer: 2 ** 22, windowsHide: true }, (_, printed) => resolve(printed));
    });
}

function optionWords(
  encoder: string,
  { video, options }: EncodedStream,
  { hdr, chromaLocation }: { readonly hdr: StaticHdr; readonly chromaLocation: string | undefined },
): readonly string[] {
  const given = options.get(hdrOptionOf(encoder) ?? '');
  const isSaid = options.has('chroma_sample_location');
  const [name, value] = hdrOption(encoder, hdr, { chromaLocation: isSaid ? undefined : chromaLocation, given }) ?? [];
  if (name === undefined) {
    return [];
  }
  // Of options of one name ffmpeg takes the last, so it holds theirs, too. They come behind ours, where they may end as they
  // like: in a colon, or in a quote that is left open.
  return [`-${name}:v:${video}`, given === undefined || given === '' ? `${value}` : `${value}:${given}`];
}

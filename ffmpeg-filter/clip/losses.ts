import { isStaticHdr, sayHdrLoss, staticHdr } from '../command/hdr-options.js';
import type { SideData } from '../command/probed-input.js';
import type { KeptStream } from './plan-clip.js';
import type { ClipHeader, ClipPictures, ClipStream } from './probe-clip.js';

/** Something that the output will not have. */
export interface VideoLoss {
  /**
   * What it is: `stream` is a whole stream, `codec` one in another form, `tag`, `chapter`, `disposition` and `colour` are of the file or
   * of a stream, `side-data` is of the pictures, `times` their moments, `orientation` how they are turned, `pixels` their
   * samples, `encoder-gone` something else that is found only in the finished file.
   */
  readonly kind:
    | 'stream'
    | 'codec'
    | 'tag'
    | 'chapter'
    | 'disposition'
    | 'colour'
    | 'side-data'
    | 'times'
    | 'orientation'
    | 'pixels';
  /** One sentence for people that names it. */
  readonly message: string;
}

/** Tags that programs write about themselves, or about the stream as it was. */
const ownTags =
  /^(encoder|creation_time|duration|bps|number_of_\w+|_statistics_\w+|major_brand|minor_version|compatible_brands|vendor_id|rotate|handler_name|encoded_by)(-\w+)?$/i;

/** Side data that ffmpeg hands from stream to stream, or that is written again here; and what nobody would miss. */
const carried =
  /^(CPB properties|Display Matrix|H\.26\[45\] User Data|GOP timecode|Encoding parameters|QP|Skip samples|New Extradata)/;

const sideDataNames: Readonly<Record<string, string>> = {
  'ATSC A53 Part 4 Closed Captions': 'closed captions (A53)',
  'Active format description': 'the active format description (AFD)',
  'HDR Dynamic Metadata SMPTE2094-40 (HDR10+)': 'dynamic HDR metadata (HDR10+)',
  'Dolby Vision RPU Data': 'Dolby Vision data',
  'Dolby Vision Metadata': 'Dolby Vision data',
  'DOVI configuration record': 'the Dolby Vision configuration',
  AVPanScan: 'pan and scan windows',
  'Stereo 3D': 'the mark for stereoscopic pictures',
  'Spherical Mapping': 'the mark for spherical pictures',
  'HDR Dynamic Metadata CUVA 005.1 2021 (Vivid)': 'dynamic HDR metadata (HDR Vivid)',
  'Ambient viewing environment': 'the ambient viewing environment',
};

/** What is gone of the streams beside the video, known before anything is run. */
export function streamLosses(streams: readonly KeptStream[]): readonly VideoLoss[] {
  return streams.flatMap(({ source, fate }): readonly VideoLoss[] => {
    if (fate.keep === 'drop') {
      return [{ kind: 'stream', message: `${nameOf(source)} is left out: ${fate.loss}` }];
    }
    if (fate.keep === 'rebuilt') {
      // What ffmpeg writes anew has the timecode and nothing else.
      return tagLosses(nameOf(source), source.tags, {
        timecode: source.tags['timecode'] ?? '',
        language: source.tags['language'] ?? '',
      });
    }
    if (fate.keep === 'copy' && source.codec === 'mov_text') {
      const what = 'ffmpeg writes the header of mov_text anew; its default style may be lost';
      return [{ kind: 'codec', message: `${nameOf(source)}: ${what}` }];
    }
    return fate.keep === 'convert' ? [{ kind: 'codec', message: `${nameOf(source)}: ${fate.loss}` }] : [];
  });
}

/** Compares a file with one that was made from it: everything but packets and pictures. */
export function losses(
  source: { readonly header: ClipHeader; readonly stream: ClipStream; readonly pictures: ClipPictures },
  made: { readonly header: ClipHeader; readonly stream: ClipStream; readonly sideData: readonly SideData[] },
  streams: readonly KeptStream[],
): readonly VideoLoss[] {
  const found: VideoLoss[] = [...tagLosses('the file', source.header.tags, made.header.tags)];
  const chapters = source.header.chapters.length;
  if (made.header.chapters.length < chapters) {
    found.push({
      kind: 'chapter',
      message: `${chapters - made.header.chapters.length} of ${chapters} chapters are lost`,
    });
  } else if (
    source.header.chapters.some(({ tags }, at) => tagLosses('', tags, made.header.chapters[at]?.tags ?? {}).length > 0)
  ) {
    found.push({ kind: 'chapter', message: 'the titles of chapters are lost' });
  }
  for (const [stream, twin] of twins(streams, made.header)) {
    if (twin !== undefined) {
      found.push(...tagLosses(nameOf(stream), stream.tags, twin.tags), ...dispositionLosses(stream, twin));
    }
  }
  found.push(...colourLosses(source.stream, made.stream));
  return [...found, ...sideDataLosses(source, [...made.stream.sideData, ...made.sideData])];
}

function sideDataLosses(
  { stream, pictures }: { readonly stream: ClipStream; readonly pictures: ClipPictures },
  made: readonly SideData[],
): readonly VideoLoss[] {
  const after = new Set(kindsOf(made));
  const lost = [...stream.sideData, ...pictures.sideData].filter(
    ({ side_data_type: kind }) => !after.has(String(kind)) && !carried.test(String(kind)),
  );
  const hdr = staticHdr(lost);
  const others = kindsOf(lost.filter((each) => !isStaticHdr(each)));
  const messages = [
    sayHdrLoss(hdr) ?? [],
    ...others.map((kind) => `${sideDataNames[kind] ?? `side data "${kind}"`} of the pictures is lost`),
  ].flat();
  return messages.map((message) => ({ kind: 'side-data', message }));
}

/** Streams that are kept, each with what it has become. Containers keep the order of each kind, but not that of all. */
function twins(
  streams: readonly KeptStream[],
  made: ClipHeader,
): readonly (readonly [source: ClipStream, twin: ClipStream | undefined])[] {
  const kept = streams.filter(({ index }) => index !== undefined).map(({ source }) => source);
  const sort = ({ kind, disposition }: ClipStream): string => (disposition.includes('attached_pic') ? 'cover' : kind);
  return kept.map((source) => {
    const rank = kept.filter((each) => sort(each) === sort(source)).indexOf(source);
    return [source, made.streams.filter((each) => sort(each) === sort(source))[rank]];
  });
}

/** The stream that a stream of the source has become in a file that was made by a plan. */
export function twinOf(source: ClipStream, streams: readonly KeptStream[], made: ClipHeader): ClipStream | undefined {
  return twins(streams, made).find(([stream]) => stream === source)?.[1];
}

/** `stream 3 (subtitle, ass)` */
function nameOf({ index, kind, codec, codecTag }: ClipStream): string {
  const what = codec !== 'unknown' && codec !== 'none' ? codec : /^\[0\]/.test(codecTag) ? 'unknown' : codecTag;
  return `stream ${index} (${kind}, ${what})`;
}

/** Says what belongs to pictures and never passes raw frames. */
export function lostByFrames(sideData: readonly SideData[]): readonly string[] {
  const names = new Set(kindsOf(sideData).flatMap((kind) => sideDataNames[kind] ?? []));
  return [...names].map((name) => `${name} of the pictures is lost`);
}

const kindsOf = (list: readonly SideData[]): readonly string[] => [
  ...new Set(list.map(({ side_data_type: kind }) => String(kind))),
];

type Tags = Readonly<Record<string, string>>;

function tagLosses(name: string, before: Tags, after: Tags): readonly VideoLoss[] {
  const written = new Map(Object.entries(after).map(([key, value]) => [key.toLowerCase(), value]));
  const lost = Object.entries(before).filter(
    ([key, value]) =>
      !ownTags.test(key) && value !== '' && written.get(key.toLowerCase()) !== value && !saysNothing(key, value),
  );
  if (lost.length === 0) {
    return [];
  }
  const names = lost.map(([key]) => key).join(', ');
  return [{ kind: 'tag', message: `${name}: ${lost.length === 1 ? 'the tag' : 'the tags'} ${names} cannot be kept` }];
}

/** An undetermined language is the same as none. */
const saysNothing = (key: string, value: string): boolean => key.toLowerCase() === 'language' && value === 'und';

function dispositionLosses(source: ClipStream, made: ClipStream): readonly VideoLoss[] {
  const lost = source.disposition.filter((name) => !made.disposition.includes(name));
  return lost.length === 0
    ? []
    : [{ kind: 'disposition', message: `${nameOf(source)}: the mark ${lost.join(', ')} cannot be kept` }];
}

function colourLosses(source: ClipStream, made: ClipStream): readonly VideoLoss[] {
  const facts = [
    ['colour range', source.colour.range, made.colour.range],
    ['colour matrix', source.colour.space, made.colour.space],
    ['transfer curve', source.colour.transfer, made.colour.transfer],
    ['colour primaries', source.colour.primaries, made.colour.primaries],
    ['place of chroma', source.colour.chromaLocation, made.colour.chromaLocation],
    ['shape of pixels', source.sampleAspectRatio, made.sampleAspectRatio ?? '1:1'],
  ] as const;
  return facts.flatMap(([name, before, after]): readonly VideoLoss[] =>
    before === undefined || /^(unknown|unspecified|N\/A|reserved)$/.test(before) || before === after
      ? []
      : [{ kind: 'colour', message: `${nameOf(source)}: the ${name} ${before} cannot be kept` }],
  );
}

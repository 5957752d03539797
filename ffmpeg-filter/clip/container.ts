import { extname } from 'node:path';
import { imageFormatOfPath, MambairError } from '../../core/index.js';
import type { StreamKind } from '../command/probed-input.js';

/** Families of containers that keep the same things. */
export type ContainerFamily = 'matroska' | 'webm' | 'mp4' | 'mov' | 'ts' | 'avi' | 'nut' | 'gif' | 'other';

/** What a container can hold beside its video; what is not said here the trial run finds out. */
export interface Container {
  readonly family: ContainerFamily;
  /** With the dot. */
  readonly extension: string;
  readonly holdsAttachments: boolean;
  /** A cover picture as a stream of its own. */
  readonly holdsCovers: boolean;
  /** Text subtitles are turned into this codec; undefined where none fits. */
  readonly textSubtitles: string | undefined;
  /** Subtitle codecs that are copied as they are; undefined: all. */
  readonly subtitleCodecs: readonly string[] | undefined;
  /** Orientation can be written into the finished file. */
  readonly holdsOrientation: boolean;
  /** Output options. */
  readonly words: readonly string[];
}

const extensions: Readonly<Record<string, ContainerFamily>> = {
  '.mkv': 'matroska',
  '.mka': 'matroska',
  '.webm': 'webm',
  '.mp4': 'mp4',
  '.m4v': 'mp4',
  '.mov': 'mov',
  '.qt': 'mov',
  '.ts': 'ts',
  '.m2ts': 'ts',
  '.mts': 'ts',
  '.avi': 'avi',
  '.nut': 'nut',
  '.gif': 'gif',
};

const nothing = {
  holdsAttachments: false,
  holdsCovers: false,
  textSubtitles: undefined,
  subtitleCodecs: [],
  holdsOrientation: false,
  words: [],
} as const;

const containers: Readonly<Record<ContainerFamily, Omit<Container, 'family' | 'extension'>>> = {
  // Negative decoding times, from B-frames, would else move the whole file.
  matroska: {
    ...nothing,
    holdsAttachments: true,
    holdsCovers: true,
    textSubtitles: 'srt',
    subtitleCodecs: ['subrip', 'srt', 'ass', 'ssa', 'webvtt', 'hdmv_pgs_subtitle', 'dvd_subtitle', 'dvb_subtitle'],
    words: ['-avoid_negative_ts', 'disabled'],
  },
  webm: {
    ...nothing,
    textSubtitles: 'webvtt',
    subtitleCodecs: ['webvtt'],
    words: ['-avoid_negative_ts', 'disabled'],
  },
  mp4: {
    ...nothing,
    holdsCovers: true,
    textSubtitles: 'mov_text',
    subtitleCodecs: ['mov_text', 'dvd_subtitle'],
    holdsOrientation: true,
  },
  mov: { ...nothing, textSubtitles: 'mov_text', subtitleCodecs: ['mov_text'], holdsOrientation: true },
  // Without these everything would come 1.4 s later.
  ts: {
    ...nothing,
    subtitleCodecs: ['dvb_subtitle', 'dvb_teletext', 'hdmv_pgs_subtitle'],
    words: ['-muxdelay', '0', '-muxpreload', '0'],
  },
  avi: nothing,
  nut: { ...nothing, holdsAttachments: false, subtitleCodecs: undefined },
  gif: nothing,
  other: { ...nothing, subtitleCodecs: undefined },
};

/** The container of an output, by the extension of its name. @throws MAMBAIR_OPTION_INVALID for a name without one */
export function containerOf(path: string): Container {
  const extension = extname(path).toLowerCase();
  if (extension === '') {
    throw new MambairError(
      'MAMBAIR_OPTION_INVALID',
      `${path}: expected a name whose extension says the container, such as .mkv, .mp4, .mov or .webm`,
      { detail: { option: 'output' } },
    );
  }
  if (imageFormatOfPath(path) !== undefined && extension !== '.gif') {
    throw new MambairError(
      'MAMBAIR_OPTION_INVALID',
      `${path}: expected the name of a video, such as .mkv or .mp4, got that of a picture; pictures are restored by "mambair restore"`,
      { detail: { option: 'output' } },
    );
  }
  const family = extensions[extension] ?? 'other';
  return { family, extension, ...containers[family] };
}

/** The family that an input belongs to, by ffprobe's name of its format. */
export function familyOfFormat(formatName: string): ContainerFamily {
  const names = formatName.split(',');
  const has = (name: string): boolean => names.includes(name);
  if (has('mov')) {
    return 'mp4';
  }
  return has('matroska') ? 'matroska' : has('mpegts') ? 'ts' : has('avi') ? 'avi' : has('nut') ? 'nut' : 'other';
}

/** Subtitles that are text, so that another container can have them in its own form. */
const textCodecs = ['subrip', 'srt', 'ass', 'ssa', 'webvtt', 'mov_text', 'text', 'subviewer', 'microdvd', 'jacosub'];

/** How a stream beside the video goes into a container. */
export type StreamFate =
  | { readonly keep: 'copy' }
  /** Turned into another codec, with what that loses. */
  | { readonly keep: 'convert'; readonly codec: string; readonly loss: string }
  /** Made anew by ffmpeg from chapters or tags. */
  | { readonly keep: 'rebuilt' }
  | { readonly keep: 'drop'; readonly loss: string };

/** Decides how a stream beside the video goes into a container. */
export function streamFate(
  stream: { readonly kind: StreamKind; readonly codec: string; readonly codecTag: string; readonly isCover: boolean },
  container: Container,
  source: ContainerFamily,
): StreamFate {
  const { kind, codec, codecTag, isCover } = stream;
  const name = container.extension.slice(1);
  if (kind === 'attachment') {
    return container.holdsAttachments ? { keep: 'copy' } : drop(`${name} has no attachments`);
  }
  if (isCover) {
    return container.holdsCovers ? { keep: 'copy' } : drop(`${name} has no cover pictures`);
  }
  if (kind === 'data') {
    // QuickTime's chapters and timecodes are streams as well; ffmpeg writes them from chapters and the tag `timecode`.
    if (codecTag === 'tmcd' || (codecTag === 'text' && source === 'mp4')) {
      return container.holdsOrientation ? { keep: 'rebuilt' } : drop(`${name} has no such stream`, codecTag === 'text');
    }
    return container.family === source || container.family === 'nut'
      ? { keep: 'copy' }
      : drop(`${name} does not take data of ${codec} (${codecTag})`);
  }
  if (kind === 'subtitle' && container.subtitleCodecs?.includes(codec) === false) {
    return container.textSubtitles !== undefined && textCodecs.includes(codec)
      ? {
          keep: 'convert',
          codec: container.textSubtitles,
          loss: `${codec} becomes ${container.textSubtitles}; its styles may be lost`,
        }
      : drop(`${name} does not take subtitles of ${codec}`);
  }
  return { keep: 'copy' };
}

function drop(loss: string, isSilent = false): StreamFate {
  return isSilent ? { keep: 'rebuilt' } : { keep: 'drop', loss };
}

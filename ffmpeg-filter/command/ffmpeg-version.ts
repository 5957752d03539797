import { MambairError } from '../../core/index.js';

/** A version of ffmpeg, and what hangs on it. */
export interface FfmpegVersion {
  /** As printed: `5.1.9-0+deb12u1`, `n7.1`, `N-118315-g1b8a7a1`, `git-2024-11-21-g...`. */
  readonly printed: string;
  /** 5.1 is {major: 5, minor: 1}; of a build from git the release that its libraries belong to or follow. */
  readonly major: number;
  readonly minor: number;
  /** True when the number was told from the libraries: a build from git, between releases. */
  readonly isDevelopment: boolean;
  /** `-fps_mode` (5.1 on) instead of `-vsync`. */
  readonly hasFpsMode: boolean;
  /** `-display_rotation` as an input option (6.0 on). */
  readonly hasDisplayRotation: boolean;
  /** The start of an input whose times may jump is always that of the streams in use (6.0 on), or where `-ss` goes. */
  readonly correctsStarts: boolean;
  /** Options that take tags away take that of the encoder in use, too (9.0 on); those of the source no longer come along. */
  readonly writesEncoderTagFirst: boolean;
  /**
   * Range and matrix are negotiated between filters and encoders (7.1 on): what an option of the output names, pictures are
   * converted to, so tags belong on the frames. `setparams` gives them the place of chroma, too.
   */
  readonly hasNegotiatedColour: boolean;
}

/** The releases that are understood. */
const oldest = 5;
const newest = 9;

/** First libavutil (major, minor) of each release, newest first. Source: ffmpeg's download page. */
const libraries: readonly (readonly [avutil: number, minor: number, release: readonly [number, number]])[] = [
  [60, 8, [8, 0]],
  [59, 39, [7, 1]],
  [59, 8, [7, 0]],
  [58, 29, [6, 1]],
  [58, 2, [6, 0]],
  [57, 28, [5, 1]],
  [57, 17, [5, 0]],
];

/**
 * Reads what `ffmpeg -version` prints. Newer releases than those known are taken as the newest known.
 * @throws MAMBAIR_FFMPEG_UNSUPPORTED for older ones, and for text that is not ffmpeg's
 */
export function understandVersion(text: string, program = 'ffmpeg'): FfmpegVersion {
  const printed = /^\w+ version (\S+)/m.exec(text)?.[1];
  if (printed === undefined) {
    throw unsupported(`${program} should print "ffmpeg version …", but printed "${text.slice(0, 60).trim()}"`, program);
  }
  const [, major, minor] = /^[nv]?(\d{1,3})(?:\.(\d{1,3}))?(?:[.\-+~_]|$)/.exec(printed) ?? [];
  // A date as version (2024-11-21-git-…) begins with four digits, so it is no release either.
  const release = major === undefined ? libraryRelease(text) : ([Number(major), Number(minor ?? 0)] as const);
  if (release === undefined || release[0] < oldest) {
    throw unsupported(
      `${program} is ffmpeg ${printed}; versions ${oldest} to ${newest} are understood; ` +
        'install a newer one or name another with --ffmpeg',
      program,
    );
  }
  const [number, part] = release;
  const isAtLeast = (least: number, leastPart: number): boolean =>
    number > least || (number === least && part >= leastPart);
  return {
    printed,
    major: number,
    minor: part,
    isDevelopment: major === undefined,
    hasFpsMode: isAtLeast(5, 1),
    hasDisplayRotation: isAtLeast(6, 0),
    correctsStarts: isAtLeast(6, 0),
    writesEncoderTagFirst: isAtLeast(9, 0),
    hasNegotiatedColour: isAtLeast(7, 1),
  };
}

/** The newest release whose libavutil is not newer than the one printed: a build from git has at least its options. */
function libraryRelease(text: string): readonly [number, number] | undefined {
  const [, major, minor] = /^libavutil\s+(\d+)\.\s*(\d+)\./m.exec(text) ?? [];
  if (major === undefined || minor === undefined) {
    return undefined;
  }
  return libraries.find(
    ([avutil, least]) => Number(major) > avutil || (Number(major) === avutil && Number(minor) >= least),
  )?.[2];
}

function unsupported(message: string, program: string): MambairError {
  return new MambairError('MAMBAIR_FFMPEG_UNSUPPORTED', message, { detail: { program } });
}

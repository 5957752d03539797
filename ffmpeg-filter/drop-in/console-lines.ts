/**
 * What both halves write to standard error, as one ffmpeg would: the input as the decoding half describes it, then what
 * the encoding half says of outputs and progress. Programs that call ffmpeg read these lines. What either says of errors
 * is kept, wherever it comes.
 */

/** Of one half: tells for each line whether it is to be shown. */
export interface LineFilter {
  readonly shows: (line: string) => boolean;
}

/** Hides sections (a head and the indented lines below it) and single lines. */
function hiding(heads: RegExp, single: RegExp): LineFilter {
  let isHidden = false;
  return {
    shows: (line) => {
      if (heads.test(line)) {
        isHidden = true;
      } else if (!/^\s/.test(line)) {
        isHidden = false;
      }
      return !isHidden && !single.test(line);
    },
  };
}

/** Hides what the decoding half says of its output, the pipe. */
export function decodeLines(): LineFilter {
  return hiding(/^(Stream mapping:|Output #\d+)/, /^(frame=|size=|video:|\[out#\d+\/nut @|Press \[q\])/);
}

/** Hides what the encoding half says of its inputs, the pipe and those that were described before. */
export function encodeLines(): LineFilter {
  return hiding(/^Input #\d+/, /^\[(nut|matroska,webm) @ .*(Thread message queue blocking|Estimating duration)/);
}

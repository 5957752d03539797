import { formatName } from '../command/choose-streams.js';
import { lastValue, type Command } from '../command/command-line.js';

/** Encoders whose time base is the frame rate and nothing else, or whose header says the time base as the rate. */
const bound =
  /^(mpeg1video|mpeg2video|mpeg4|libxvid|msmpeg4.*|mjpeg|flv|flv1|h26[13]p?|libtheora|wmv[12]|rv[12]0|snow|dirac|vc2)$/;

/** Containers that hold such a stream unless told otherwise, and avi, which has frame numbers for times. */
const boundByDefault = /^(avi|mpg|mpeg|vob|dvd|svcd|vcd|m1v|m2v|mjpeg|mjpg|flv|swf|wmv|asf|ogv|3gp|3g2|dv|rm)$/;

/**
 * True when an output can take frame times over in ticks of the source. Encoders that know a frame rate only get their own
 * time base, one tick a frame, as from plain ffmpeg.
 * @param encoders of its restored streams; undefined where the command leaves them to ffmpeg
 */
export function takesStreamTimes(command: Command, output: number, encoders: readonly (string | undefined)[]): boolean {
  const file = command.outputs[output];
  if (file === undefined) {
    return true;
  }
  const container = formatName(file.url, lastValue(file, 'f'));
  if (container === 'avi' || lastValue(file, 'target') !== undefined) {
    return false;
  }
  return encoders.every((encoder) => (encoder === undefined ? !boundByDefault.test(container) : !bound.test(encoder)));
}

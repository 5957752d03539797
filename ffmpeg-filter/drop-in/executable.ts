import { fileURLToPath } from 'node:url';

/**
 * The path of the program `mambair-ffmpeg`, which takes every command that ffmpeg takes and knows the filter `mambairv2`
 * besides: for libraries that call ffmpeg, e.g. `ffmpeg.setFfmpegPath(mambairFfmpegPath())` of fluent-ffmpeg.
 */
export function mambairFfmpegPath(): string {
  return fileURLToPath(new URL('../../../bin/mambair-ffmpeg.js', import.meta.url));
}

import type { Command } from '../command/command-line.js';

/** Levels at which ffmpeg does not even tell of errors. */
const quiet = new Set(['quiet', 'panic', 'fatal', '-8', '0', '8']);

/**
 * True when a command asks ffmpeg to keep errors to itself. The halves tell them nevertheless, to us: some failures can be
 * told only by what ffmpeg writes.
 */
export function hasQuietLog({ globals }: Command): boolean {
  const level = globals.findLast(({ name }) => name === 'loglevel' || name === 'v')?.value ?? '';
  return quiet.has(level.split('+').at(-1) ?? '');
}

/** True when a command asks for errors at most, so that notes of ours are not wanted either. */
export function hidesNotes({ globals }: Command): boolean {
  const level =
    (globals.findLast(({ name }) => name === 'loglevel' || name === 'v')?.value ?? '').split('+').at(-1) ?? '';
  return quiet.has(level) || level === 'error' || level === '16';
}

/** The words of a half with the level raised so far that errors are told. */
export function withErrors(words: readonly string[]): readonly string[] {
  return words.map((word, at) => (/^-(loglevel|v)$/.test(words[at - 1] ?? '') ? 'error' : word));
}

import type { ErrorCode, ErrorDetail } from '../errors.js';
import { MambairError } from '../errors.js';

/** An error about the content of a named file: the message begins with the file, `detail.file` repeats it. */
export function fileError(code: ErrorCode, fileName: string, message: string, detail: ErrorDetail = {}): MambairError {
  return new MambairError(code, `${fileName}: ${message}`, { detail: { file: fileName, ...detail } });
}

/**
 * Text taken from an untrusted file, made fit for a message: quoted, cut after `limit` UTF-16 units, and with every
 * character that does not print (controls, text-direction marks, broken surrogates) written as its number.
 */
export function excerpt(text: string, limit = 60): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}…` : text;
  const printable = cut.replace(
    /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
  return `'${printable}'`;
}

/** The first few of a list of names from an untrusted file, for a message: `'a', 'b' and 7 more`. */
export function excerptList(names: readonly string[], limit = 5): string {
  const shown = names.slice(0, limit).map((name) => excerpt(name));
  return names.length > limit ? `${shown.join(', ')} and ${names.length - limit} more` : shown.join(', ');
}

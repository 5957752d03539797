import { MambairError } from '../../core/index.js';

/** One filter of a graph, with the labels of its pads. */
export interface Filter {
  /** Without the `@id` that may follow it. */
  readonly name: string;
  /** As written, quotes and escapes included: `name@id=arguments`. */
  readonly text: string;
  /** Everything after `=`, freed of the graph's level of quotes; undefined without `=`. */
  readonly arguments: string | undefined;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** Filters that feed one another in the order written. */
export type Chain = readonly Filter[];

/** A filter graph of ffmpeg: `sws_flags=…;[in]filter=arguments,filter[out];…`. */
export interface Graph {
  /** Value of the leading `sws_flags=`, as written. */
  readonly swsFlags: string | undefined;
  readonly chains: readonly Chain[];
}

const whiteSpace = ' \n\t\r';

/** A stretch of text up to an unquoted terminator, as ffmpeg's `av_get_token` reads it. */
interface Token {
  /** Without quotes, escapes and unquoted space around it. */
  readonly value: string;
  /** As written, without the space around it. */
  readonly text: string;
  /** Place of the terminator, or the length of the text. */
  readonly end: number;
}

/**
 * Reads one token: a backslash takes the next character literally, everything between single quotes is literal, the
 * backslash too (libavutil, `av_get_token`).
 */
export function readToken(source: string, start: number, terminators: string): Token {
  const from = skipSpace(source, start);
  let value = '';
  let kept = 0; // characters of value that trailing space may not be cut from
  let textEnd = from;
  let at = from;
  while (at < source.length && !terminators.includes(source.charAt(at))) {
    const character = source.charAt(at);
    at += 1;
    if (character === '\\' && at < source.length) {
      value += source.charAt(at);
      at += 1;
      kept = value.length;
      textEnd = at;
    } else if (character === "'") {
      const close = source.indexOf("'", at);
      const last = close < 0 ? source.length : close;
      value += source.slice(at, last);
      at = close < 0 ? last : last + 1;
      kept = value.length;
      textEnd = at;
    } else {
      value += character;
      if (!whiteSpace.includes(character)) {
        kept = value.length;
        textEnd = at;
      }
    }
  }
  return { value: value.slice(0, kept), text: source.slice(from, textEnd), end: at };
}

/**
 * Reads a filter graph (libavfilter, graphparser).
 * @throws MAMBAIR_OPTION_INVALID with the place when ffmpeg would not read it either
 */
export function parseGraph(source: string): Graph {
  let at = skipSpace(source, 0);
  let swsFlags: string | undefined;
  if (source.startsWith('sws_flags=', at)) {
    const end = source.indexOf(';', at);
    if (end < 0) {
      throw malformed(source, at, 'a ";" after sws_flags=…');
    }
    swsFlags = source.slice(at + 'sws_flags='.length, end);
    at = end + 1;
  }
  const chains: Filter[][] = [[]];
  for (;;) {
    const inputs = readLabels(source, skipSpace(source, at));
    const { filter, end } = readFilter(source, inputs.end, inputs.labels);
    chains.at(-1)?.push(filter);
    at = end;
    if (at >= source.length) {
      return { swsFlags, chains };
    }
    const separator = source.charAt(at);
    if (separator !== ',' && separator !== ';') {
      throw malformed(source, at, '"," or ";" between filters');
    }
    if (separator === ';') {
      chains.push([]);
    }
    at += 1;
  }
}

/** Writes a graph so that {@link parseGraph} gives the same value; filters keep their text. */
export function printGraph(graph: Graph): string {
  const flags = graph.swsFlags === undefined ? '' : `sws_flags=${graph.swsFlags};`;
  return flags + graph.chains.map((chain) => chain.map(printFilter).join(',')).join(';');
}

/** A filter that is nothing but its text, such as `null` or `settb=1/12`. */
export function plainFilter(text: string, inputs: readonly string[] = [], outputs: readonly string[] = []): Filter {
  return readFilter(
    `${inputs.map(printLabel).join('')}${text}`,
    inputs.map(printLabel).join('').length,
    inputs,
    outputs,
  ).filter;
}

/** One argument of a filter: `key=value`, or a value by its place. */
export interface Argument {
  readonly key: string | undefined;
  /** Without quotes and escapes. */
  readonly value: string;
}

/** Splits what follows a filter's `=` at `:`, after the graph's level of quotes is gone (libavutil, `av_opt_get_key_value`). */
export function splitArguments(text: string | undefined): readonly Argument[] {
  const found: Argument[] = [];
  let at = 0;
  while (text !== undefined && at < text.length) {
    const [whole, key] = /^[ \n\t\r]*([\w./-]+)[ \n\t\r]*=/.exec(text.slice(at)) ?? [];
    const token = readToken(text, at + (whole?.length ?? 0), ':');
    found.push({ key, value: token.value });
    at = token.end + 1;
  }
  return found;
}

function readFilter(
  source: string,
  start: number,
  inputs: readonly string[],
  given: readonly string[] = [],
): { filter: Filter; end: number } {
  const name = readToken(source, start, '=,;[');
  if (name.value === '') {
    throw malformed(source, name.end, 'the name of a filter');
  }
  const hasArguments = source.charAt(name.end) === '=';
  const args = hasArguments ? readToken(source, name.end + 1, '[],;') : undefined;
  const outputs = readLabels(source, skipSpace(source, args?.end ?? name.end));
  const filter = {
    name: name.value.split('@', 1)[0] ?? '',
    text: args === undefined ? name.text : `${name.text}=${args.text}`,
    arguments: args?.value,
    inputs,
    outputs: [...given, ...outputs.labels],
  };
  return { filter, end: outputs.end };
}

function readLabels(source: string, start: number): { labels: readonly string[]; end: number } {
  const labels: string[] = [];
  let at = start;
  while (source.charAt(at) === '[') {
    const label = readToken(source, at + 1, ']');
    if (label.value === '' || source.charAt(label.end) !== ']') {
      throw malformed(source, at, 'a label such as [name]');
    }
    labels.push(label.value);
    at = skipSpace(source, label.end + 1);
  }
  return { labels, end: at };
}

function printFilter(filter: Filter): string {
  return filter.inputs.map(printLabel).join('') + filter.text + filter.outputs.map(printLabel).join('');
}

/** A label in brackets; what would end it, or be cut off it, is escaped. */
function printLabel(label: string): string {
  return `[${label.replace(/[\\'\]]|^\s|\s$/g, '\\$&')}]`;
}

function skipSpace(source: string, start: number): number {
  let at = start;
  while (at < source.length && whiteSpace.includes(source.charAt(at))) {
    at += 1;
  }
  return at;
}

function malformed(source: string, at: number, expected: string): MambairError {
  return new MambairError(
    'MAMBAIR_OPTION_INVALID',
    `filter graph: expected ${expected} at character ${at + 1}, not "${source.slice(at, at + 20)}"; ` +
      'quote what belongs to a value with single quotes or backslashes',
    { detail: { at } },
  );
}

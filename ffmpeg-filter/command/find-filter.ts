import type { Command, Option } from './command-line.js';
import { findFilters, type FilterPlace } from './cut-graph.js';
import { bareName } from './ffmpeg-options.js';
import { parseGraph, type Filter, type Graph } from './filter-graph.js';
import { filterNames } from './filter-options.js';
import { unsplittable } from './unsplittable.js';

/** An option whose value is a filter graph. */
export interface GraphOption {
  readonly option: Option;
  /** The same option with the graph on the command line: `filter_script:v` reads a file, `filter:v` does not. */
  readonly inlineName: string;
  readonly graph: Graph;
}

/** Our filter in a command line. */
export interface FoundFilter extends GraphOption {
  /** The output whose option it is; undefined for the graphs of the whole command (`-filter_complex`). */
  readonly output: number | undefined;
  readonly place: FilterPlace;
  readonly filter: Filter;
  /** The graphs of the whole command, in their order. */
  readonly complex: readonly GraphOption[];
}

const simpleNames: Readonly<Record<string, string>> = {
  vf: 'vf',
  '/vf': 'vf',
  filter: 'filter',
  '/filter': 'filter',
  filter_script: 'filter',
};

const complexNames: Readonly<Record<string, string>> = {
  filter_complex: 'filter_complex',
  lavfi: 'lavfi',
  filter_complex_script: 'filter_complex',
  '/filter_complex': 'filter_complex',
  '/lavfi': 'lavfi',
};

/**
 * Finds our filter in a command line; undefined when it has none, and is ffmpeg's alone.
 * @param readScript reads a file that holds a filter graph
 * @throws MAMBAIR_FFMPEG_UNSPLITTABLE when it stands more than once or after the last output, MAMBAIR_OPTION_INVALID
 *   for a graph with our filter that cannot be read
 */
export function findOurFilter(command: Command, readScript: (path: string) => string): FoundFilter | undefined {
  const find = (option: Option, output: number | undefined): readonly Omit<FoundFilter, 'complex'>[] => {
    const text = graphText(option, output, readScript);
    const graph = text === undefined ? undefined : readGraph(text.text);
    return graph === undefined || text === undefined
      ? []
      : findFilters(graph, filterNames).map((one) => ({ option, inlineName: text.inlineName, output, graph, ...one }));
  };
  if (command.trailing.some((option) => find(option, 0).length > 0)) {
    throw unsplittable(
      'cannot-split',
      'the filter stands after the last output; options go before the file they are for',
    );
  }
  const found = [
    ...command.globals.flatMap((option) => find(option, undefined)),
    ...command.outputs.flatMap(({ options }, output) => options.flatMap((option) => find(option, output))),
  ];
  const [ours] = found;
  if (found.length > 1) {
    const texts = found.map(({ filter }) => `"${filter.text}"`).join(' and ');
    throw unsplittable(
      'one-filter',
      `the filter can stand once in a command, not as ${texts}; make one run after the other`,
    );
  }
  if (ours === undefined) {
    return undefined;
  }
  const complex = command.globals.flatMap((option) => {
    const text = graphText(option, undefined, readScript);
    const isOurs = option === ours.option;
    return text === undefined
      ? []
      : [{ option, inlineName: text.inlineName, graph: isOurs ? ours.graph : parseGraph(text.text) }];
  });
  return { ...ours, complex };
}

/** The graph that an option holds, or names a file of; undefined for other options and for audio. */
function graphText(
  option: Option,
  output: number | undefined,
  readScript: (path: string) => string,
): { readonly text: string; readonly inlineName: string } | undefined {
  const name = bareName(option.name);
  const inline = output === undefined ? complexNames[name] : simpleNames[name];
  if (inline === undefined || option.value === undefined || /^a(:|$)/.test(option.specifier)) {
    return undefined;
  }
  return {
    text: inline === name ? option.value : readScript(option.value),
    inlineName: option.specifier === '' ? inline : `${inline}:${option.specifier}`,
  };
}

/** A graph that may hold our filter. What ffmpeg will refuse by itself is left to it, unless our name is in it. */
function readGraph(text: string): Graph | undefined {
  if (!filterNames.some((name) => text.includes(name))) {
    return undefined;
  }
  try {
    return parseGraph(text);
  } catch (error) {
    if (new RegExp(`(^|[,;\\]\\s])(${filterNames.join('|')})\\s*([=@,;[]|$)`).test(text)) {
      throw error;
    }
    return undefined;
  }
}

/** The filter whose help is asked for, as in `-h filter=mambairv2`; undefined when none of ours is. */
export function helpTopic(argv: readonly string[]): string | undefined {
  const at = argv.findIndex((word) => ['-h', '-help', '--help', '-?'].includes(word));
  const name = /^filter=(.*)$/.exec((at < 0 ? undefined : argv[at + 1]) ?? '')?.[1];
  return filterNames.find((one) => one === name);
}

import { plainFilter, type Chain, type Filter, type Graph } from './filter-graph.js';
import { readsClock } from './filter-traits.js';
import { unsplittable } from './unsplittable.js';

/** Where a filter stands in a graph. */
export interface FilterPlace {
  readonly chain: number;
  readonly index: number;
}

/** A graph in two, without the filter that stood between. */
export interface CutGraph {
  /** What the filter's pictures depend on; without chains when it is first. */
  readonly before: Graph;
  /** Everything else. */
  readonly after: Graph;
  /** The filters whose pictures reach ours, nearest first, along the first input of each. */
  readonly path: readonly Filter[];
  /** What the pictures come from: a label that no filter makes, or undefined for an unlabelled input. */
  readonly source: string | undefined;
  /** Labels that filters after ours leave open, to be mapped. */
  readonly ends: readonly string[];
  /** True when a filter after ours leaves its output unlabelled: it belongs to the first output. */
  readonly hasOpenEnd: boolean;
  /** The same for what our pictures are the first input of, so that it has their colours and not those of others. */
  readonly owned: { readonly ends: readonly string[]; readonly hasOpenEnd: boolean };
}

/** How the graph is wired to the outside. */
export interface CutWiring {
  /** `simple`: `-vf`, one way in and out; `complex`: inputs are named, and the filter's place is kept by a `null`. */
  readonly kind: 'simple' | 'complex';
  /** The input label that an unlabelled input stands for in a complex graph. */
  readonly unlabelled?: string | undefined;
  /** Text of the filter that restores the time base after the pipe, if that is known. It is left out where nobody needs it. */
  readonly timeBaseFilter?: (path: readonly Filter[], source: string | undefined) => string | undefined;
  /** True when times may come through the pipe rounded, so that everything needs that filter. */
  readonly roundsTimes?: boolean | undefined;
  /** Texts of filters that give frames back what the pipe does not carry. */
  readonly entryFilters?: (path: readonly Filter[], source: string | undefined) => readonly string[];
}

/** The label under which the decoding half hands its pictures out. */
export const pictureLabel = 'mbr_out';

/** Stands for the pipe among the inputs of the encoding half, until those are numbered. */
export const pipeLabel = 'mbr_in';

/** Finds filters by name. */
export function findFilters(
  graph: Graph,
  names: readonly string[],
): readonly { readonly filter: Filter; readonly place: FilterPlace }[] {
  return graph.chains.flatMap((filters, chain) =>
    filters.flatMap((filter, index) => (names.includes(filter.name) ? [{ filter, place: { chain, index } }] : [])),
  );
}

/**
 * Cuts a graph at one filter: what it depends on goes before, the rest after.
 * @throws MAMBAIR_FFMPEG_UNSPLITTABLE when pictures go round the filter
 */
export function cutGraph(graph: Graph, place: FilterPlace, wiring: CutWiring): CutGraph {
  const ours = filterAt(graph, place);
  const producers = labelProducers(graph);
  const inputLabel = ours.inputs[0];
  const previous = graph.chains[place.chain]?.[place.index - 1];
  const isFedByChain = previous !== undefined && (ours.inputs.length === 0 || previous.outputs.length === 0);
  if (ours.inputs.length + (isFedByChain ? 1 : 0) > 1 || ours.outputs.length > 1) {
    throw unsplittable('cannot-split', `${ours.name} has one input and one output; the graph gives it more`);
  }
  const upstream = collectUpstream(graph, place, producers);
  refuseBypass(graph, place, upstream, producers);
  const feeder = isFedByChain ? previous : inputLabel === undefined ? undefined : producers.get(inputLabel)?.filter;
  const path = followBack(graph, place, producers);
  const downstream = collectDownstream(graph, place);
  const owned = collectDownstream(graph, place, { byFirstInput: true });
  const openLabelsOf = (filters: readonly Filter[]): readonly string[] =>
    filters.flatMap(({ outputs }) => outputs).filter((label) => !isConsumed(graph, label));
  const restore = wiring.timeBaseFilter?.(path.filters, path.source);
  const isClockRead = wiring.roundsTimes === true || downstream.some((filter) => filter !== ours && readsClock(filter));
  const entry = wiring.entryFilters?.(path.filters, path.source) ?? [];
  const standIns = { clock: restore !== undefined && isClockRead ? [restore] : [], entry };
  return {
    before: beforeGraph(graph, { ours, feeder, upstream, wiring }),
    after: afterGraph(graph, { ours, place, upstream, wiring, standIns }),
    path: path.filters,
    source: path.source,
    ends: openLabelsOf(downstream),
    hasOpenEnd: hasOpenEnd(graph, downstream),
    owned: { ends: openLabelsOf(owned), hasOpenEnd: hasOpenEnd(graph, owned) },
  };
}

function filterAt(graph: Graph, place: FilterPlace): Filter {
  const filter = graph.chains[place.chain]?.[place.index];
  if (filter === undefined) {
    throw new RangeError(`no filter ${place.index} in chain ${place.chain}`);
  }
  return filter;
}

interface Placed extends FilterPlace {
  readonly filter: Filter;
}

function labelProducers(graph: Graph): ReadonlyMap<string, Placed> {
  return new Map(
    graph.chains.flatMap((filters, chain) =>
      filters.flatMap((filter, index) => filter.outputs.map((label) => [label, { filter, chain, index }] as const)),
    ),
  );
}

/** The filters that feed a filter: by label, and the one before it in its chain. */
function feeders(graph: Graph, place: FilterPlace, producers: ReadonlyMap<string, Placed>): readonly Placed[] {
  const byLabel = filterAt(graph, place).inputs.flatMap((label) => producers.get(label) ?? []);
  const before = graph.chains[place.chain]?.[place.index - 1];
  return before === undefined ? byLabel : [...byLabel, { filter: before, chain: place.chain, index: place.index - 1 }];
}

function collectUpstream(graph: Graph, place: FilterPlace, producers: ReadonlyMap<string, Placed>): Set<Filter> {
  const found = new Set<Filter>();
  const open: FilterPlace[] = [place];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const feeder of feeders(graph, at, producers)) {
      if (!found.has(feeder.filter)) {
        found.add(feeder.filter);
        open.push(feeder);
      }
    }
  }
  if (found.has(filterAt(graph, place))) {
    throw circle();
  }
  return found;
}

function circle(): Error {
  return unsplittable('cannot-split', 'the filter graph runs in a circle; correct its labels');
}

function hasOpenEnd(graph: Graph, filters: readonly Filter[]): boolean {
  return filters.some((filter) => filter.outputs.length === 0 && isLastOfChain(graph, filter));
}

/** The filter and everything that depends on it; `byFirstInput` leaves out what takes it beside other pictures. */
function collectDownstream(
  graph: Graph,
  place: FilterPlace,
  { byFirstInput }: { readonly byFirstInput: boolean } = { byFirstInput: false },
): readonly Filter[] {
  const found = new Set<Filter>([filterAt(graph, place)]);
  for (let size = 0; size < found.size; ) {
    size = found.size;
    for (const chain of graph.chains) {
      for (const [index, filter] of chain.entries()) {
        const before = chain[index - 1];
        // Labelled inputs come before the one from the chain.
        const labels = byFirstInput ? filter.inputs.slice(0, 1) : filter.inputs;
        const isFedByChain = before !== undefined && found.has(before) && !(byFirstInput && labels.length > 0);
        const isFed = isFedByChain || labels.some((label) => [...found].some(({ outputs }) => outputs.includes(label)));
        if (isFed) {
          found.add(filter);
        }
      }
    }
  }
  return [...found];
}

function refuseBypass(
  graph: Graph,
  place: FilterPlace,
  upstream: ReadonlySet<Filter>,
  producers: ReadonlyMap<string, Placed>,
): void {
  const ours = filterAt(graph, place);
  const consumers = (label: string): readonly Filter[] =>
    graph.chains.flat().filter(({ inputs }) => inputs.includes(label));
  const isInside = (filter: Filter | undefined): boolean =>
    filter !== undefined && (filter === ours || upstream.has(filter));
  for (const chain of graph.chains) {
    for (const [index, filter] of chain.entries()) {
      if (!upstream.has(filter)) {
        continue;
      }
      const next = chain[index + 1];
      if ((next !== undefined && !isInside(next)) || (next === undefined && filter.outputs.length === 0)) {
        throw bypass(`the output of "${filter.text}"`, ours);
      }
      for (const label of filter.outputs) {
        const users = consumers(label);
        if (users.length === 0 || !users.every(isInside)) {
          throw bypass(`[${label}]`, ours);
        }
      }
    }
  }
  if (ours.outputs.some((label) => producers.get(label)?.filter !== ours)) {
    throw unsplittable(
      'cannot-split',
      `[${ours.outputs.join('][')}] is made twice in the filter graph; name them apart`,
    );
  }
}

function bypass(what: string, ours: Filter): Error {
  return unsplittable(
    'cannot-split',
    `pictures go round ${ours.name}: ${what} is made before it and used beside or after it; ` +
      'make two runs, or read the file twice (a second -i of it for the other branch)',
  );
}

/** The way back from the filter to where its pictures come from, along first inputs. */
function followBack(
  graph: Graph,
  place: FilterPlace,
  producers: ReadonlyMap<string, Placed>,
): { readonly filters: readonly Filter[]; readonly source: string | undefined } {
  const filters: Filter[] = [];
  let at = place;
  for (;;) {
    const [label] = filterAt(graph, at).inputs;
    const [feeder] = label !== undefined && !producers.has(label) ? [] : feeders(graph, at, producers);
    if (feeder === undefined) {
      return { filters, source: label };
    }
    if (filters.includes(feeder.filter)) {
      throw circle();
    }
    filters.push(feeder.filter);
    at = feeder;
  }
}

function isConsumed(graph: Graph, label: string): boolean {
  return graph.chains.some((chain) => chain.some(({ inputs }) => inputs.includes(label)));
}

function isLastOfChain(graph: Graph, filter: Filter): boolean {
  return graph.chains.some((chain) => chain.at(-1) === filter);
}

function beforeGraph(
  graph: Graph,
  cut: {
    readonly ours: Filter;
    readonly feeder: Filter | undefined;
    readonly upstream: ReadonlySet<Filter>;
    readonly wiring: CutWiring;
  },
): Graph {
  const { ours, feeder, upstream, wiring } = cut;
  const [label] = ours.inputs;
  if (feeder === undefined) {
    const from = label ?? wiring.unlabelled;
    const stand = plainFilter('null', from === undefined ? [] : [from], [pictureLabel]);
    return { swsFlags: graph.swsFlags, chains: wiring.kind === 'complex' ? [[stand]] : [] };
  }
  const end = wiring.kind === 'complex' ? [pictureLabel] : [];
  const rewired = (filter: Filter): Filter => {
    if (filter !== feeder) {
      return filter;
    }
    const isByLabel = label !== undefined && filter.outputs.includes(label);
    const outputs = isByLabel
      ? filter.outputs.flatMap((one) => (one === label ? end : [one]))
      : [...filter.outputs, ...end];
    return { ...filter, outputs };
  };
  const chains = graph.chains
    .map((chain) => chain.filter((filter) => upstream.has(filter)).map(rewired))
    .filter((chain) => chain.length > 0);
  return { swsFlags: graph.swsFlags, chains };
}

function afterGraph(
  graph: Graph,
  cut: {
    readonly ours: Filter;
    readonly place: FilterPlace;
    readonly upstream: ReadonlySet<Filter>;
    readonly wiring: CutWiring;
    readonly standIns: { readonly clock: readonly string[]; readonly entry: readonly string[] };
  },
): Graph {
  const { ours, place, upstream, wiring, standIns } = cut;
  const isComplex = wiring.kind === 'complex';
  const texts = [...standIns.entry, ...standIns.clock];
  const stands = (texts.length === 0 ? ['null'] : texts).map((text, at, all) =>
    plainFilter(text, isComplex && at === 0 ? [pipeLabel] : [], at === all.length - 1 ? ours.outputs : []),
  );
  const rest: Chain[] = graph.chains.map((chain) =>
    chain.filter((filter) => !upstream.has(filter)).flatMap((filter) => (filter === ours ? stands : [filter])),
  );
  // In a simple graph nothing needs the place to be kept unless a label hangs on it.
  const [first, ...others] = rest[place.chain] ?? [];
  const isLabelUsed = ours.outputs.some((label) => label !== 'out' || others.length > 0);
  const isClockIdle = standIns.clock.length === 0 || (others.length === 0 && wiring.roundsTimes !== true);
  const isIdle = standIns.entry.length === 0 && isClockIdle;
  if (!isComplex && first === stands[0] && !isLabelUsed && isIdle) {
    rest[place.chain] = others;
  }
  const chains = rest.filter((chain) => chain.length > 0);
  // The flags hold for the conversions that ffmpeg inserts by itself, too.
  return { swsFlags: graph.swsFlags, chains: chains.length === 0 && graph.swsFlags !== undefined ? [stands] : chains };
}

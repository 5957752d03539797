import { matchSpecifier, type ChosenStream } from './choose-streams.js';
import { pipeLabel } from './cut-graph.js';
import type { Filter, Graph } from './filter-graph.js';
import { isSource } from './filter-traits.js';
import type { ProbedInput, StreamKind } from './probed-input.js';

/** A label that means a stream of an input: `[0:v]`, `[1]`. */
export interface InputReference {
  readonly input: number;
  readonly specifier: string;
}

/** Reads `0:v:1`; undefined for a label of the graph's own. */
export function inputReference(label: string): InputReference | undefined {
  const [, input, specifier] = /^(\d+)(?::(.*?))?\??$/s.exec(label) ?? [];
  return input === undefined ? undefined : { input: Number(input), specifier: specifier ?? '' };
}

/** The labels of a graph that mean streams of inputs. */
export function inputReferences(graph: Graph): readonly InputReference[] {
  const made = madeLabels(graph);
  return graph.chains
    .flat()
    .flatMap(({ inputs }) => inputs.filter((label) => !made.has(label)))
    .flatMap((label) => inputReference(label) ?? []);
}

/** Gives the inputs of a graph other numbers, the pipe's label number 0. */
export function renumberInputs(graph: Graph, numbers: readonly (number | undefined)[]): Graph {
  const made = madeLabels(graph);
  const renumber = (label: string): string => {
    const reference = made.has(label) ? undefined : inputReference(label);
    const number = reference === undefined ? undefined : numbers[reference.input];
    return label === pipeLabel ? '0:v' : number === undefined ? label : label.replace(/^\d+/, String(number));
  };
  const chains = graph.chains.map((chain) =>
    chain.map((filter) => ({ ...filter, inputs: filter.inputs.map(renumber) })),
  );
  return { swsFlags: graph.swsFlags, chains };
}

/** The first stream of the kind of pictures that a label means. */
export function pictureOf(label: string, inputs: readonly ProbedInput[]): ChosenStream | undefined {
  const reference = inputReference(label);
  const streams = reference && matchSpecifier(reference.specifier, inputs[reference.input]?.streams ?? []);
  const stream = streams?.find(({ kind }) => kind === 'video');
  return reference === undefined || stream === undefined ? undefined : { input: reference.input, stream };
}

/** What ffmpeg takes for an unlabelled input: the first video stream that no label of the graphs means. */
export function firstUnusedPicture(graphs: readonly Graph[], inputs: readonly ProbedInput[]): ChosenStream | undefined {
  const used = graphs
    .flatMap((graph) => graph.chains.flat().flatMap((filter) => filter.inputs))
    .flatMap((label) => pictureOf(label, inputs) ?? []);
  const all = inputs.flatMap(({ streams }, input) => streams.map((stream) => ({ input, stream })));
  return all.find(
    ({ input, stream }) =>
      stream.kind === 'video' && !used.some((one) => one.input === input && one.stream.index === stream.index),
  );
}

/** The label that names a stream by kind and place, `0:v:1`. */
export function videoLabel({ input, stream }: ChosenStream, inputs: readonly ProbedInput[]): string {
  const before = (inputs[input]?.streams ?? []).filter(({ kind, index }) => kind === 'video' && index < stream.index);
  return `${input}:v:${before.length}`;
}

/** The filters at the heads of chains that take whatever stream is free: their inputs have no label. */
export function unlabelledHeads(graph: Graph): readonly Filter[] {
  return graph.chains.flatMap(([head]) =>
    head === undefined || head.inputs.length > 0 || isSource(head) ? [] : [head],
  );
}

/** Kinds of the unlabelled ends of a graph; they belong to the first output. */
export function openEnds(graph: Graph): readonly StreamKind[] {
  return graph.chains.flatMap((chain) => {
    const last = chain.at(-1);
    return last === undefined || last.outputs.length > 0 ? [] : [kindOfFilter(graph, last, 0)];
  });
}

/** The kind of stream behind a label that the graph makes; undefined when it does not make it. */
export function labelKind(graph: Graph, label: string): StreamKind | undefined {
  const maker = graph.chains.flat().find(({ outputs }) => outputs.includes(label));
  return maker === undefined ? undefined : kindOfFilter(graph, maker, 0);
}

/** Sound when what feeds the filter is sound; concat has its audio behind its video, which is mapped by label. */
function kindOfFilter(graph: Graph, filter: Filter, depth: number): StreamKind {
  if (/^(a|sine$|flite$)/.test(filter.name) && isSource(filter) && !/^all(rgb|yuv)$/.test(filter.name)) {
    return 'audio';
  }
  const [label] = filter.inputs;
  if (label !== undefined) {
    const reference = inputReference(label);
    const maker = graph.chains.flat().find(({ outputs }) => outputs.includes(label));
    if (maker !== undefined && maker !== filter && depth < 100) {
      return kindOfFilter(graph, maker, depth + 1);
    }
    return reference !== undefined && /^a(:|$)/.test(reference.specifier) ? 'audio' : 'video';
  }
  const chain = graph.chains.find((one) => one.includes(filter)) ?? [];
  const previous = chain[chain.indexOf(filter) - 1];
  return previous === undefined || depth >= 100 ? 'video' : kindOfFilter(graph, previous, depth + 1);
}

function madeLabels(graph: Graph): ReadonlySet<string> {
  return new Set(graph.chains.flat().flatMap(({ outputs }) => outputs));
}

import { matchSpecifier } from './choose-streams.js';
import { lastValue, type Command, type FileGroup } from './command-line.js';
import { comesOnce, isVideoDecodingOption } from './ffmpeg-options.js';
import type { Graph } from './filter-graph.js';
import { inputReferences, unlabelledHeads } from './graph-labels.js';
import type { HalfWord } from './half.js';
import type { OutputPlan, OutputStream } from './output-streams.js';
import type { Ledger } from './placements.js';
import type { ProbedInput } from './probed-input.js';
import { unsplittable } from './unsplittable.js';

/**
 * The inputs that the encoding half needs beside the pipe, and those whose pictures it decodes.
 * @throws MAMBAIR_FFMPEG_UNSPLITTABLE for a graph that leaves open what it takes
 */
export function whatEncodingReads(
  command: Command,
  {
    plans,
    target,
    graphs,
    inputs,
  }: {
    readonly plans: readonly OutputPlan[];
    readonly target: OutputStream | undefined;
    readonly graphs: readonly Graph[];
    readonly inputs: readonly ProbedInput[];
  },
): { readonly inputs: ReadonlySet<number>; readonly pictures: ReadonlySet<number> } {
  const read = new Set<number>();
  const pictures = new Set<number>();
  const mapped = plans.flatMap(({ streams }) => streams).filter((stream) => stream !== target);
  for (const { chosen, kind } of mapped) {
    if (chosen !== undefined) {
      read.add(chosen.input);
      if (kind === 'video') {
        pictures.add(chosen.input);
      }
    }
  }
  for (const graph of graphs) {
    const [head] = unlabelledHeads(graph);
    if (head !== undefined) {
      throw unsplittable(
        'cannot-split',
        `which stream "${head.text}" takes is left open; label its input, as in [0:v]`,
      );
    }
    for (const { input, specifier } of inputReferences(graph)) {
      read.add(input);
      const streams = matchSpecifier(specifier, inputs[input]?.streams ?? []);
      if (streams === undefined || streams.some(({ kind }) => kind === 'video')) {
        pictures.add(input);
      }
    }
  }
  for (const option of command.outputs.flatMap(({ options }) => options)) {
    const number = /^map_/.test(option.name) ? /^\d+/.exec(option.value ?? '')?.[0] : undefined;
    if (number !== undefined) {
      read.add(Number(number));
    }
  }
  return { inputs: read, pictures };
}

/**
 * Numbers the inputs of the encoding half behind the pipe; what comes once is left out.
 * @throws MAMBAIR_FFMPEG_UNSPLITTABLE when that is needed
 */
export function numberInputs(command: Command, needed: ReadonlySet<number>): readonly (number | undefined)[] {
  let next = 1;
  return command.inputs.map((input, number) => {
    if (!comesOnce(input.url, lastValue(input, 'f'))) {
      next += 1;
      return next - 1;
    }
    if (needed.has(number)) {
      throw unsplittable(
        'needs-file',
        `${input.url} would have to be read twice, for its pictures and for the rest; ` +
          'save it to a file first, or take the pictures alone (-an -sn)',
      );
    }
    return undefined;
  });
}

/** An input as the encoding half opens it again: without decoding options where none of its pictures is shown. */
export function inputAgain(
  input: FileGroup,
  {
    input: place,
    numbers,
    showsPicture,
    ledger,
  }: {
    /** Its number in the command. */
    readonly input: number;
    readonly numbers: readonly (number | undefined)[];
    readonly showsPicture: boolean;
    readonly ledger: Ledger;
  },
): readonly HalfWord[] {
  ledger.place(input, 'encode');
  const words = input.options.flatMap((option) => {
    if (!showsPicture && isVideoDecodingOption(option.name)) {
      return [];
    }
    const isSync = option.name === 'isync';
    ledger.place(option, 'encode', { isRewritten: isSync });
    return isSync ? ['-isync', String(numbers[Number(option.value)] ?? option.value)] : option.words;
  });
  return [...words, { slot: 'clock', input: place }, ...input.words];
}

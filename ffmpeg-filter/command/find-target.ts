import type { Command, FileGroup, Option } from './command-line.js';
import type { CutGraph } from './cut-graph.js';
import { bareName } from './ffmpeg-options.js';
import type { FoundFilter } from './find-filter.js';
import { codecOf, isMeant, type OutputPlan, type OutputStream } from './output-streams.js';
import { unsplittable } from './unsplittable.js';

/**
 * The stream of an output that a simple filter option means.
 * @throws MAMBAIR_FFMPEG_UNSPLITTABLE when it means none, several or one that is copied
 */
export function findTarget(command: Command, found: FoundFilter, plans: readonly OutputPlan[]): OutputStream {
  const number = found.output ?? 0;
  const output = command.outputs[number];
  const streams = plans[number]?.streams ?? [];
  const specifierOf = (option: Option): string => (/^\/?vf$/.test(option.name) ? 'v' : option.specifier);
  const places = streams.flatMap((_, at) => (isMeant(specifierOf(found.option), streams, at) ? [at] : []));
  const [at] = places;
  const target = at === undefined ? undefined : streams[at];
  if (output === undefined || at === undefined || target?.kind !== 'video') {
    throw unsplittable(
      'cannot-split',
      `no video stream of ${output?.url} passes -${found.option.name}; see its -map and -vn`,
    );
  }
  if (places.length > 1) {
    throw unsplittable(
      'cannot-split',
      `-${found.option.name} means ${places.length} streams of ${output.url}; name one, as in -filter:v:0`,
    );
  }
  if (target.chosen === undefined) {
    throw unsplittable(
      'cannot-split',
      `-${found.option.name} cannot follow -filter_complex; put the filter into the graph`,
    );
  }
  const isFilter = ({ name }: Option): boolean => /^(vf|\/vf|filter|\/filter|filter_script)$/.test(bareName(name));
  const rivals = output.options.filter((option) => isFilter(option) && isMeant(specifierOf(option), streams, at));
  if (rivals.length > 1) {
    throw unsplittable(
      'cannot-split',
      `${output.url} has two filter options for one stream; ffmpeg would take the last`,
    );
  }
  if (codecOf(output, streams, at) === 'copy') {
    throw copied(output);
  }
  return target;
}

function copied(output: FileGroup): Error {
  return unsplittable(
    'filter-with-copy',
    `the video of ${output.url} is to be both filtered and copied; give it an encoder, as in -c:v libx264`,
  );
}
/**
 * Refuses to copy what comes out of the complex graph with our filter.
 * @throws MAMBAIR_FFMPEG_UNSPLITTABLE
 */
export function refuseCopies(command: Command, plans: readonly OutputPlan[], cut: CutGraph): void {
  for (const [number, output] of command.outputs.entries()) {
    const streams = plans[number]?.streams ?? [];
    const at = streams.findIndex(({ label }) => label !== undefined && cut.ends.includes(label));
    if (at >= 0 && codecOf(output, streams, at) === 'copy') {
      throw copied(output);
    }
  }
}

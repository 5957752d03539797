import { between, type CaseWriter, type Draw, type OpCase, within } from '../op-case.js';
import { longMemoryBound } from './contract.js';

/** Sizes and decays of a scan. */
export interface ScanShape {
  readonly channels: number;
  readonly states: number;
  readonly rank: number;
  readonly size: readonly [height: number, width: number];
  /** Classes of the prompt; 0 scans in raster order, without one. */
  readonly classes?: number;
  /** Time steps before softplus, as a bias; default: δ from 0.001 to 0.1 as networks are initialised. */
  readonly dtBias?: Draw;
  /** log(−A); default: near log(1) … log(N). */
  readonly aLogs?: (shape: ScanShape) => Draw;
}

/** The bias for which softplus gives a time step drawn uniformly in its logarithm. */
export function timeSteps(low: number, high: number): Draw {
  return (random) => Math.log(Math.expm1(low * (high / low) ** random()));
}

/** As networks are initialised (S4D-real): every rate a multiple of the first. */
const tiedDecays =
  ({ states }: ScanShape): Draw =>
  (_, { pixel }) =>
    Math.log((pixel % states) + 1);

/** As training leaves them. */
const usualDecays =
  ({ states }: ScanShape): Draw =>
  (random, { pixel }) =>
    Math.log((pixel % states) + 0.5 + random());

/** A case of one scan. Its image holds u, the projection and, with a prompt, logits of the classes. */
export function scanCase(shape: ScanShape, why: string, id?: string): OpCase {
  const { channels, states, rank, size, classes = 0 } = shape;
  const [height, width] = size;
  const label = `${height * width} steps, ${channels} × ${states}, rank ${rank}${classes > 0 ? `, ${classes} classes` : ''}`;
  return {
    id: id ?? label,
    why,
    height,
    width,
    channels: channels + rank + 2 * states + classes,
    build: (writer) => writeScan(writer, shape),
  };
}

function writeScan({ graph, image, name, nextBlock, weight }: CaseWriter, shape: ScanShape) {
  const { channels, states, rank, classes = 0, dtBias = timeSteps(0.001, 0.1), aLogs = usualDecays } = shape;
  const projected = rank + 2 * states;
  const slice = (part: string, start: number, count: number) =>
    graph.sliceChannels(name(part), image, { start, channels: count });
  const inputs = [slice('u', 0, channels), slice('projection', channels, projected)];
  if (classes > 1) {
    const logits = slice('logits', channels + projected, classes);
    const route = graph.route(name('class'), logits, { block: nextBlock(), tokens: classes });
    inputs.push(route, graph.sortByClass(name('order'), route, { classes }));
  }
  return graph.selectiveScan(name('y'), inputs, {
    stateSize: states,
    dtRank: rank,
    dtWeight: weight('dtWeight', [1, channels, rank]),
    dtBias: weight('dtBias', [1, channels], dtBias),
    aLogs: weight('aLogs', [channels, states], aLogs(shape)),
    skip: weight('skip', [channels]),
    ...(classes > 0
      ? { prompt: { embeddingB: weight('embeddingB', [classes, 6]), embeddingA: weight('embeddingA', [6, states]) } }
      : {}),
  });
}

/** The network of a case in which only the decays are out of the ordinary. */
const small = { channels: 5, states: 8, rank: 3, size: [5, 13] } as const;
const long = { ...small, size: [1, 5000] } as const;

const constant = (value: number) => (): Draw => () => value;

export const selectiveScanCases: readonly OpCase[] = [
  scanCase({ channels: 1, states: 1, rank: 1, size: [1, 1] }, 'one step'),
  scanCase({ channels: 7, states: 5, rank: 3, size: [1, 1], classes: 4 }, 'one step, one pixel to sort'),
  scanCase({ channels: 3, states: 4, rank: 1, size: [7, 9] }, 'one step short of a block of 64'),
  scanCase({ channels: 8, states: 8, rank: 3, size: [7, 9], classes: 5 }, 'the same, sorted'),
  scanCase({ channels: 12, states: 6, rank: 3, size: [8, 8] }, 'one block'),
  scanCase({ channels: 5, states: 3, rank: 22, size: [8, 8], classes: 16 }, 'one block, sorted, rank above states'),
  scanCase({ channels: 1, states: 1, rank: 1, size: [5, 13] }, 'one step more than a block; one lane, one state'),
  scanCase({ channels: 3, states: 3, rank: 1, size: [5, 13], classes: 5 }, 'three states: one is padding'),
  scanCase({ channels: 5, states: 4, rank: 3, size: [5, 13] }, 'a vector of states'),
  scanCase(
    { channels: 7, states: 5, rank: 3, size: [5, 13], classes: 1 },
    'five states: three are padding; one class: raster order',
  ),
  scanCase({ channels: 8, states: 6, rank: 1, size: [5, 13], classes: 64 }, 'about as many classes as pixels'),
  scanCase({ channels: 48, states: 8, rank: 3, size: [5, 13], classes: 64 }, 'the light network'),
  scanCase({ channels: 29, states: 10, rank: 22, size: [5, 13] }, 'ten states: 8 and 4 at a time'),
  scanCase({ channels: 33, states: 16, rank: 3, size: [5, 13], classes: 128 }, 'more classes than pixels'),
  scanCase({ channels: 348, states: 16, rank: 22, size: [5, 13], classes: 16 }, 'the classic network'),
  scanCase({ channels: 12, states: 32, rank: 3, size: [5, 13], classes: 5 }, 'more states than any published network'),
  scanCase({ channels: 5, states: 8, rank: 3, size: [31, 33] }, 'one step short of a call of 1024'),
  scanCase({ channels: 5, states: 8, rank: 3, size: [32, 32], classes: 16 }, 'one call of 1024'),
  scanCase({ channels: 5, states: 8, rank: 3, size: [25, 41], classes: 16 }, 'the state goes from call to call'),
  scanCase({ channels: 9, states: 6, rank: 3, size: [1, 5000], classes: 64 }, 'five calls, sorted, padded states'),
  scanCase({ ...small, aLogs: tiedDecays }, 'all decays are powers of one', 'A = −1 … −8'),
  scanCase(
    { ...small, states: 6, channels: 9, aLogs: tiedDecays },
    'powers of one, two states are padding',
    'A = −1 … −6',
  ),
  scanCase(
    { ...long, dtBias: timeSteps(1e-3, 60), aLogs: tiedDecays },
    'powers of what underflows',
    'A = −1 … −8, long',
  ),
  scanCase({ ...small, aLogs: constant(-200) }, 'the state is a sum', 'A = 0'),
  { ...scanCase({ ...long, aLogs: constant(-200) }, 'the state is a long sum', 'A = 0, long'), bound: longMemoryBound },
  scanCase({ ...small, aLogs: constant(Math.log(1e4)) }, 'nothing is remembered', 'A = −10⁴'),
  scanCase({ ...small, aLogs: constant(80) }, 'as fast as float32 can say', 'A = −10³⁴'),
  {
    ...scanCase(
      { ...long, aLogs: constant(Math.log(1e-4)), dtBias: timeSteps(1e-3, 2e-3) },
      'decays of 1 − 10⁻⁷',
      'hardly any decay',
    ),
    bound: longMemoryBound,
  },
  scanCase({ ...small, dtBias: () => 60 }, 'softplus is the identity, decays are 0', 'δ = 60'),
  scanCase(
    { ...small, dtBias: () => 1000, aLogs: constant(-200) },
    'large time steps that forget nothing',
    'δ = 1000, A = 0',
  ),
  scanCase({ ...small, dtBias: () => -60 }, 'softplus is e⁻⁶⁰: nothing enters', 'δ = 10⁻²⁶'),
  scanCase({ ...small, dtBias: () => -200 }, 'softplus underflows: y is D·u', 'δ = 0'),
  scanCase(
    { ...long, dtBias: within(20), aLogs: () => between(Math.log(1e-5), Math.log(400)) },
    'time steps from 10⁻⁹ to 20, decays from none to all, in one scan',
    'mixed decays',
  ),
];

/** What a scan in chunks may be from the serial one in float64, as normalised mean square error. */
export const mostScanError = 1e-10;

/** log(−A) and the bias of the time step: the ends of what decays can be. */
const decays: Readonly<Record<string, Pick<ScanShape, 'aLogs' | 'dtBias'>>> = {
  usual: {},
  none: { aLogs: constant(-200) },
  denormal: { aLogs: constant(Math.log(1e-40)) },
  '10⁴': { aLogs: constant(Math.log(1e4)) },
  mixed: { aLogs: () => between(Math.log(1e-5), Math.log(400)), dtBias: within(20) },
  'long memory': { aLogs: constant(Math.log(1e-4)), dtBias: timeSteps(1e-3, 2e-3) },
};

/** Scans of all kinds of decays and of all the given lengths. */
export function decayCases(shape: Omit<ScanShape, 'size'>, lengths: readonly number[]): readonly OpCase[] {
  return Object.entries(decays).flatMap(([name, decay]) =>
    lengths.map((length) =>
      scanCase({ ...shape, size: [1, length], ...decay }, 'any length, any decay', `${name}, ${length}`),
    ),
  );
}

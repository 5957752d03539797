import { createCpuExecutor } from '../core/executors/cpu/cpu-executor.js';
import { GraphBuilder } from '../core/graph/build-graph.js';
import type { Graph } from '../core/graph/graph.js';
import { elementCount, type StoredTensor } from '../core/tensor/tensor.js';

/**
 * How the selective scan scales with threads: 320 × 192 pixels, 48 channels, 8 states, in raster order, through the
 * whole executor; the time of the same graph without the scan is taken off. Threads divide the channels.
 *
 *     npm run bench -- scan-threads [threads …]
 */
const [height, width, channels, states, rank] = [192, 320, 48, 8, 3];
const threadCounts = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [1, 2];

let state = 1;
const random = (): number => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32 - 0.5;
};
const weights = new Map<string, StoredTensor>();
const weight = (key: string, shape: readonly number[], value: (at: number) => number) => {
  const values = Float32Array.from({ length: elementCount(shape) }, (_, at) => value(at));
  weights.set(key, { dtype: 'F32', shape, bytes: new Uint8Array(values.buffer) });
  return { key, shape };
};
const scan = {
  stateSize: states,
  dtRank: rank,
  dtWeight: weight('dt', [1, channels, rank], random),
  dtBias: weight('dtBias', [1, channels], () => -4),
  aLogs: weight('aLogs', [channels, states], (at) => Math.log((at % states) + 1)),
  skip: weight('skip', [channels], () => 1),
};

/** u and the projected Δ, B, C are the input's channels; without the scan, u is only scaled. */
function graph(withScan: boolean): Graph {
  const builder = new GraphBuilder();
  const all = builder.input('input', { channels: channels + rank + 2 * states, multiple: 1 });
  const u = builder.sliceChannels('u', all, { start: 0, channels });
  const projected = builder.sliceChannels('projected', all, { start: channels, channels: rank + 2 * states });
  return builder.finish(
    withScan
      ? builder.selectiveScan('scan', [u, projected], scan)
      : builder.add('sum', builder.scaleChannels('scaled', u, scan.skip), u),
  );
}

const inputChannels = channels + rank + 2 * states;
const input = {
  shape: [1, inputChannels, height, width],
  data: Float32Array.from({ length: inputChannels * height * width }, random),
};
/** Median over pairs of runs, with the scan and without, in milliseconds. */
async function scanTime(threads: number): Promise<number> {
  const executor = await createCpuExecutor({ threads });
  const networks = [await executor.load(graph(true), weights), await executor.load(graph(false), weights)] as const;
  const time = async (network: (typeof networks)[number]): Promise<number> => {
    const start = performance.now();
    await network.run(input, { routing: { kind: 'argmax' } });
    return performance.now() - start;
  };
  const differences: number[] = [];
  for (let pair = 0; pair < 45; pair++) {
    differences.push((await time(networks[0])) - (await time(networks[1])));
  }
  await executor.dispose();
  return differences.sort((a, b) => a - b)[22] as number;
}

console.log('| threads | scan, ms | ns per state | speed-up |');
console.log('|---|---|---|---|');
let first: number | undefined;
for (const threads of threadCounts) {
  const milliseconds = await scanTime(threads);
  first ??= milliseconds;
  const perState = (milliseconds * 1e6) / (height * width * channels * states);
  console.log(
    `| ${threads} | ${milliseconds.toFixed(1)} | ${perState.toFixed(2)} | ${(first / milliseconds).toFixed(2)} |`,
  );
}

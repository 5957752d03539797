// A device that binds no more than 64 MiB: a picture whose largest map is larger becomes tiles by itself, and is that of the same
// tiles on the same adapter without the limit, bit for bit. Without the limit it would be one tile (whose values are others: a
// scan runs through all of it). Ends with 1 when any of this is not so. Usage: npm run bench -- gpu-limit
import { recognise } from '../core/architectures/architectures.js';
import { programBytes } from '../core/executors/webgpu/bound-program.js';
import { makeProgram } from '../core/executors/webgpu/program.js';
import { createWebgpuExecutor } from '../core/executors/webgpu/webgpu-executor.js';
import type { Network } from '../core/executors/executor.js';
import { findAdapter } from '../core/library/gpu-adapters.js';
import { chooseTiles } from '../core/restore/choose-tiles.js';
import type { RestoreOptions } from '../core/restore/options.js';
import { restoreTensor } from '../core/restore/restore-tensor.js';
import { randomCheckpoint, randomImage, smallConfig } from '../test/random-network.js';
import { countAllocations, watchedAdapter } from '../test/watched-adapter.js';

const limit = 2 ** 26;
const size = { height: 256, width: 270 };
/** Its head ends with 16 channels of 16 times the input's pixels. */
const tensors = randomCheckpoint({ ...smallConfig, upscale: 4, upsampler: 'pixelshuffle', headFeatures: 16 }, 1);
const { graph } = recognise(tensors);
const input = randomImage([1, 3, size.height, size.width], 2);

async function open(maxBindingBytes: number) {
  const { adapter } = await findAdapter();
  const counted = { total: 0, largest: 0 };
  const watched = watchedAdapter(adapter, (device) => void countAllocations(device, counted));
  const executor = await createWebgpuExecutor(watched, { maxBindingBytes, precision: 'f32' });
  const network = await executor.load(graph, tensors);
  const restore = async (tile: NonNullable<RestoreOptions['tile']>) => {
    const warnings: string[] = [];
    const { data } = await restoreTensor(network, input, {
      tile,
      routing: 'seeded',
      warn: (code) => warnings.push(code),
    });
    return { data, warnings };
  };
  return { executor, network, counted, restore };
}

/** How the picture is divided by itself, and what its largest tile takes. */
function planOf(network: Network) {
  const { rows, columns } = chooseTiles(network, size, { tile: 'auto', routing: 'seeded', channels: 3 });
  const [height, width] = [rows, columns].map(({ spans }) => Math.max(...spans.map(({ start, end }) => end - start)));
  return { count: rows.spans.length * columns.spans.length, height: height ?? 0, width: width ?? 0 };
}

const limited = await open(limit);
const found = await limited.restore('auto');
const tiles = planOf(limited.network);
await limited.executor.dispose();
const free = await open(2 ** 53);
const whole = planOf(free.network);
const program = makeProgram(graph, {
  height: whole.height,
  width: whole.width,
  routing: 'seeded',
  precision: 'f32',
  keep: [],
});
const same = await free.restore(Math.max(tiles.height, tiles.width));
await free.executor.dispose();

const differing = found.data.reduce((count, value, at) => count + (value === same.data[at] ? 0 : 1), 0);
const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
console.log(`${size.width} × ${size.height} pixels on ${free.executor.description}\n`);
console.log('| binds at most | tiles | largest buffer, MiB | values | warnings |\n|---|---|---:|---|---|');
const row = (...cells: readonly unknown[]) => console.log(`| ${cells.join(' | ')} |`);
const warned = (codes: readonly string[]) => codes.join(' ') || 'none';
row('64 MiB', `${tiles.count}, by itself`, mib(limited.counted.largest), found.data.length, warned(found.warnings));
row(
  'what it can',
  `${tiles.count}, asked for`,
  mib(free.counted.largest),
  `${differing} differ`,
  warned(same.warnings),
);
row('what it can', `${whole.count}, by itself`, mib(programBytes(program).largest), 'planned only', '');
const isShown =
  tiles.count > whole.count &&
  limited.counted.largest <= limit &&
  programBytes(program).largest > limit &&
  found.warnings.length === 0 &&
  same.data.length === found.data.length &&
  differing === 0;
process.exitCode = isShown ? 0 : 1;

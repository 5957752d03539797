// Prints the table of docs/seams.md: how far tiles are from the whole picture, per overlap. Usage is in that page.
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { recognise } from '../core/architectures/architectures.js';
import { readCheckpoint } from '../core/checkpoint/read-checkpoint.js';
import { createCpuExecutor } from '../core/executors/cpu/cpu-executor.js';
import type { Network } from '../core/executors/executor.js';
import { chooseTiles } from '../core/restore/choose-tiles.js';
import type { RestoreOptions } from '../core/restore/options.js';
import { restoreTensor } from '../core/restore/restore-tensor.js';
import { tensorPlanes } from '../core/restore/tensor-tiles.js';
import type { AxisPlan, TilePlan } from '../core/restore/tile-plan.js';
import type { Tensor } from '../core/tensor/tensor.js';

/** A result minus that of the whole picture, in 8-bit levels: planes `[height, width]`. */
interface Difference {
  readonly width: number;
  readonly height: number;
  readonly planes: readonly Float32Array[];
}

function subtract(tested: Tensor, whole: Tensor): Difference {
  const [, , height = 0, width = 0] = tested.shape;
  const data = tested.data.map((value, i) => 255 * (value - whole.data[i]!));
  return { width, height, planes: tensorPlanes({ shape: tested.shape, data }) };
}

function psnrOf({ planes }: Difference): number {
  const squares = planes.flatMap((plane) => plane.reduce((sum, value) => sum + value * value, 0));
  const count = planes.reduce((sum, plane) => sum + plane.length, 0);
  return 10 * Math.log10(255 ** 2 / (squares.reduce((sum, value) => sum + value, 0) / count));
}

/** Positions p along an output axis where tiles meet: the step from p − 1 to p crosses a cut or lies in a fade. */
function borderSteps({ spans }: AxisPlan, scale: number): number[] {
  return spans
    .slice(1)
    .flatMap(({ keepStart, fadeIn }) => Array.from({ length: fadeIn * scale + 1 }, (_, i) => keepStart * scale + i));
}

interface Steps {
  /** Largest step of the difference between two neighbouring pixels. */
  readonly pixel: number;
  /** Largest mean step along a whole line: what an eye sees as an edge. */
  readonly line: number;
}

/** The worst steps of a difference across the given columns; of its transpose, across rows. */
function worstSteps(difference: Difference, columns: readonly number[], isTransposed: boolean): Steps {
  const { width, height, planes } = difference;
  const [alongStride, acrossStride] = isTransposed ? [1, width] : [width, 1];
  const length = isTransposed ? width : height;
  let pixel = 0;
  let line = 0;
  for (const plane of planes) {
    for (const column of columns) {
      let sum = 0;
      for (let i = 0; i < length; i += 1) {
        const at = i * alongStride + column * acrossStride;
        const step = plane[at]! - plane[at - acrossStride]!;
        pixel = Math.max(pixel, Math.abs(step));
        sum += step;
      }
      line = Math.max(line, Math.abs(sum / length));
    }
  }
  return { pixel, line };
}

function stepsAt(difference: Difference, columns: readonly number[], rows: readonly number[]): Steps {
  const across = worstSteps(difference, columns, false);
  const down = worstSteps(difference, rows, true);
  return { pixel: Math.max(across.pixel, down.pixel), line: Math.max(across.line, down.line) };
}

/** Pixels the tiles read together, as a multiple of the picture's. */
function work({ rows, columns }: TilePlan): number {
  const read = (axis: AxisPlan): number => axis.spans.reduce((sum, { start, end }) => sum + end - start, 0);
  return (read(rows) * read(columns)) / (rows.length * columns.length);
}

/** A smooth gradient, where the eye sees the smallest edge: three slow ramps. */
function gradient(height: number, width: number): Tensor {
  const data = new Float32Array(3 * height * width);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const i = y * width + x;
      data[i] = 0.2 + (0.6 * x) / width;
      data[height * width + i] = 0.3 + (0.4 * y) / height;
      data[2 * height * width + i] = 0.7 - (0.3 * (x + y)) / (width + height);
    }
  }
  // a picture file has 8 bits
  return { shape: [1, 3, height, width], data: data.map((value) => Math.round(value * 255) / 255) };
}

/** The middle of a photo, pixel by pixel. */
async function photo(path: string, height: number, width: number): Promise<Tensor> {
  const picture = sharp(path).removeAlpha().toColourspace('srgb');
  const { width: fullWidth, height: fullHeight } = await picture.metadata();
  const [left, top] = [Math.floor((fullWidth - width) / 2), Math.floor((fullHeight - height) / 2)];
  const data = await picture.extract({ left, top, width, height }).raw().toBuffer();
  const planes = new Float32Array(3 * height * width);
  for (let i = 0; i < planes.length; i += 1) {
    planes[i] = data[(i % (height * width)) * 3 + Math.floor(i / (height * width))]! / 255;
  }
  return { shape: [1, 3, height, width], data: planes };
}

async function printTable(network: Network, input: Tensor, tile: number, overlaps: readonly number[]): Promise<void> {
  const { scale } = network;
  const [, , height = 0, width = 0] = input.shape;
  const run = (options: Partial<RestoreOptions>): Promise<Tensor> =>
    restoreTensor(network, input, { tile: 'whole', routing: 'seeded', ...options });
  const whole = await run({});
  const print = (name: string, plan: TilePlan | undefined, difference: Difference): void => {
    const everywhere = (size: number): number[] => Array.from({ length: size - 1 }, (_, i) => i + 1);
    const columns = plan ? borderSteps(plan.columns, scale) : everywhere(width * scale);
    const rows = plan ? borderSteps(plan.rows, scale) : everywhere(height * scale);
    const { pixel, line } = stepsAt(difference, columns, rows);
    const cells = [
      name,
      (plan ? work(plan) : 1).toFixed(2),
      psnrOf(difference).toFixed(2),
      pixel.toFixed(2),
      line.toFixed(3),
    ];
    console.log(`| ${cells.join(' | ')} |`);
  };
  console.log('| | work | PSNR to whole, dB | worst pixel step | worst line step |');
  console.log('|---|---:|---:|---:|---:|');
  print('whole, another seed (steps anywhere)', undefined, subtract(await run({ seed: 1 }), whole));
  const modes: Pick<RestoreOptions, 'tile' | 'overlap'>[] = overlaps.map((overlap) => ({ tile, overlap }));
  for (const mode of [{ tile: 'official' } as const, ...modes]) {
    const plan = chooseTiles(network, { height, width }, { ...mode, routing: 'seeded', channels: 3 });
    const name = mode.tile === 'official' ? 'official (hard cut)' : `overlap ${mode.overlap}`;
    print(name, plan, subtract(await run(mode), whole));
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      model: { type: 'string' },
      photo: { type: 'string', default: 'examples/sample-original.webp' },
      size: { type: 'string', default: '320x240' },
      tile: { type: 'string', default: '128' },
      overlaps: { type: 'string', default: '0,16,32,48' },
    },
  });
  if (values.model === undefined) {
    throw new Error(
      'usage: node dist/bench/seams.js --model FILE [--photo FILE] [--size WxH] [--tile N] [--overlaps A,B,…]',
    );
  }
  const [width = 0, height = 0] = values.size.split('x').map(Number);
  const overlaps = values.overlaps.split(',').map(Number);
  const { tensors } = await readCheckpoint(values.model);
  const executor = await createCpuExecutor();
  try {
    const network = await executor.load(recognise(tensors).graph, tensors);
    console.log(`${width} × ${height} pixels, ×${network.scale}, tiles of ${values.tile}, ${executor.description}`);
    console.log('\n### Smooth gradient\n');
    await printTable(network, gradient(height, width), Number(values.tile), overlaps);
    console.log('\n### Photo\n');
    await printTable(network, await photo(values.photo, height, width), Number(values.tile), overlaps);
  } finally {
    await executor.dispose();
  }
}

await main();

import { appendFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { recognise } from '../core/architectures/architectures.js';
import { readCheckpoint } from '../core/checkpoint/read-checkpoint.js';
import { invariant } from '../core/errors.js';
import { prepareSample, scoreOutput } from '../core/evaluate/protocol.js';
import { createCpuExecutor } from '../core/executors/cpu/cpu-executor.js';
import { type BenchmarkImage, readBenchmarkImage } from '../core/image/benchmark-image.js';
import { createGpuExecutor } from '../core/library/gpu-adapters.js';
import { sharedPath } from '../test/shared-path.js';

/**
 * What storing numbers as halves costs: the official light models on Set5, whole or the middle of each picture, in halves on
 * the GPU and in float32 on the CPU (its values are the GPU's within rounding); PSNR (Y) of both against the original, and
 * how far they are from each other. A software adapter takes hours for whole pictures; its figures are those of any device.
 * FILE gets a line of each picture as it is done, and one that is there already is not computed again.
 * Ends with 1 when halves of whole pictures move the PSNR of a model over the set by more than 0.01 dB.
 *
 *     npm run bench -- gpu-precision [whole | side of the input, 48] [scales, 4,3,2] [FILE]
 */
const [side = '48', scales = '4,3,2', file] = process.argv.slice(2);
const bound = 0.01;

interface Row {
  readonly scale: number;
  readonly side: string;
  readonly picture: string;
  readonly float32: number;
  readonly halves: number;
  /** PSNR of one result against the other, unrounded. */
  readonly agreement: number;
}

/** The middle part of a picture. */
function middle({ width, height, channels, data }: BenchmarkImage, size: number): BenchmarkImage {
  const [left, top] = [Math.max(0, (width - size) >> 1), Math.max(0, (height - size) >> 1)];
  const [columns, rows] = [Math.min(size, width), Math.min(size, height)];
  const part = new Uint8Array(columns * rows * channels);
  for (let row = 0; row < rows; row++) {
    const from = ((top + row) * width + left) * channels;
    part.set(data.subarray(from, from + columns * channels), row * columns * channels);
  }
  return { width: columns, height: rows, channels, data: part };
}

async function rowsOfFile(): Promise<readonly Row[]> {
  const text = file === undefined ? '' : await readFile(file, 'utf8').catch(() => '');
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Row).filter((row) => row.side === side);
}

const folder = sharedPath('testsets/Set5/HR');
invariant(folder, 'this needs the test sets beside the repository');
const names = (await readdir(folder)).filter((name) => name.endsWith('.png'));
const known = await rowsOfFile();
const [cpu, gpu] = [await createCpuExecutor({ threads: 2 }), await createGpuExecutor()];

/** Computes the rows of a scale that are not known. */
async function* computeRows(scale: number, pictures: readonly string[]): AsyncGenerator<Row> {
  const path = sharedPath(`weights/mambairv2_lightSR_x${scale}.pth`);
  invariant(path, 'this needs the official weights beside the repository');
  const { tensors } = await readCheckpoint(path);
  const { graph } = recognise(tensors);
  const precise = await cpu.load(graph, tensors);
  const halved = await gpu.load(graph, tensors, { precision: 'f16' });
  for (const picture of pictures) {
    const whole = await readBenchmarkImage(join(folder as string, picture), 'colour');
    const sample = await prepareSample(
      { kind: 'upscale', scale },
      side === 'whole' ? whole : middle(whole, Number(side) * scale),
    );
    const routing = { kind: 'seeded', seed: 0 } as const;
    const { output: a } = await precise.run(sample.input, { routing });
    const { output: b } = await halved.run(sample.input, { routing });
    const squares = a.data.reduce((sum, value, at) => sum + (value - (b.data[at] as number)) ** 2, 0);
    const [float32, halves] = [scoreOutput(a, sample).psnrY, scoreOutput(b, sample).psnrY];
    yield { scale, side, picture, float32, halves, agreement: -10 * Math.log10(squares / a.data.length) };
  }
  await precise.dispose();
  await halved.dispose();
}

function printRow(
  scale: number,
  picture: string,
  { float32, halves, agreement }: Omit<Row, 'scale' | 'side' | 'picture'>,
) {
  const cells = [float32.toFixed(3), halves.toFixed(3), (halves - float32).toFixed(4), agreement.toFixed(1)];
  console.log(`| light ×${scale} | ${picture} | ${cells.join(' | ')} |`);
}

console.log(`halves on ${gpu.description}, float32 on the device cpu; inputs: ${side}\n`);
console.log('| model | picture | float32, dB | halves, dB | difference | halves from float32, dB |');
console.log('|---|---|---:|---:|---:|---:|');
for (const scale of scales.split(',').map(Number)) {
  const rows = known.filter((row) => row.scale === scale);
  for (const row of rows) {
    printRow(scale, row.picture, row);
  }
  const missing = names.filter((name) => rows.every(({ picture }) => picture !== name));
  for await (const row of missing.length > 0 ? computeRows(scale, missing) : []) {
    rows.push(row);
    printRow(scale, row.picture, row);
    if (file !== undefined) {
      await appendFile(file, `${JSON.stringify(row)}\n`);
    }
  }
  const mean = (of: (row: Row) => number) => rows.reduce((sum, row) => sum + of(row), 0) / rows.length;
  const [float32, halves] = [mean((row) => row.float32), mean((row) => row.halves)];
  printRow(scale, '**Set5**', { float32, halves, agreement: mean((row) => row.agreement) });
  if (side === 'whole' && !(Math.abs(halves - float32) <= bound)) {
    console.log(`light ×${scale}: halves move the PSNR by more than ${bound} dB`);
    process.exitCode = 1;
  }
}
await cpu.dispose();
await gpu.dispose();

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { recognise } from '../core/architectures/architectures.js';
import { readCheckpoint } from '../core/checkpoint/read-checkpoint.js';
import { invariant } from '../core/errors.js';
import { prepareSample, scoreOutput } from '../core/evaluate/protocol.js';
import { type BenchmarkImage, readBenchmarkImage } from '../core/image/benchmark-image.js';
import { createGpuExecutor } from '../core/library/gpu-adapters.js';
import { sharedPath } from '../test/shared-path.js';

/**
 * What storing numbers as halves costs: the official light models on the middle of each picture of Set5, in float32 and
 * in halves, PSNR (Y) of both against the original, and how far they are from each other. A software adapter takes minutes;
 * its figures are those of any device.
 *
 *     npm run bench -- gpu-precision [side of the input, 48] [scales, 2,3,4] [pictures, 5]
 */
const [side = '48', scales = '2,3,4', most = '5'] = process.argv.slice(2);

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

const folder = sharedPath('testsets/Set5/HR');
invariant(folder, 'this needs the test sets beside the repository');
const names = (await readdir(folder)).filter((name) => name.endsWith('.png')).slice(0, Number(most));
const executor = await createGpuExecutor();
console.log(executor.description);
console.log('| model | picture | float32, dB | halves, dB | difference | halves from float32, dB |');
console.log('|---|---|---:|---:|---:|---:|');
for (const scale of scales.split(',').map(Number)) {
  const path = sharedPath(`weights/mambairv2_lightSR_x${scale}.pth`);
  invariant(path, 'this needs the official weights beside the repository');
  const { tensors } = await readCheckpoint(path);
  const { graph } = recognise(tensors);
  const [precise, halved] = [
    await executor.load(graph, tensors, { precision: 'f32' }),
    await executor.load(graph, tensors, { precision: 'f16' }),
  ];
  for (const name of names) {
    const picture = middle(await readBenchmarkImage(join(folder, name), 'colour'), Number(side) * scale);
    const sample = await prepareSample({ kind: 'upscale', scale }, picture);
    const routing = { kind: 'seeded', seed: 0 } as const;
    const [a, b] = [
      (await precise.run(sample.input, { routing })).output,
      (await halved.run(sample.input, { routing })).output,
    ];
    const [first, second] = [scoreOutput(a, sample).psnrY, scoreOutput(b, sample).psnrY];
    const squares = a.data.reduce((sum, value, at) => sum + (value - (b.data[at] as number)) ** 2, 0);
    const agreement = -10 * Math.log10(squares / a.data.length);
    const cells = [first.toFixed(3), second.toFixed(3), (second - first).toFixed(4), agreement.toFixed(1)];
    console.log(`| light ×${scale} | ${name} | ${cells.join(' | ')} |`);
  }
  await precise.dispose();
  await halved.dispose();
}
await executor.dispose();

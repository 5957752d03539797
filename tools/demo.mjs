// Restores the sample photo with the embedded model and compares the result with plain bicubic enlargement.
import { mkdir } from 'node:fs/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { imresize, loadModel, psnr, readImage } from '../dist/core/index.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const shown = (path) => relative(process.cwd(), path) || path;
const output = `${root}demo-output/sample-x2.png`;
const comparison = `${root}demo-output/before-after.png`;

await mkdir(`${root}demo-output`, { recursive: true });
const { pixels: small } = await readImage(`${root}examples/sample.png`);
const { pixels: original } = await readImage(`${root}examples/sample-original.webp`);

const model = await loadModel('tiny-x2'); // the sample was reduced cleanly, what this one is for
const began = performance.now();
await model.restoreFile(`${root}examples/sample.png`, output, { overwrite: true });
const seconds = (performance.now() - began) / 1000;
const { name, deviceDescription } = model.info;
await model.dispose();

const { pixels: restored } = await readImage(output);
const bicubic = imresize(small, { scale: 2 });
const score = (image) => psnr(image, original, { channel: 'y', cropBorder: 2 });
const [ours, plain] = [score(restored), score(bicubic)];

// A detail, enlarged so that single pixels can be seen: bicubic on the left, restored on the right.
const detail = { left: 130, top: 22, width: 180, height: 160 };
const zoom = 3;
const panel = ({ data, width, height, channels }) =>
  sharp(data, { raw: { width, height, channels } })
    .extract(detail)
    .resize(detail.width * zoom, detail.height * zoom, { kernel: 'nearest' })
    .png()
    .toBuffer();
const [left, right] = await Promise.all([panel(bicubic), panel(restored)]);
const gap = 8;
await sharp({
  create: {
    width: 2 * detail.width * zoom + gap,
    height: detail.height * zoom,
    channels: 3,
    background: 'white',
  },
})
  .composite([
    { input: left, left: 0, top: 0 },
    { input: right, left: detail.width * zoom + gap, top: 0 },
  ])
  .png({ compressionLevel: 9 })
  .toFile(comparison);

console.log(`
${shown(`${root}examples/sample.png`)} (${small.width} × ${small.height})
  restored by ${name} in ${seconds.toFixed(1)} s (${deviceDescription})
  → ${shown(output)} (${restored.width} × ${restored.height})

against the original photo, luma:  bicubic ${plain.toFixed(2)} dB   restored ${ours.toFixed(2)} dB   (${(ours - plain).toFixed(2)} dB better)
side by side (bicubic left, restored right): ${shown(comparison)}`);

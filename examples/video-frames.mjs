// Writes every n-th restored frame of a video as PNG.
// node examples/video-frames.mjs VIDEO FOLDER [n=25] [model]
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { restoreVideoFrames, writeImage } from 'mambair';

const [video, folder, every = '25', model = 'tiny-x2'] = process.argv.slice(2);
if (video === undefined || folder === undefined) {
  console.error('usage: node examples/video-frames.mjs VIDEO FOLDER [n=25] [model]');
  process.exit(2);
}
await mkdir(folder, { recursive: true });
for await (const frame of restoreVideoFrames(video, { model })) {
  if (frame.index % Number(every) === 0) {
    const path = join(folder, `${String(frame.index).padStart(6, '0')}.png`);
    await writeImage(path, await frame.toImage(), { format: 'png', overwrite: true });
    console.log(`${path}  ${frame.seconds.toFixed(3)} s`);
  }
}

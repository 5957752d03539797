// Restores every video of a folder into another, goes on where an earlier run has stopped, and sums up.
// node examples/video.mjs FOLDER OUTPUT-FOLDER [model]
import { mkdir, readdir } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isMambairError, loadModel, restoreVideo } from 'mambair';

const [from, to, id = 'tiny-x2'] = process.argv.slice(2);
if (from === undefined || to === undefined) {
  console.error('usage: node examples/video.mjs FOLDER OUTPUT-FOLDER [model]');
  process.exit(2);
}
await mkdir(to, { recursive: true });
const model = await loadModel(id);
let failed = 0;
try {
  for (const name of (await readdir(from)).filter((each) => /\.(mp4|m4v|mov|mkv|webm)$/i.test(each)).sort()) {
    const output = join(to, name);
    if (existsSync(output)) {
      console.log(`${name}: is done`);
      continue;
    }
    try {
      const { frames, resumedFrames } = await restoreVideo(join(from, name), output, {
        model,
        resume: true,
        warn: ({ message }) => console.warn(`${name}: ${message}`),
      });
      console.log(`${name}: ${frames} frames${resumedFrames > 0 ? `, ${resumedFrames} of them from before` : ''}`);
    } catch (error) {
      failed += 1;
      console.error(`${name}: ${isMambairError(error) ? `${error.code}: ${error.message}` : String(error)}`);
    }
  }
} finally {
  await model.dispose();
}
process.exitCode = failed === 0 ? 0 : 1;

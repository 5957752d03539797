// How much still pictures flicker: 50 equal frames through a model, and frames of one picture with noise that is another in
// each, whose variance over time is compared with that of bicubic interpolation. Needs a build, ffmpeg and ../shared/video.
// `node tools/video-flicker.mjs [model…]`
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { frameLayout, loadModel, pixelFormat, restoreVideoFrames } from '../dist/index.js';

const ids = process.argv.length > 2 ? process.argv.slice(2) : ['tiny-x2', 'tiny-real-x2'];
const folder = mkdtempSync(join(tmpdir(), 'mambair-flicker-'));
const at = (name) => join(folder, name);
const ffmpeg = (...words) =>
  execFileSync('ffmpeg', ['-v', 'error', '-y', '-nostdin', ...words], { maxBuffer: 2 ** 30 });
const [width, height] = [128, 72];

/** Luma of every frame that a model makes. */
async function lumaOf(path, model) {
  const planes = [];
  for await (const frame of restoreVideoFrames(path, { model })) {
    planes.push(frame.data.slice(0, frame.width * frame.height));
  }
  return planes;
}

/** Mean over pixels of the variance over time, in squared codes. */
function temporalVariance(planes) {
  const length = planes[0].length;
  let sum = 0;
  for (let at = 0; at < length; at++) {
    const mean = planes.reduce((total, plane) => total + plane[at], 0) / planes.length;
    sum += planes.reduce((total, plane) => total + (plane[at] - mean) ** 2, 0) / planes.length;
  }
  return sum / length;
}

try {
  const source = [
    '-i',
    '../shared/video/otter-pan-640x360-clean.mp4',
    '-vf',
    `scale=${width}:${height}:flags=area,select=eq(n\\,0),loop=49:1:0`,
  ];
  ffmpeg(...source, '-frames:v', '50', '-c:v', 'ffv1', at('still.mkv'));
  const first = new Uint8Array(
    ffmpeg('-i', at('still.mkv'), '-frames:v', '1', '-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-'),
  );
  const identity = await loadModel('identity');
  const noisy = [];
  for (const strength of [4, 8, 16]) {
    const path = at(`noisy-${strength}.mkv`);
    ffmpeg(
      '-i',
      at('still.mkv'),
      '-frames:v',
      '10',
      '-vf',
      `noise=c0s=${strength}:c0f=t:all_seed=7`,
      '-c:v',
      'ffv1',
      path,
    );
    noisy.push({ path, before: temporalVariance(await lumaOf(path, identity)) });
  }
  console.log(
    '| model | 50 equal frames | one frame three times over | temporal variance of the input | bicubic, as large | the model |',
  );
  console.log('|---|---|---|---:|---:|---:|');
  for (const id of ids) {
    const model = await loadModel(id);
    const still = await lumaOf(at('still.mkv'), model);
    const isStill = still.length === 50 && still.every((plane) => Buffer.compare(plane, still[0]) === 0);
    // Equal frames that follow each other are restored once; this shows that they would come out equal anyhow.
    const layout = frameLayout(pixelFormat('yuv420p'), width, height);
    const restorer = await model.createFrameRestorer(layout, {
      matrix: 'bt709',
      range: 'limited',
      chromaLocation: 'left',
    });
    const again = [];
    for (let count = 0; count < 3; count++) {
      again.push(await restorer.restore(first));
    }
    const isSame = again.every((each) => Buffer.compare(each, again[0]) === 0);
    for (const [index, { path, before }] of noisy.entries()) {
      const large = at('bicubic.mkv');
      const { scale } = model.info;
      ffmpeg('-i', path, '-vf', `scale=iw*${scale}:ih*${scale}:flags=bicubic+accurate_rnd`, '-c:v', 'ffv1', large);
      const bicubic = temporalVariance(await lumaOf(large, identity));
      const made = temporalVariance(await lumaOf(path, model));
      const head =
        index === 0 ? [`\`${id}\``, isStill ? 'equal' : 'DIFFERENT', isSame ? 'equal' : 'DIFFERENT'] : ['', '', ''];
      console.log(`| ${[...head, ...[before, bicubic, made].map((value) => value.toFixed(2))].join(' | ')} |`);
    }
    await model.dispose();
  }
  await identity.dispose();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

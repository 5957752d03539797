// Makes clips smaller, restores them by models and by bicubic interpolation, and compares both with the clips: PSNR and SSIM
// of ffmpeg's filters, luma and all planes. Needs a build, ffmpeg and ../shared/video.
// `node tools/video-quality.mjs [models=tiny-x2,tiny-real-x2] [frames=8] [clean|degraded] [folder for pictures]`; models all of one
// scale, by which clips are made smaller; degraded: with noise and H.264 of CRF 28 after that.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { loadModel, restoreVideo } from '../dist/index.js';

const [ids = 'tiny-x2,tiny-real-x2', frames = '8', how = 'clean', pictures] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'mambair-quality-'));
const at = (name) => join(folder, name);
const ffmpeg = (...words) =>
  execFileSync('ffmpeg', ['-v', 'error', '-y', '-nostdin', ...words], { maxBuffer: 2 ** 30 });
const clips = {
  'cars-768x432-12.5fps.mp4': 'camera, traffic',
  'gesture-640x480-webcam.mkv': 'webcam, a person, full range',
  'otter-pan-640x360-clean.mp4': 'photo, moving',
};

const hasVmaf = spawnSync('ffmpeg', ['-hide_banner', '-filters'], { encoding: 'utf8' }).stdout.includes(' libvmaf ');

/** PSNR and SSIM of a file against another, of luma and of all planes; VMAF where this ffmpeg has it. */
function score(made, source) {
  const graph = (filter) => `[0:v]settb=1/1000,setpts=N[a];[1:v]settb=1/1000,setpts=N[b];[a][b]${filter}`;
  const run = (filter) =>
    spawnSync(
      'ffmpeg',
      ['-hide_banner', '-nostdin', '-i', made, '-i', source, '-lavfi', graph(filter), '-f', 'null', '-'],
      {
        encoding: 'utf8',
      },
    ).stderr;
  const [, psnrY, psnr] = /PSNR y:(\S+).*average:(\S+)/.exec(run('psnr')) ?? [];
  const [, ssimY, ssim] = /SSIM Y:(\S+).*All:(\S+)/.exec(run('ssim')) ?? [];
  const vmaf = hasVmaf ? Number(/VMAF score: (\S+)/.exec(run('libvmaf'))?.[1]) : undefined;
  return { vmaf, psnrY: Number(psnrY), psnr: Number(psnr), ssimY: Number(ssimY), ssim: Number(ssim) };
}

const models = [];
for (const id of ids.split(',')) {
  models.push({ id, model: await loadModel(id) });
}
const scales = [...new Set(models.map(({ model }) => model.info.scale))];
try {
  const [scale] = scales;
  if (scales.length !== 1) {
    throw new Error(`expected models of one scale, got ${scales.join(', ')}`);
  }
  console.log(
    `| clip, ${frames} frames | | PSNR Y, dB | PSNR, dB | SSIM Y | SSIM |${hasVmaf ? ' VMAF |' : ''}\n|---|---|---:|---:|---:|---:|${hasVmaf ? '---:|' : ''}`,
  );
  for (const [name, what] of Object.entries(clips)) {
    const [source, small, bicubic] = ['source', 'small', 'bicubic'].map((each) => at(`${each}.mkv`));
    // Smaller pictures have whole samples of chroma, too.
    const even = `crop=trunc(iw/${2 * scale})*${2 * scale}:trunc(ih/${2 * scale})*${2 * scale}`;
    const head = ['-map', '0:V:0', '-frames:v', frames, '-vf', even, '-c:v', 'ffv1'];
    ffmpeg('-i', join('../shared/video', name), ...head, source);
    const reduce = `scale=iw/${scale}:ih/${scale}:flags=bicubic+accurate_rnd+full_chroma_int`;
    const lossy = ['-vf', `${reduce},noise=c0s=8:c0f=t:all_seed=7`, '-c:v', 'libx264', '-crf', '28'];
    ffmpeg('-i', source, ...(how === 'degraded' ? lossy : ['-vf', reduce, '-c:v', 'ffv1']), small);
    const enlarge = `scale=iw*${scale}:ih*${scale}:flags=bicubic+accurate_rnd+full_chroma_int`;
    ffmpeg('-i', small, '-vf', enlarge, '-c:v', 'ffv1', bicubic);
    const made = models.map(({ id, model }) => ({ id, model, file: at(`made-${basename(id)}.mkv`) }));
    for (const { model, file } of made) {
      await restoreVideo(small, file, { model, codec: 'ffv1', keepChunks: false, overwrite: true });
    }
    for (const [row, [label, file]] of [...made.map(({ id, file }) => [id, file]), ['bicubic', bicubic]].entries()) {
      const { psnrY, psnr, ssimY, ssim, vmaf } = score(file, source);
      const cells = [
        psnrY.toFixed(2),
        psnr.toFixed(2),
        ssimY.toFixed(4),
        ssim.toFixed(4),
        ...(vmaf === undefined ? [] : [vmaf.toFixed(2)]),
      ];
      console.log(`| ${row === 0 ? `\`${name}\` (${what})` : ''} | ${label} | ${cells.join(' | ')} |`);
    }
    if (pictures !== undefined) {
      mkdirSync(pictures, { recursive: true });
      for (const [label, file] of [
        ...made.map(({ id, file }) => [basename(id), file]),
        ['bicubic', bicubic],
        ['source', source],
      ]) {
        ffmpeg(
          '-i',
          file,
          '-vf',
          `select=eq(n\\,${Math.floor(frames / 2)})`,
          '-frames:v',
          '1',
          join(pictures, `${name.split('-')[0]}-${label}.png`),
        );
      }
    }
  }
} finally {
  for (const { model } of models) {
    await model.dispose();
  }
  rmSync(folder, { recursive: true, force: true });
}

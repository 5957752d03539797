// Takes clips through the model that changes nothing and a lossless encoder, compares output and input strictly, and prints
// what differs as a table. Needs a build and ffmpeg.
// `node tools/video-proof.mjs [FILE|FOLDER…]`; without arguments the clips of test/proof-clips.ts, ../shared/video, and those that
// ../shared/video-rig makes.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, extname, join, resolve } from 'node:path';
import { isMambairError, loadModel, restoreVideo } from '../dist/index.js';
import { compareVideos } from '../dist/test/compare-videos.js';
import { makeProofClip, makeRichClip, proofClips } from '../dist/test/proof-clips.js';

const folder = mkdtempSync(join(tmpdir(), 'mambair-proof-'));
const videos = /\.(mkv|mp4|mov|webm|ts|avi|nut|gif|m4a|mp3)$/;
const exact264 = { codec: 'h264', encoderOptions: { qp: '0', preset: 'ultrafast' } };
const exact265 = {
  codec: 'h265',
  encoderOptions: { preset: 'ultrafast', 'x265-params': 'lossless=1:log-level=error' },
};
const exactVp9 = { codec: 'vp9', encoderOptions: { lossless: '1', deadline: 'realtime', 'cpu-used': '8' } };

/** A codec that loses nothing of a clip in its own container. */
function lossless(path) {
  const probe = ['-v', 'error', '-select_streams', 'V:0', '-show_entries', 'stream=codec_name', '-of', 'csv=p=0', path];
  // What cannot be opened is refused by the run itself.
  const [codec = ''] = (spawnSync('ffprobe', probe, { encoding: 'utf8' }).stdout ?? '').split(/[\s,]/);
  if (codec === 'hevc') {
    return exact265;
  }
  const byExtension = {
    '.mkv': { codec: 'ffv1' },
    '.nut': { codec: 'ffv1' },
    '.avi': { codec: 'ffv1' },
    '.webm': exactVp9,
  };
  const isOwn = extname(path) === '.mov' && codec !== 'h264';
  return isOwn ? { codec } : (byExtension[extname(path)] ?? exact264);
}

function clipsOf(path) {
  return statSync(path).isDirectory()
    ? readdirSync(path)
        .filter((name) => videos.test(name))
        .sort()
        .map((name) => join(path, name))
    : [path];
}

function* allClips() {
  const made = join(folder, 'made');
  execFileSync('mkdir', [made]);
  for (const clip of proofClips) {
    yield makeProofClip(made, clip);
  }
  yield makeRichClip(made);
  if (existsSync('../shared/video')) {
    yield* clipsOf('../shared/video');
  }
  if (existsSync('../shared/video-rig')) {
    const rig = join(folder, 'rig');
    execFileSync('bash', [resolve('../shared/video-rig/make-clips.sh'), rig], { stdio: 'ignore' });
    yield* clipsOf(rig);
  }
}

const model = await loadModel('identity');
const totals = { clips: 0, same: 0, refused: 0, frames: 0, samples: 0, changed: 0, packets: 0, losing: 0 };
const escaped = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** The row of one clip, which is counted. */
async function prove(path, number) {
  const output = join(folder, `out-${number}${extname(path)}`);
  const warnings = [];
  totals.clips += 1;
  try {
    const settings = { ...lossless(path), model, keepChunks: false, overwrite: true };
    const { encoder } = await restoreVideo(path, output, {
      ...settings,
      warn: ({ message }) => warnings.push(message),
    });
    const { differences, frames, packets, samples, changedSamples } = await compareVideos(path, output);
    const differs = differences.map(
      ({ where, what, after }) => `${where}: ${what}${/differ/.test(after) ? ` (${after})` : ''}`,
    );
    totals.same += differs.length === 0 ? 1 : 0;
    // ProRes has no lossless mode; other codecs in mov do not hold its colour tags and fields.
    const loses = encoder === 'prores_ks';
    totals.losing += loses ? 1 : 0;
    totals.frames += frames;
    totals.packets += packets;
    totals.samples += loses ? 0 : samples;
    totals.changed += loses ? 0 : changedSamples;
    return `| ${basename(path)} | ${encoder} | ${frames} | ${packets} | ${samples} | ${changedSamples} | ${escaped(differs.join('; ')) || '-'} | ${escaped(warnings.join('; ')) || '-'} |`;
  } catch (error) {
    if (!isMambairError(error)) {
      throw error;
    }
    totals.refused += 1;
    const message = error.message.replaceAll(path, basename(path)).slice(0, 160);
    return `| ${basename(path)} | | | | | | refused: ${error.code} | ${escaped(message)} |`;
  } finally {
    rmSync(output, { force: true });
  }
}

try {
  console.log('| clip | encoder | frames | other packets | samples | of them changed | differs | said beforehand |');
  console.log('|---|---|---:|---:|---:|---:|---|---|');
  const given = process.argv.slice(2);
  const paths = given.length === 0 ? [...allClips()] : given.flatMap(clipsOf);
  // Most of a clip's time are programs that start one after the other, so clips go side by side.
  const rows = paths.map(() => undefined);
  let next = 0;
  let shown = 0;
  const work = async () => {
    for (let number = next++; number < paths.length; number = next++) {
      rows[number] = await prove(paths[number], number);
      for (; rows[shown] !== undefined; shown++) {
        console.log(rows[shown]);
      }
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  console.log(`\n${JSON.stringify(totals)}`);
} finally {
  await model.dispose();
  rmSync(folder, { recursive: true, force: true });
}

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * What the way through our filter costs beside the network: a 1080p clip decoded and encoded by x264, plainly and with the
 * model `identity` between, whose frames go to R'G'B' and back. Both take turns; the best of each counts. Give a clip of your
 * own; without one a zoom into the Mandelbrot set is made.
 *
 *     npm run bench -- video-pipeline [clip] [preset …]
 */
const turns = 3;
const [given, ...presets] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'mambair-bench-'));

function seconds(program: string, args: readonly string[]): number {
  const began = performance.now();
  const { status, stderr } = spawnSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
  if (status !== 0) {
    throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
  }
  return (performance.now() - began) / 1000;
}

try {
  const clip = given ?? join(folder, 'clip.mp4');
  if (given === undefined) {
    const source = ['-f', 'lavfi', '-i', 'mandelbrot=s=1920x1080:r=30', '-t', '8', '-pix_fmt', 'yuv420p'];
    seconds('ffmpeg', ['-v', 'error', ...source, '-c:v', 'libx264', '-preset', 'veryfast', '-crf', '20', clip]);
  }
  const counted = spawnSync(
    'ffprobe',
    [
      '-v',
      'error',
      '-select_streams',
      'V:0',
      '-count_packets',
      '-show_entries',
      'stream=nb_read_packets',
      '-of',
      'csv=p=0',
      clip,
    ],
    { encoding: 'utf8' },
  );
  const frames = Number(counted.stdout.trim().replace(/,$/, ''));
  const ours = ['bin/mambair.js', 'ffmpeg', '-v', 'error', '-i', clip, '-vf', 'mambairv2=model=identity'];
  console.log('| x264 preset | plain, frames/s | through us, frames/s | of plain |');
  console.log('|---|---:|---:|---:|');
  for (const preset of presets.length > 0 ? presets : ['veryfast', 'medium']) {
    const output = ['-an', '-c:v', 'libx264', '-preset', preset, '-f', 'null', '-'];
    const best = { plain: Number.POSITIVE_INFINITY, ours: Number.POSITIVE_INFINITY };
    for (let turn = 0; turn < turns; turn++) {
      best.plain = Math.min(best.plain, seconds('ffmpeg', ['-nostdin', '-v', 'error', '-i', clip, ...output]));
      best.ours = Math.min(best.ours, seconds(process.execPath, [...ours, ...output]));
    }
    const share = `${Math.round((100 * best.plain) / best.ours)} %`;
    console.log(`| ${preset} | ${(frames / best.plain).toFixed(1)} | ${(frames / best.ours).toFixed(1)} | ${share} |`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

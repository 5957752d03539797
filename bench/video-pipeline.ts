import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * What the way through our filter costs beside the network: a 1080p clip decoded and encoded by x264, plainly and with the
 * model `identity` between, whose frames go to R'G'B' and back. Both take turns; the best of each counts. CPU time is that of
 * all processes, and holds on a busy machine; frames a second do not. Give a clip of your own; without one a zoom into the
 * Mandelbrot set is made.
 *
 *     npm run bench -- video-pipeline [clip] [preset …]
 */
const turns = 3;
const [given, ...presets] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'mambair-bench-'));

interface Cost {
  readonly seconds: number;
  /** User and system, of everything that was started. */
  readonly cpuSeconds: number;
}

function cost(program: string, args: readonly string[]): Cost {
  const began = performance.now();
  // The shell tells what its children have taken, and theirs.
  const measured = ['-c', '"$@" || exit 1; times', 'sh', program, ...args];
  const { status, stdout, stderr } = spawnSync('sh', measured, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
  if (status !== 0) {
    throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
  }
  const children = stdout.trim().split('\n').at(-1) ?? '';
  const times = [...children.matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, rest]) => 60 * Number(minutes) + Number(rest),
  );
  return { seconds: (performance.now() - began) / 1000, cpuSeconds: times.reduce((sum, each) => sum + each, 0) };
}

const least = (one: Cost | undefined, other: Cost): Cost => ({
  seconds: Math.min(one?.seconds ?? Number.POSITIVE_INFINITY, other.seconds),
  cpuSeconds: Math.min(one?.cpuSeconds ?? Number.POSITIVE_INFINITY, other.cpuSeconds),
});

try {
  const clip = given ?? join(folder, 'clip.mp4');
  if (given === undefined) {
    const source = ['-f', 'lavfi', '-i', 'mandelbrot=s=1920x1080:r=30', '-t', '8', '-pix_fmt', 'yuv420p'];
    cost('ffmpeg', ['-v', 'error', ...source, '-c:v', 'libx264', '-preset', 'veryfast', '-crf', '20', clip]);
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
  console.log(
    '| x264 preset | plain, frames/s | ours, frames/s | of plain | plain, CPU ms a frame | ours, CPU ms a frame |',
  );
  console.log('|---|---:|---:|---:|---:|---:|');
  for (const preset of presets.length > 0 ? presets : ['veryfast', 'medium']) {
    const output = ['-an', '-c:v', 'libx264', '-preset', preset, '-f', 'null', '-'];
    let plain: Cost | undefined;
    let through: Cost | undefined;
    for (let turn = 0; turn < turns; turn++) {
      plain = least(plain, cost('ffmpeg', ['-nostdin', '-v', 'error', '-i', clip, ...output]));
      through = least(through, cost(process.execPath, [...ours, ...output]));
    }
    if (plain !== undefined && through !== undefined) {
      const rates = [plain, through].map(({ seconds }) => (frames / seconds).toFixed(1));
      const cpu = [plain, through].map(({ cpuSeconds }) => ((1000 * cpuSeconds) / frames).toFixed(1));
      const share = `${Math.round((100 * plain.seconds) / through.seconds)} %`;
      console.log(`| ${[preset, ...rates, share, ...cpu].join(' | ')} |`);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

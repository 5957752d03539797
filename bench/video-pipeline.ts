import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/**
 * What the way through our filter costs beside the network: a 1080p clip decoded and encoded by x264, plainly and with the
 * model `identity` between, whose frames go to R'G'B' and back. Both take turns; the best of each counts. CPU time is that of
 * all processes, and holds on a busy machine; frames a second do not. The start is what one frame through us costs more than
 * one plain frame: it is paid once, however long the clip.
 *
 *     npm run bench -- video-pipeline [street | otter | animation | FILE]… [preset …] [turns=3]
 *
 * The names stand for clips of ../shared/video, enlarged to 1080p and repeated where they are smaller and shorter; all three
 * are run where none is given. Without that folder a zoom into the Mandelbrot set is made.
 */
const presetNames = ['ultrafast', 'superfast', 'veryfast', 'faster', 'fast', 'medium', 'slow', 'slower', 'veryslow'];
const folder = mkdtempSync(join(tmpdir(), 'mambair-bench-'));
const shared = '../shared/video';
const enlarged = 'scale=1920:1080:flags=bicubic,noise=c0s=4:c0f=t:all_seed=7';

/** How the clips of these names are made. */
const recipes: Readonly<Record<string, readonly string[]>> = {
  street: ['-stream_loop', '7', '-i', `${shared}/cars-768x432-12.5fps.mp4`, '-vf', enlarged],
  otter: ['-stream_loop', '7', '-i', `${shared}/otter-pan-640x360-grain.mp4`, '-vf', enlarged.replace(/,.*/, '')],
  animation: ['-stream_loop', '8', '-i', `${shared}/bunny-1920x1080-60fps-audio.mp4`, '-c:v', 'copy'],
  zoom: ['-f', 'lavfi', '-i', 'mandelbrot=s=1920x1080:r=30', '-t', '8', '-pix_fmt', 'yuv420p'],
};

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

function makeClip(name: string): string {
  const recipe = recipes[name];
  if (recipe === undefined) {
    return name;
  }
  const path = join(folder, `${name}.mp4`);
  const codec = recipe.includes('-c:v') ? [] : ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '18'];
  cost('ffmpeg', ['-nostdin', '-v', 'error', ...recipe, '-an', '-sn', '-dn', ...codec, path]);
  return path;
}

function countFrames(clip: string): number {
  const shown = ['-count_packets', '-show_entries', 'stream=nb_read_packets', '-of', 'csv=p=0'];
  const { stdout } = spawnSync('ffprobe', ['-v', 'error', '-select_streams', 'V:0', ...shown, clip], {
    encoding: 'utf8',
  });
  return Number.parseInt(stdout, 10);
}

const words = process.argv.slice(2);
const presets = words.filter((word) => presetNames.includes(word));
const isCount = (word: string): boolean => /^\d+$/.test(word);
const turns = Number(words.find(isCount) ?? 3);
const given = words.filter((word) => !presetNames.includes(word) && !isCount(word));
const clips = given.length > 0 ? given : existsSync(shared) ? ['street', 'otter', 'animation'] : ['zoom'];
try {
  console.log('CPU milliseconds a frame; in brackets frames a second, with the start.\n');
  console.log(
    '| clip | frames | x264 preset | plain | ours | ours / plain, frames a second | of that the start | plain / ours, CPU, without the start |',
  );
  console.log('|---|---:|---|---:|---:|---:|---:|---:|');
  for (const name of clips) {
    const clip = makeClip(name);
    const frames = countFrames(clip);
    const ours = ['bin/mambair.js', 'ffmpeg', '-v', 'error', '-i', clip, '-vf', 'mambairv2=model=identity'];
    const plain = ['-nostdin', '-v', 'error', '-i', clip];
    for (const preset of presets.length > 0 ? presets : ['veryfast']) {
      const output = ['-an', '-c:v', 'libx264', '-preset', preset, '-f', 'null', '-'];
      const one = ['-frames:v', '1', ...output];
      const best: Partial<Record<'plain' | 'ours' | 'plainStart' | 'start', Cost>> = {};
      for (let turn = 0; turn < turns; turn++) {
        best.plain = least(best.plain, cost('ffmpeg', [...plain, ...output]));
        best.ours = least(best.ours, cost(process.execPath, [...ours, ...output]));
        best.plainStart = least(best.plainStart, cost('ffmpeg', [...plain, ...one]));
        best.start = least(best.start, cost(process.execPath, [...ours, ...one]));
      }
      const milliseconds = (key: keyof typeof best): number => (1000 * (best[key]?.cpuSeconds ?? 0)) / frames;
      const rate = (key: keyof typeof best): string => (frames / (best[key]?.seconds ?? 1)).toFixed(1);
      const start = milliseconds('start') - milliseconds('plainStart');
      const [plainSeconds = 1, ourSeconds = 1] = [best.plain?.seconds, best.ours?.seconds];
      const cells = [
        ...[basename(clip), frames, preset],
        `${milliseconds('plain').toFixed(1)} (${rate('plain')})`,
        `${milliseconds('ours').toFixed(1)} (${rate('ours')})`,
        `${Math.round((100 * plainSeconds) / ourSeconds)} %`,
        start.toFixed(1),
        `${Math.round((100 * milliseconds('plain')) / (milliseconds('ours') - start))} %`,
      ];
      console.log(`| ${cells.join(' | ')} |`);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

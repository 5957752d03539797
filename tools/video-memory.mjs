// Restores a long clip by the model that changes nothing, watches the memory of this program and of its ffmpegs, and draws it.
// Needs a build, ffmpeg and /proc. `node tools/video-memory.mjs [frames=10000] [size=320x180] [picture.svg]`
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [frames = '10000', size = '320x180', picture] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'mambair-memory-'));
const input = join(folder, 'long.mp4');
const output = join(folder, 'out.mp4');

/** Resident memory of a process in MB; 0 when it is gone. */
function resident(pid) {
  try {
    const [, kilobytes] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes ?? 0) / 1000;
  } catch {
    return 0;
  }
}

function childrenOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(/\s+/))
      .filter((word) => word !== '');
  } catch {
    return [];
  }
}

try {
  const source = ['-f', 'lavfi', '-i', `testsrc2=s=${size}:r=25`, '-frames:v', frames];
  execFileSync('ffmpeg', [
    '-v',
    'error',
    ...source,
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-pix_fmt',
    'yuv420p',
    input,
  ]);
  const words = [
    'bin/mambair.js',
    'video',
    input,
    '-o',
    output,
    '-m',
    'identity',
    '--encoder',
    'preset=ultrafast',
    '--json',
  ];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  /** @type {{ seconds: number, own: number, ffmpegs: number, frames: number }[]} */
  const samples = [];
  let done = 0;
  let last = {};
  child.stdout.on('data', (text) => {
    for (const line of text.toString().split('\n')) {
      if (line.startsWith('{')) {
        last = JSON.parse(line);
        done = last.frames ?? done;
      }
    }
  });
  const began = performance.now();
  const timer = setInterval(() => {
    const ffmpegs = childrenOf(child.pid).reduce((sum, pid) => sum + resident(pid), 0);
    samples.push({ seconds: (performance.now() - began) / 1000, own: resident(child.pid), ffmpegs, frames: done });
  }, 250);
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearInterval(timer);
  const running = samples.filter((sample) => sample.frames > 0);
  const third = Math.floor(running.length / 3);
  const mean = (part, key) => part.reduce((sum, sample) => sum + sample[key], 0) / Math.max(1, part.length);
  const most = (key) => Math.max(...samples.map((sample) => sample[key]));
  const figures = {
    exit: code,
    frames: last.frames,
    size,
    seconds: Math.round((performance.now() - began) / 100) / 10,
    ownMegabytes: {
      mostEver: Math.round(most('own')),
      meanOfFirstThird: Math.round(mean(running.slice(0, third), 'own')),
      meanOfLastThird: Math.round(mean(running.slice(-third), 'own')),
    },
    ffmpegMegabytes: { mostEver: Math.round(most('ffmpegs')) },
  };
  console.log(JSON.stringify(figures, undefined, 1));
  if (picture !== undefined) {
    writeFileSync(picture, plot(running));
  }
  process.exitCode = code === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Two lines over the frames that are done. */
function plot(samples) {
  const [width, height, left, right, top, bottom] = [720, 320, 60, 20, 34, 44];
  const mostFrames = samples.at(-1).frames;
  const mostMegabytes = 100 * Math.ceil(Math.max(400, ...samples.flatMap(({ own, ffmpegs }) => [own, ffmpegs])) / 100);
  const x = (count) => left + (count / mostFrames) * (width - left - right);
  const y = (megabytes) => height - bottom - (megabytes / mostMegabytes) * (height - top - bottom);
  const line = (key, colour) =>
    `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${samples
      .map((sample) => `${x(sample.frames).toFixed(1)},${y(sample[key]).toFixed(1)}`)
      .join(' ')}"/>`;
  const text = (at, words, more = '') => `<text x="${at[0]}" y="${at[1]}" ${more}>${words}</text>`;
  const rows = Array.from({ length: mostMegabytes / 100 + 1 }, (_, index) => index * 100);
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text([left, 20], `Resident memory, MB, over the frames restored (${size}, identity)`, 'font-size="13"'),
    ...rows.map((each) => `<line x1="${left}" x2="${width - right}" y1="${y(each)}" y2="${y(each)}" stroke="#ddd"/>`),
    ...rows.map((each) => text([left - 8, y(each) + 4], each, 'text-anchor="end" fill="#555"')),
    ...[0, 0.25, 0.5, 0.75, 1].map((share) =>
      text(
        [x(share * mostFrames), height - bottom + 18],
        Math.round(share * mostFrames),
        'text-anchor="middle" fill="#555"',
      ),
    ),
    `<line x1="${left}" x2="${width - right}" y1="${y(400)}" y2="${y(400)}" stroke="#c33" stroke-dasharray="5 4"/>`,
    line('own', '#1565c0'),
    line('ffmpegs', '#ef8f00'),
    text([left, height - 8], 'mambair', 'fill="#1565c0"'),
    text([left + 70, height - 8], 'its ffmpegs together', 'fill="#ef8f00"'),
    text([left + 220, height - 8], 'bound for mambair', 'fill="#c33"'),
    '</svg>',
  ].join('\n')}\n`;
}

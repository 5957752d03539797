// Makes `mambair video` fail in every way that is known, and prints what happens, the exit code, and what is left on disk.
// Needs a build and ffmpeg; the full disk needs the right to mount one. `node tools/video-failures.mjs [case…]`
import { execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMambairError, loadModel, restoreVideo } from '../dist/index.js';
import { exitCodeFor } from '../dist/cli/exit-codes.js';

const root = mkdtempSync(join(tmpdir(), 'mambair-failures-'));
const at = (name) => join(root, name);
const ffmpeg = (...words) => execFileSync('ffmpeg', ['-v', 'error', '-y', '-nostdin', ...words]);
const pattern = (size, seconds) => ['-f', 'lavfi', '-i', `testsrc2=s=${size}:r=25:d=${seconds}`];
const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2'];

ffmpeg(...pattern('160x96', 2), '-f', 'lavfi', '-i', 'sine=440:d=2', ...x264, '-c:a', 'aac', at('good.mp4'));
ffmpeg('-i', at('good.mp4'), '-c', 'copy', at('good.mkv'));
ffmpeg(...pattern('640x360', 40), ...x264, at('long.mp4'));
ffmpeg(...pattern('102x58', 1), '-vf', 'scale=101:57,format=yuv420p', '-c:v', 'ffv1', at('odd.mkv'));
ffmpeg(...pattern('96x64', 1), '-pix_fmt', 'yuva444p10le', '-c:v', 'ffv1', at('alpha.mkv'));
ffmpeg(
  ...pattern('96x64', 1),
  '-vf',
  'interlace=lowpass=0',
  ...x264,
  '-flags',
  '+ilme+ildct',
  '-x264-params',
  'tff=1',
  at('fields.mkv'),
);
ffmpeg('-f', 'lavfi', '-i', 'sine=440:d=1', at('sound.m4a'));
writeFileSync(at('empty.mp4'), '');
writeFileSync(at('text.mp4'), 'this is text\n');
writeFileSync(at('truncated.mp4'), readFileSync(at('good.mp4')).subarray(0, 20_000));
const whole = readFileSync(at('good.mkv'));
writeFileSync(at('truncated.mkv'), whole.subarray(0, Math.floor(whole.length * 0.6)));
const damaged = Buffer.from(whole);
for (const share of [0.2, 0.4, 0.6]) {
  damaged.fill('X', Math.floor(damaged.length * share), Math.floor(damaged.length * share) + 200);
}
writeFileSync(at('corrupt.mkv'), damaged);

/** Runs the command; `meddle` may disturb it. Gives exit code and what it said. */
function run(args, meddle = () => {}) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['bin/mambair.js', 'video', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    child.stdout.on('data', (part) => (said += part));
    child.stderr.on('data', (part) => (said += part));
    child.once('close', (code, signal) => resolve({ exit: code ?? signal, said: said.trim() }));
    meddle(child);
  });
}

/** Ends the ffmpeg whose command line ends so. */
function killFfmpeg(pattern) {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      if (words[0].endsWith('ffmpeg') && words.some((word) => word.startsWith(root)) && pattern(words)) {
        process.kill(Number(pid), 'SIGKILL');
      }
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** Calls `work` once two chunks are on disk, so in the midst of a run. */
function onceUnderWay(output, work) {
  const timer = setInterval(() => {
    const folder = `${output}.mambair`;
    if (existsSync(folder) && readdirSync(folder).filter((name) => name.startsWith('chunk-')).length >= 2) {
      clearInterval(timer);
      work();
    }
  }, 20);
  timer.unref();
}

const identity = ['-m', 'identity', '--quiet'];
const isEncoder = (words) => words.at(-2)?.includes('.mambair/partial-') && !words.at(-2).endsWith('.nut');
const isDecoder = (words) => words.includes('rawvideo') && words.includes('-copyts');

async function onFullDisk() {
  const disk = at('disk');
  mkdirSync(disk);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', disk], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  try {
    const output = join(disk, 'out.mp4');
    return { ...(await run([at('long.mp4'), '-o', output, ...identity])), left: listing(disk, 'out') };
  } finally {
    execFileSync('umount', [disk]);
  }
}

/** A model whose 700th frame fails. */
async function failingNetwork(output) {
  const model = await loadModel('identity');
  let frames = 0;
  const createFrameRestorer = async (...given) => {
    const restorer = await model.createFrameRestorer(...given);
    const restore = (frame) => {
      frames += 1;
      if (frames === 700) {
        throw Object.assign(new Error('unreachable'), { name: 'RuntimeError' });
      }
      return restorer.restore(frame);
    };
    return { layout: restorer.layout, restore: async (frame) => restore(frame) };
  };
  try {
    await restoreVideo(at('long.mp4'), output, { model: { info: model.info, createFrameRestorer } });
    return { exit: 0, said: '' };
  } catch (error) {
    return { exit: exitCodeFor(error), said: `${isMambairError(error) ? error.code : error.name}: ${error.message}` };
  } finally {
    await model.dispose();
  }
}

const simple =
  (input, name, ...more) =>
  (output = at(name)) =>
    run([at(input), '-o', output, ...identity, ...more]);
/** Each: what is wrong, the name of the output, how to run it. */
const cases = {
  'no such input': ['a.mp4', simple('gone.mp4', 'a.mp4')],
  'an empty file': ['b.mp4', simple('empty.mp4', 'b.mp4')],
  'no video at all': ['c.mp4', simple('text.mp4', 'c.mp4')],
  'sound only': ['d.mp4', simple('sound.m4a', 'd.mp4')],
  'mp4 cut off (no index)': ['e.mp4', simple('truncated.mp4', 'e.mp4')],
  'Matroska cut off': ['f.mkv', (o) => run([at('truncated.mkv'), '-o', o, '-m', 'identity'])],
  'broken bytes': ['g.mkv', (o) => run([at('corrupt.mkv'), '-o', o, '-m', 'identity'])],
  'the output is there': ['good.mp4', simple('good.mkv', 'good.mp4')],
  'the folder cannot be made': ['text.mp4/out.mp4', simple('good.mp4', 'text.mp4/out.mp4')],
  'an encoder that ffmpeg lacks': ['h.mp4', simple('good.mp4', 'h.mp4', '--codec', 'h267')],
  'an option that the encoder lacks': ['i.mp4', simple('good.mp4', 'i.mp4', '--encoder', 'preset=nonsense')],
  'odd sides, 4:2:0, libx264': ['j.mp4', simple('odd.mkv', 'j.mp4', '--codec', 'h264')],
  'alpha into mp4': ['k.mp4', simple('alpha.mkv', 'k.mp4')],
  'interlaced, larger': ['l.mkv', (o) => run([at('fields.mkv'), '-o', o, '-m', 'identity-x2', '--quiet'])],
  'the decoding ffmpeg dies': [
    'm.mp4',
    (o) => run([at('long.mp4'), '-o', o, ...identity], () => onceUnderWay(o, () => killFfmpeg(isDecoder))),
  ],
  'the encoding ffmpeg dies': [
    'n.mp4',
    (o) => run([at('long.mp4'), '-o', o, ...identity], () => onceUnderWay(o, () => killFfmpeg(isEncoder))),
  ],
  'the network fails on frame 700': ['o.mp4', failingNetwork],
  'the disk is full': ['out', onFullDisk],
  'Ctrl-C': [
    'p.mp4',
    (o) => run([at('long.mp4'), '-o', o, ...identity], (child) => onceUnderWay(o, () => child.kill('SIGINT'))),
  ],
  'kill -9': [
    'q.mp4',
    (o) => run([at('long.mp4'), '-o', o, ...identity], (child) => onceUnderWay(o, () => child.kill('SIGKILL'))),
  ],
  'the same again, without `--resume`': ['q.mp4', simple('long.mp4', 'q.mp4')],
  '`--resume` with another `--crf`': ['q.mp4', simple('long.mp4', 'q.mp4', '--resume', '--crf', '30')],
  '`--resume`': ['q.mp4', simple('long.mp4', 'q.mp4', '--resume')],
  'two runs at once': [
    'r.mp4',
    async (o) => {
      let second = Promise.resolve({ exit: 0, said: 'never started' });
      const again = () => (second = run([at('long.mp4'), '-o', o, ...identity, '--resume']));
      await run([at('long.mp4'), '-o', o, ...identity], () => onceUnderWay(o, again));
      return second;
    },
  ],
};

/** What lies there by a name: sizes of files, contents of a work folder by kinds. */
function listing(folder, name) {
  const names = existsSync(folder) ? readdirSync(folder).filter((each) => each.startsWith(name)) : [];
  const parts = names.map((each) => {
    const path = join(folder, each);
    if (!statSync(path).isDirectory()) {
      return `\`${each}\``;
    }
    const inside = readdirSync(path);
    const chunks = inside.filter((part) => part.startsWith('chunk-')).length;
    const others = inside
      .filter((part) => !/^(chunk-|job\.json)/.test(part))
      .map((part) => part.replace(/-[\da-f]{8}/, '-…'));
    return `\`${each}/\`: ${chunks} whole chunks${others.length === 0 ? '' : `, ${others.join(', ')}`}`;
  });
  return parts.length === 0 ? 'nothing' : parts.join('; ');
}

const shown = (text) =>
  text
    .replaceAll(`${root}/`, '')
    .replaceAll(/ @ 0x[\da-f]+/g, '')
    .replaceAll(/-[\da-f]{8}\b/g, '-…')
    .replaceAll('|', '/')
    .replaceAll('\n', ' ');

console.log('| what is wrong | what it says | exit | left on disk |');
console.log('|---|---|---:|---|');
const wanted = process.argv.slice(2);
try {
  for (const [what, [name, work]] of Object.entries(cases)) {
    if (wanted.length > 0 && !wanted.some((word) => what.includes(word))) {
      continue;
    }
    const result = await work(at(name));
    if (result === undefined) {
      console.log(`| ${what} | (not run: no right to mount a small disk) | | |`);
      continue;
    }
    const said = shown(result.said);
    const left = result.left ?? listing(root, name);
    console.log(
      `| ${what} | ${said.length > 330 ? `${said.slice(0, 330)}…` : said || 'nothing'} | ${result.exit} | ${left} |`,
    );
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}

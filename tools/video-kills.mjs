// Kills `mambair video` at random moments, goes on with --resume, and compares the file with that of an undisturbed run.
// Needs a build and ffmpeg. `node tools/video-kills.mjs [kills=20] [clip] [more arguments of mambair video…]`
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { execFileSync } from 'node:child_process';

const [kills = '20', given, ...more] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'mambair-kills-'));
let input = given;
if (input === undefined) {
  input = join(folder, 'clip.mp4');
  const words = [
    '-v',
    'error',
    '-f',
    'lavfi',
    '-i',
    'testsrc2=s=160x96:r=25:d=80',
    '-f',
    'lavfi',
    '-i',
    'sine=440:d=80',
  ];
  execFileSync('ffmpeg', [...words, '-c:v', 'libx264', '-preset', 'veryfast', '-bf', '2', '-c:a', 'aac', input]);
}
const settings = more.length > 0 ? more : ['--model', 'identity', '--encoder', 'preset=ultrafast'];
const extension = extname(input);

/** Runs to the end, or for so long; gives the exit code, or the signal. */
function run(output, killAfterMs) {
  return new Promise((resolve) => {
    const child = spawn(
      process.execPath,
      ['bin/mambair.js', 'video', input, '-o', output, ...settings, '--resume', '--quiet'],
      {
        stdio: ['ignore', 'inherit', 'inherit'],
      },
    );
    const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve(code ?? signal);
    });
  });
}

const sha256 = (path) => createHash('sha256').update(readFileSync(path)).digest('hex');
/** Matroska draws random numbers for each file, so its packets are compared. */
const print = (path) =>
  extension === '.mkv'
    ? execFileSync('ffmpeg', ['-v', 'error', '-i', path, '-map', '0', '-c', 'copy', '-f', 'framehash', '-'], {
        maxBuffer: 2 ** 28,
      })
        .toString()
        .replaceAll(/^#software.*$/gm, '')
    : sha256(path);

// A small generator of its own, so that a run can be repeated.
let state = 20_261_121;
const random = () => {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
  return state / 2 ** 32;
};

try {
  const undisturbed = join(folder, `undisturbed${extension}`);
  const began = performance.now();
  const first = await run(undisturbed);
  const whole = performance.now() - began;
  if (first !== 0) {
    throw new Error(`the undisturbed run ended with ${first}`);
  }
  const output = join(folder, `killed${extension}`);
  const log = [];
  let done = 0;
  let runs = 0;
  while (done < Number(kills)) {
    // Now and then one ends before it is killed; the next begins anew.
    const end = await run(output, random() * whole * 0.9);
    runs += 1;
    if (end === 'SIGKILL') {
      done += 1;
      if (existsSync(output)) {
        throw new Error('a killed run has left a file under the final name');
      }
      const work = `${output}.mambair`;
      const chunks = existsSync(work) ? readdirSync(work).filter((name) => name.startsWith('chunk-')).length : 0;
      log.push(chunks);
    } else if (end === 0) {
      if (print(output) !== print(undisturbed)) {
        throw new Error('the file of a run that was killed and gone on with differs');
      }
      log.push('whole');
      rmSync(output);
    } else {
      throw new Error(`a run ended with ${end}`);
    }
  }
  const last = await run(output);
  const isSame = last === 0 && print(output) === print(undisturbed);
  console.log(
    `undisturbed: ${(whole / 1000).toFixed(1)} s; ${done} kills in ${runs} runs; whole chunks on disk after each: ${log.join(' ')}`,
  );
  console.log(`after the last run: ${isSame ? 'the file equals the undisturbed one' : `DIFFERENT (exit ${last})`}`);
  console.log(
    `left beside it: ${
      readdirSync(folder)
        .filter((name) => name.includes('.mambair'))
        .join(' ') || 'nothing'
    }`,
  );
  process.exitCode = isSame ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

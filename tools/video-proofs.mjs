// Runs every proof of docs/video.md and docs/video-proof.md one after the other, and keeps what each prints in a folder, with how
// long it took. Needs a build, ffmpeg and ../shared/video. `node tools/video-proofs.mjs FOLDER [name…]`
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

const [folder, ...wanted] = process.argv.slice(2);
/** What is shown, and the words that show it. */
const proofs = {
  unchanged: ['nothing but the pictures changes', 'tools/video-proof.mjs'],
  kills: ['20 kills at random moments, then --resume', 'tools/video-kills.mjs', '20'],
  failures: ['what happens when a run fails', 'tools/video-failures.mjs'],
  memory: ['memory over 10 000 frames', 'tools/video-memory.mjs', '10000', '320x180', join(folder ?? '', 'memory.svg')],
  flicker: ['flicker of still pictures', 'tools/video-flicker.mjs', 'tiny-x2', 'tiny-real-x2'],
  clean: ['beside bicubic, clips reduced cleanly', 'tools/video-quality.mjs', 'tiny-x2,tiny-real-x2', '8'],
  degraded: [
    'beside bicubic, noisy and compressed',
    'tools/video-quality.mjs',
    'tiny-x2,tiny-real-x2',
    '4',
    'degraded',
  ],
  conversion: ['cost of conversion and transport', 'dist/bench/video-frames.js'],
  way: ['cost of the way through the filter at 1080p', 'dist/bench/video-pipeline.js', 'veryfast'],
};
if (folder === undefined || wanted.some((name) => !Object.hasOwn(proofs, name))) {
  console.error(`usage: node tools/video-proofs.mjs FOLDER [${Object.keys(proofs).join(' | ')}]…`);
  process.exit(2);
}
mkdirSync(folder, { recursive: true });

/** Runs a script; its output comes here and into a file. Gives its exit code. */
function run(words, file) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    const kept = createWriteStream(file);
    child.stdout.pipe(process.stdout, { end: false });
    child.stdout.pipe(kept);
    child.once('close', (code, signal) => kept.end(() => resolve(code ?? signal)));
  });
}

const rows = [];
for (const [name, [what, ...words]] of Object.entries(proofs)) {
  if (wanted.length > 0 && !wanted.includes(name)) {
    continue;
  }
  console.log(`\n## ${name}: ${what}\n\n\`node ${words.join(' ')}\`\n`);
  const began = performance.now();
  const end = await run(words, join(folder, `${name}.md`));
  const seconds = Math.round((performance.now() - began) / 1000);
  rows.push({ name, what, end, seconds });
}
const parts = rows.map(({ name, what, end, seconds }) =>
  [`## ${name}: ${what}`, `Exit ${end}, ${seconds} s.`, readFileSync(join(folder, `${name}.md`), 'utf8')].join('\n\n'),
);
writeFileSync(join(folder, 'proofs.md'), `${parts.join('\n')}`);
console.log('\n| proof | exit | seconds |\n|---|---:|---:|');
for (const { name, end, seconds } of rows) {
  console.log(`| ${name} | ${end} | ${seconds} |`);
}
process.exitCode = rows.every(({ end }) => end === 0) ? 0 : 1;

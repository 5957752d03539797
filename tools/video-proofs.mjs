// Runs every proof of docs/video.md and docs/video-proof.md one after the other, and keeps what each prints in a folder, with how
// long it took. Needs a build, ffmpeg and ../shared/video. `node tools/video-proofs.mjs FOLDER [name…]`
import { join } from 'node:path';
import { runProofs } from './run-proofs.mjs';

const node = (...words) => ['node', ...words];

await runProofs((folder) => ({
  unchanged: ['nothing but the pictures changes', node('tools/video-proof.mjs')],
  kills: ['20 kills at random moments, then --resume', node('tools/video-kills.mjs', '20')],
  failures: ['what happens when a run fails', node('tools/video-failures.mjs')],
  memory: ['memory over 10 000 frames', node('tools/video-memory.mjs', '10000', '320x180', join(folder, 'memory.svg'))],
  flicker: ['flicker of still pictures', node('tools/video-flicker.mjs', 'tiny-x2', 'tiny-real-x2')],
  clean: ['beside bicubic, clips reduced cleanly', node('tools/video-quality.mjs', 'tiny-x2,tiny-real-x2', '8')],
  degraded: [
    'beside bicubic, noisy and compressed',
    node('tools/video-quality.mjs', 'tiny-x2,tiny-real-x2', '4', 'degraded'),
  ],
  conversion: ['cost of conversion and transport', node('dist/bench/video-frames.js')],
  way: ['cost of the way through the filter at 1080p', node('dist/bench/video-pipeline.js', 'veryfast')],
}));

import { basename } from 'node:path';
import type { FrameLayout } from '../core/index.js';
import { decode } from '../ffmpeg-filter/pipeline/decode.js';

/**
 * How much of clips need not be computed twice: frames that equal the one before byte for byte, and tiles of 128 pixels, with
 * the 32 pixels around them that a tile of the engine reads, that do so in all planes.
 *
 *     npm run bench -- still-frames clip …
 */
const [tile, margin] = [128, 32];

/** Whether a tile with its margin is the same in two frames. */
function isSameTile(
  layout: FrameLayout,
  frames: readonly [Uint8Array, Uint8Array],
  column: number,
  row: number,
): boolean {
  const { width, height, bytesPerSample } = layout;
  return layout.planes.every((plane) => {
    const [scaleX, scaleY] = [plane.width / width, plane.height / height];
    const step = plane.channels.length * bytesPerSample;
    const [left, right] = [column * tile - margin, (column + 1) * tile + margin].map((x) =>
      Math.min(plane.width, Math.max(0, Math.floor(x * scaleX))),
    );
    const [top, bottom] = [row * tile - margin, (row + 1) * tile + margin].map((y) =>
      Math.min(plane.height, Math.max(0, Math.floor(y * scaleY))),
    );
    for (let y = top ?? 0; y < (bottom ?? 0); y++) {
      const at = plane.offset + y * plane.width * step;
      const [from, to] = [at + (left ?? 0) * step, at + (right ?? 0) * step];
      const [one, other] = frames.map((frame) => frame.subarray(from, to));
      if (one !== undefined && other !== undefined && Buffer.compare(one, other) !== 0) {
        return false;
      }
    }
    return true;
  });
}

console.log('| clip | frames | the same as before | tiles that are, of other frames |');
console.log('|---|---:|---:|---:|');
for (const clip of process.argv.slice(2)) {
  const raw = ['-map', '0:V:0', '-fps_mode', 'passthrough', '-c:v', 'rawvideo', '-f', 'nut', 'pipe:1'];
  const stream = await decode({ program: 'ffmpeg', args: ['-nostdin', '-v', 'error', '-i', clip, ...raw] });
  const { layout } = stream;
  const [columns, rows] = [Math.ceil(layout.width / tile), Math.ceil(layout.height / tile)];
  const counts = { frames: 0, same: 0, tiles: 0, sameTiles: 0 };
  let before: Uint8Array | undefined;
  for await (const { data } of stream.frames) {
    counts.frames += 1;
    if (before !== undefined && Buffer.compare(before, data) === 0) {
      counts.same += 1;
    } else if (before !== undefined) {
      for (let index = 0; index < columns * rows; index++) {
        counts.tiles += 1;
        counts.sameTiles += isSameTile(layout, [before, data], index % columns, Math.floor(index / columns)) ? 1 : 0;
      }
    }
    before = data;
  }
  const percent = (part: number, whole: number): string => `${((100 * part) / Math.max(1, whole)).toFixed(1)} %`;
  const shares = [percent(counts.same, counts.frames), percent(counts.sameTiles, counts.tiles)];
  console.log(`| ${basename(clip)} | ${counts.frames} | ${shares.join(' | ')} |`);
}

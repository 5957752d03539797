// Writes a large generated image row by row and prints time, peak memory and temporary disk use. Run after a build:
//   node tools/measure-image-writer.mjs [format] [width] [height] [depth] [channels]
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openImageWriter } from '../dist/core/image/write-image.js';

const [format = 'png', width = 20000, height = 10000, depth = 8, channels = 3] = process.argv
  .slice(2)
  .map((argument) => (/^\d+$/.test(argument) ? Number(argument) : argument));
const folder = mkdtempSync(join(tmpdir(), 'mambair-measure-'));
const path = join(folder, `image.${format}`);
const megabytes = (bytes) => Math.round(bytes / 2 ** 20);
const peak = () => Math.round(process.resourceUsage().maxRSS / 1024);

const rowsAtOnce = 64;
const data = new (depth === 16 ? Uint16Array : Uint8Array)(width * rowsAtOnce * channels);
for (let i = 0; i < data.length; i++) {
  // a slope with a little noise, so that it compresses like a photo and not like a test picture
  data[i] = ((i % (width * channels)) / 97 + (Math.imul(i, 2654435761) >>> 28)) * (depth === 16 ? 257 : 1);
}
const before = peak();
let disk = 0;
const watch = setInterval(() => {
  disk = Math.max(disk, ...[readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)]);
}, 20);
const started = performance.now();
const cpu = process.cpuUsage();
try {
  const writer = await openImageWriter(path, { width, height, channels, depth, format, background: [0, 0, 0] });
  for (let y = 0; y < height; y += rowsAtOnce) {
    const rows = Math.min(rowsAtOnce, height - y);
    await writer.sink.write({ width, height: rows, channels, data: data.subarray(0, width * rows * channels) });
  }
  const written = performance.now();
  await writer.finish();
  const { user, system } = process.cpuUsage(cpu);
  console.log(
    JSON.stringify({
      format,
      megapixels: (width * height) / 1e6,
      depth,
      channels,
      rowsSeconds: Number(((written - started) / 1000).toFixed(2)),
      encodeSeconds: Number(((performance.now() - written) / 1000).toFixed(2)),
      cpuSeconds: Number(((user + system) / 1e6).toFixed(1)),
      peakMegabytes: peak(),
      peakBeforeMegabytes: before,
      rowsOnDiskMegabytes: megabytes(width * height * channels * (depth / 8)),
      diskMegabytes: megabytes(disk),
      fileMegabytes: megabytes(statSync(path).size),
    }),
  );
} finally {
  clearInterval(watch);
  rmSync(folder, { recursive: true, force: true });
}

import { createFrameConverter } from '../core/video/frame-converter.js';
import { frameLayout, pixelFormat } from '../core/video/pixel-format.js';
import { readNut } from '../ffmpeg-filter/transport/read-nut.js';
import type { VideoFrame } from '../ffmpeg-filter/transport/video-stream.js';
import { writeNut } from '../ffmpeg-filter/transport/write-nut.js';

/**
 * What video costs beside the network, at 1920×1080 on one thread: conversion to RGB and back, and NUT through reader and
 * writer in chunks as pipes deliver them. CPU time, so that other programs matter little.
 *
 *     npm run bench -- video-frames
 */
const [width, height] = [1920, 1080];
const repeats = 20;

/** CPU milliseconds of one call. */
async function cost(action: () => Promise<void> | void): Promise<number> {
  for (let warm = 0; warm < 5; warm++) {
    await action();
  }
  const before = process.cpuUsage();
  for (let turn = 0; turn < repeats; turn++) {
    await action();
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / repeats;
}

console.log('| format | to RGB, ms | from RGB, ms | both, row by row, ms | NUT read and write, ms |');
console.log('|---|---:|---:|---:|---:|');
for (const name of ['yuv420p', 'yuv420p10le', 'yuv422p10le', 'yuv444p', 'gbrp', 'bgra']) {
  const format = pixelFormat(name);
  const layout = frameLayout(format, width, height);
  const converter = await createFrameConverter(layout, { matrix: 'bt709', range: 'limited', chromaLocation: 'left' });
  const frame = (converter.allocate() ?? new Uint8Array(layout.bytes)).fill(1);
  const rgb = converter.toRgb(frame);
  const to = await cost(() => void converter.toRgb(frame));
  const from = await cost(() => converter.fromRgb(rgb, frame));
  const back = converter.allocate() ?? new Uint8Array(layout.bytes);
  const pass = await cost(() => converter.pass(frame, back));
  const header = { pixelFormat: format, width, height, timeBase: [1, 25] as const };
  async function* pipe(frames: AsyncIterable<VideoFrame> | Iterable<VideoFrame>): AsyncGenerator<Uint8Array> {
    for await (const bytes of writeNut(header, frames)) {
      for (let at = 0; at < bytes.length; at += 65536) {
        yield bytes.subarray(at, at + 65536);
      }
    }
  }
  const transport = await cost(async () => {
    const { frames } = await readNut(pipe([{ pts: 0, data: frame }]));
    for await (const { data } of frames) {
      frame.set(data);
    }
  });
  const figures = [to, from, pass, transport];
  console.log(`| ${name} | ${figures.map((figure) => figure.toFixed(1)).join(' | ')} |`);
}

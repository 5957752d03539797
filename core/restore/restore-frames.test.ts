import { describe, expect, it } from '@jest/globals';
import { fakeNetwork, mapPixels, repeatNetwork } from '../../test/fake-networks.js';
import { below, seededRandom } from '../../test/mutate.js';
import { isMambairError } from '../errors.js';
import { frameLayout, pixelFormat } from '../video/pixel-format.js';
import type { FrameLayout } from '../video/pixel-format.js';
import type { RestoreOptions } from './options.js';
import { createFrameRestorer } from './restore-frames.js';

const random = seededRandom(1);
const options: RestoreOptions = { tile: 'auto', routing: 'argmax' };
const colour = { matrix: 'bt709', range: 'limited', chromaLocation: 'left' } as const;

function randomFrame(layout: FrameLayout): Uint8Array {
  const frame = new Uint8Array(layout.bytes);
  const codes = layout.bytesPerSample === 1 ? frame : new Uint16Array(frame.buffer);
  for (let at = 0; at < codes.length; at++) {
    codes[at] = below(random, 2 ** layout.format.depth);
  }
  return frame;
}

/** Every sample of every plane `scale` times as wide and high. */
function repeated(layout: FrameLayout, frame: Uint8Array, target: FrameLayout, scale: number): Uint8Array {
  const result = new Uint8Array(target.bytes);
  for (const [index, to] of target.planes.entries()) {
    const from = layout.planes[index];
    const pixelBytes = to.channels.length * layout.bytesPerSample;
    for (let at = 0; at < to.width * to.height * pixelBytes; at++) {
      const [pixel, byte] = [Math.floor(at / pixelBytes), at % pixelBytes];
      const [y, x] = [Math.floor(Math.floor(pixel / to.width) / scale), Math.floor((pixel % to.width) / scale)];
      result[to.offset + at] = frame[(from?.offset ?? 0) + (y * (from?.width ?? 0) + x) * pixelBytes + byte] ?? 0;
    }
  }
  return result;
}

describe('createFrameRestorer', () => {
  it.each(['yuv420p', 'yuv420p10le', 'yuv444p16le', 'yuva420p', 'gray16le', 'gbrp10le', 'bgra', 'yuv411p'])(
    'gives back what a network leaves alone, bit for bit, whole and in tiles: %s',
    async (name) => {
      for (const channels of [3, 1]) {
        for (const tile of ['auto', 32] as const) {
          const layout = frameLayout(pixelFormat(name), 67, 45);
          const restorer = await createFrameRestorer(repeatNetwork({ channels }), layout, colour, {
            ...options,
            tile,
            overlap: 8,
          });
          const frame = randomFrame(layout);
          const before = frame.slice();
          const result = await restorer.restore(frame);
          expect(Buffer.compare(result, before)).toBe(0);
          expect(Buffer.compare(frame, before)).toBe(0);
        }
      }
    },
  );

  it.each(['yuv444p', 'yuva444p10le', 'gbrap', 'bgra', 'gray'])('repeats pixels at ×2, alpha too: %s', async (name) => {
    const layout = frameLayout(pixelFormat(name), 9, 7);
    const restorer = await createFrameRestorer(repeatNetwork({ scale: 2 }), layout, colour, options);
    expect([restorer.layout.width, restorer.layout.height]).toEqual([18, 14]);
    const frame = randomFrame(layout);
    const result = await restorer.restore(frame);
    expect(Buffer.compare(result, repeated(layout, frame, restorer.layout, 2))).toBe(0);
  });

  it('keeps opaque alpha opaque without asking the network', async () => {
    const layout = frameLayout(pixelFormat('rgba'), 5, 4);
    const network = repeatNetwork({ scale: 2 });
    const restorer = await createFrameRestorer(network, layout, colour, options);
    const result = await restorer.restore(new Uint8Array(layout.bytes).fill(255));
    expect(result.every((byte) => byte === 255)).toBe(true);
    expect(network.runs).toHaveLength(1);
  });

  it('gives the network values from 0 to 1, and applies what it changes', async () => {
    const layout = frameLayout(pixelFormat('gray'), 3, 1);
    const network = fakeNetwork({ compute: (input) => mapPixels(input, 1, (pixel) => pixel - 0.1) });
    const restorer = await createFrameRestorer(network, layout, colour, options);
    // limited range: 255 is whiter than white; a tenth of the range is 21.9 codes
    expect(Array.from(await restorer.restore(Uint8Array.of(0, 126, 255)))).toEqual([0, 104, 233]);
    expect(Math.max(...(network.runs[0]?.input.data ?? []))).toBe(1);
    expect(Math.min(...(network.runs[0]?.input.data ?? []))).toBe(0);
  });

  it('takes frames in turn, and goes on after one that failed', async () => {
    const layout = frameLayout(pixelFormat('yuv420p'), 8, 8);
    const restorer = await createFrameRestorer(repeatNetwork(), layout, colour, options);
    const frames = [randomFrame(layout), new Uint8Array(3), randomFrame(layout)];
    const results = await Promise.allSettled(frames.map((frame) => restorer.restore(frame)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    const values = results.map((result) => (result.status === 'fulfilled' ? result.value : result.reason));
    expect(values[0]).toEqual(frames[0]);
    expect(isMambairError(values[1], 'MAMBAIR_OPTION_INVALID')).toBe(true);
    expect(values[2]).toEqual(frames[2]);
  });
});

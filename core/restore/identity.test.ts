import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '../../test/mutate.js';
import { frameLayout, pixelFormat } from '../video/pixel-format.js';
import { createIdentityNetwork, createIdentityRestorer } from './identity.js';
import { restoreImage } from './restore-image.js';

const colour = { matrix: 'bt709', range: 'limited', chromaLocation: 'left' } as const;
const random = seededRandom(3);
const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => random() * 256);

describe('identity', () => {
  it('gives back every byte of frames, alpha included', async () => {
    for (const name of ['yuv420p', 'yuv422p', 'yuva420p', 'bgra', 'gray', 'ya8', 'gbrap', 'yuv411p']) {
      const layout = frameLayout(pixelFormat(name), 19, 7);
      const frame = bytes(layout.bytes);
      const restorer = await createIdentityRestorer(1, layout, colour);
      expect([name, Buffer.compare(await restorer.restore(frame), frame)]).toEqual([name, 0]);
    }
  });

  it('repeats pixels of frames at ×2', async () => {
    for (const name of ['gray', 'gbrap', 'rgba', 'rgba64le', 'gbrap16le']) {
      const layout = frameLayout(pixelFormat(name), 3, 2);
      const frame = bytes(layout.bytes);
      const restorer = await createIdentityRestorer(2, layout, { ...colour, range: 'full' });
      const target = restorer.layout;
      const result = await restorer.restore(frame);
      const sample = (of: typeof layout, data: Uint8Array, plane: number, x: number, y: number): string => {
        const { channels, offset } = of.planes[plane]!;
        const size = channels.length * of.bytesPerSample;
        const at = offset + (y * of.width + x) * size;
        return data.subarray(at, at + size).toString();
      };
      for (const plane of layout.planes.keys()) {
        for (let at = 0; at < 24; at++) {
          const [x, y] = [at % 6, Math.floor(at / 6)];
          expect(sample(target, result, plane, x, y)).toBe(sample(layout, frame, plane, x >> 1, y >> 1));
        }
      }
    }
  });

  it('gives back pictures of any depth and any number of channels', async () => {
    for (const channels of [1, 2, 3, 4] as const) {
      const eight = { width: 9, height: 5, channels, data: bytes(45 * channels) };
      const sixteen = { ...eight, data: Uint16Array.from(eight.data, (value) => value * 257 + (value % 3)) };
      for (const image of [eight, sixteen]) {
        const options = { tile: 'auto', routing: 'seeded' } as const;
        expect((await restoreImage(createIdentityNetwork(1), image, options)).data).toEqual(image.data);
      }
    }
  });

  it('stops when it is told to', async () => {
    const layout = frameLayout(pixelFormat('gray'), 2, 2);
    const restorer = await createIdentityRestorer(1, layout, colour, AbortSignal.abort());
    await expect(restorer.restore(new Uint8Array(4))).rejects.toMatchObject({ code: 'MAMBAIR_CANCELLED' });
  });
});

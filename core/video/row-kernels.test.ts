import { describe, expect, it } from '@jest/globals';
import { below, seededRandom } from '../../test/mutate.js';
import { bytePass, bytePassWords } from './byte-pass.js';
import { frameLayout, pixelFormat } from './pixel-format.js';
import { ringRows } from './conversion.js';
import { loadRowKernels } from './row-kernels.js';

describe('the two builds of the row kernels', () => {
  it.each(['yuv420p', 'yuv444p'])('take a frame of %s through the same bytes', async (name) => {
    const layout = frameLayout(pixelFormat(name), 83, 37);
    const random = seededRandom(3);
    const codes = Uint8Array.from({ length: layout.bytes }, () => below(random, 256));
    const rowBytes = 512;
    const rows = 16 * Math.ceil((1024 + layout.bytes) / 16) + 64;
    const table = rows + rowBytes * (4 + 2 * ringRows);
    const memories = await Promise.all(
      (['plain', 'relaxed'] as const).map(async (build) => {
        const { kernels, memory } = await loadRowKernels(table + 4 * bytePassWords(layout), build);
        new Uint8Array(memory, 1024, layout.bytes).set(codes);
        const pass = bytePass({
          layout,
          colour: { matrix: 'bt2020nc', range: 'full', chromaLocation: 'center' },
          kernels,
          frame: 1024,
          rgb: 0,
          row: (index) => rows + 32 + index * rowBytes,
          table: new Int32Array(memory, table, bytePassWords(layout)),
        });
        pass?.(1024, 1024);
        return Buffer.from(memory);
      }),
    );
    expect(memories[0]?.subarray(1024, 1024 + layout.bytes)).toEqual(Buffer.from(codes));
    // What lies between, too: rows of chroma on their way back.
    expect(Buffer.compare(memories[0]!, memories[1]!)).toBe(0);
  });
});

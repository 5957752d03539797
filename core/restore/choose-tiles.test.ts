import { describe, expect, it } from '@jest/globals';
import { repeatNetwork } from '../../test/fake-networks.js';
import { chooseTiles } from './choose-tiles.js';
import { largestTile, tileCount } from './tile-plan.js';

const network = repeatNetwork({ channels: 1, scale: 2, bytesPerPixel: 1000 });
const size = { height: 600, width: 400 };
const common = { routing: 'seeded', channels: 1 } as const;

describe('chooseTiles', () => {
  it('prefers the whole picture where it fits', () => {
    const plan = chooseTiles(network, size, { tile: 'auto', ...common });
    expect(tileCount(plan)).toBe(1);
  });

  it('takes the largest tiles that fit the memory, network and rows together', () => {
    const memoryBytes = 30e6;
    const plan = chooseTiles(network, size, { tile: 'auto', memoryBytes, ...common });
    const { height, width } = largestTile(plan);
    const bytes = 1000 * height * width + 4 * height * width * 5 + 4 * height * size.width * 4;
    expect(bytes).toBeLessThanOrEqual(memoryBytes);
    expect(bytes).toBeGreaterThan(memoryBytes / 2);
    expect([height % 16, width % 16]).toEqual([0, 0]);
  });

  it('ends for every size, whatever fits', () => {
    for (let width = 33; width < 100; width += 1) {
      for (const memoryBytes of [1e6, 2e6, 3e6, 4e6]) {
        const plan = chooseTiles(network, { height: 40, width }, { tile: 'auto', memoryBytes, ...common });
        expect(largestTile(plan).width).toBeLessThanOrEqual(width);
      }
    }
  });

  it('uses the smallest tiles and says so when even they do not fit', () => {
    const warnings: string[] = [];
    const warn = (code: string): number => warnings.push(code);
    const plan = chooseTiles(network, size, { tile: 'auto', memoryBytes: 1000, warn, ...common });
    expect(largestTile(plan)).toEqual({ height: 32, width: 32 });
    expect(warnings).toEqual(['MAMBAIR_OUT_OF_MEMORY']);
  });

  it.each(['whole', 4096] as const)('never plans %s beyond what the executor can address, and says so', (tile) => {
    const huge = { height: 4000, width: 4000 };
    const warnings: string[] = [];
    const warn = (code: string): number => warnings.push(code);
    const plan = chooseTiles(network, huge, { tile, warn, ...common });
    const { height, width } = largestTile(plan);
    expect(height * width * 1000).toBeLessThanOrEqual(2 ** 30);
    expect(height * width * 1000).toBeGreaterThan(2 ** 28);
    expect(warnings).toEqual(['MAMBAIR_OUT_OF_MEMORY']);
  });

  it('keeps the tiles that were asked for, whatever the memory', () => {
    const plan = chooseTiles(network, size, { tile: 256, overlap: 16, memoryBytes: 1000, ...common });
    expect(largestTile(plan)).toEqual({ height: 224, width: 208 });
  });

  it('narrows an overlap that is too wide for the tiles that fit', () => {
    const plan = chooseTiles(network, size, { tile: 'auto', overlap: 200, memoryBytes: 5e6, ...common });
    expect(tileCount(plan)).toBeGreaterThan(1);
  });
});

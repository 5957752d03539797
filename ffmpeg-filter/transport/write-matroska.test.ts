import { describe, expect, it } from '@jest/globals';
import { pixelFormat } from '../../core/index.js';
import { codeOf, gather, randomFrame } from '../../test/video-streams.js';
import type { Rational, VideoHeader } from './video-stream.js';
import { fitsMatroska, writeMatroska } from './write-matroska.js';

const small: VideoHeader = {
  ...{ pixelFormat: pixelFormat('gray'), width: 2, height: 2 },
  ...{ timeBase: [1, 25], frameRate: [25, 1] },
};
const light = { maxContent: 1000, maxAverage: 400 };
const hexOf = async (header: VideoHeader, times: readonly number[]): Promise<string> => {
  const frames = times.map((pts) => randomFrame(header, pts, 1));
  return Buffer.from(await gather(writeMatroska(header, { light }, frames))).toString('hex');
};

describe('Matroska', () => {
  it('is one segment without an end, with the light of the film and one cluster a frame', async () => {
    const hex = await hexOf(small, [0, 1]);
    expect(hex.startsWith('1a45dfa3')).toBe(true);
    expect(hex).toContain('1853806701ffffffffffffff1549a966');
    // Levels of 1000 and 400, and nothing of matrix, range, transfer and primaries.
    expect(hex).toMatch(/55b0010000000000001855bc010000000000000203e855bd01000000000000020190/);
    expect(hex).not.toMatch(/55(b1|b9|ba|bb|d0)01/);
    expect(hex.match(/1f43b675/g)).toHaveLength(2);
    // 40 ms.
    expect(hex).toContain('e7010000000000000402625a00');
    expect(hex.endsWith(Buffer.from(randomFrame(small, 1, 1).data).toString('hex'))).toBe(true);
  });

  it('says that nothing is known of the shape of pixels', async () => {
    expect(await hexOf(small, [])).toContain('54b2010000000000000104');
    expect(await hexOf({ ...small, sampleAspectRatio: [4, 3] }, [])).toContain('54b2010000000000000103');
  });

  it.each([
    [[24, 1], true],
    [[24_000, 1001], true],
    [[30_000, 1001], true],
    [[60, 1], true],
    [[12_345, 500], true],
    // These would come back as 19001/317, and as guesses.
    [[60_000, 1001], false],
    [[2, 1], false],
    [[1000, 1], false],
  ] as const)('carries %j frames a second: %s', (frameRate: Rational, isCarried) => {
    expect(fitsMatroska({ ...small, frameRate })).toBe(isCarried);
  });

  it('carries no ticks of nanoseconds, nor an unknown rate', () => {
    expect(fitsMatroska({ ...small, timeBase: [1, 1_000_000] })).toBe(true);
    expect(fitsMatroska({ ...small, timeBase: [1, 1_000_000_000] })).toBe(false);
    const { frameRate: _, ...unknown } = small;
    expect(fitsMatroska(unknown)).toBe(false);
  });

  it('refuses what it cannot hold', async () => {
    expect(await codeOf(hexOf(small, [-1]))).toBe('MAMBAIR_VIDEO_UNSUPPORTED');
    expect(await codeOf(hexOf(small, [2 ** 53]))).toBe('MAMBAIR_VIDEO_UNSUPPORTED');
    expect(await codeOf(hexOf(small, [2 ** 52]))).toBe('MAMBAIR_VIDEO_UNSUPPORTED');
    const short = [{ pts: 0, data: new Uint8Array(3) }];
    expect(await codeOf(gather(writeMatroska(small, {}, short)))).toBe('MAMBAIR_OPTION_INVALID');
  });
});

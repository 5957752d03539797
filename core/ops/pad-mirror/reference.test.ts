import { describe, expect, it } from '@jest/globals';
import { mirrorIndex, padMirrorReference, paddedSize } from './reference.js';

describe('mirrored padding', () => {
  it('repeats the edge, and goes on for as long as it must', () => {
    expect(Array.from({ length: 9 }, (_, position) => mirrorIndex(position, 3))).toEqual([0, 1, 2, 2, 1, 0, 0, 1, 2]);
    expect(mirrorIndex(15, 1)).toBe(0);
  });

  it('adds nothing to a multiple', () => {
    expect([paddedSize(16, 16), paddedSize(17, 16), paddedSize(1, 16)]).toEqual([16, 32, 16]);
  });

  it('extends at the bottom and right only', () => {
    const image = { height: 1, width: 2, channels: 1, data: Float64Array.of(1, 2) };
    const rows = [1, 2, 2];
    expect(padMirrorReference(image, 3)).toEqual({
      height: 3,
      width: 3,
      channels: 1,
      data: Float64Array.of(...rows, ...rows, ...rows),
    });
  });
});

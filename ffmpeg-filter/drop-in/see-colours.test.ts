import { describe, expect, it } from '@jest/globals';
import { readPictureLine } from './see-colours.js';

const untold = { range: undefined, space: undefined, transfer: undefined, primaries: undefined };

describe('readPictureLine', () => {
  it.each([
    [
      'yuv420p10le(pc, bt2020nc/bt2020/smpte2084, progressive, topleft)',
      'yuv420p10le',
      { range: 'pc', space: 'bt2020nc', primaries: 'bt2020', transfer: 'smpte2084', chromaLocation: 'topleft' },
    ],
    [
      'yuv420p(tv, bt709)',
      'yuv420p',
      { ...untold, range: 'tv', space: 'bt709', primaries: 'bt709', transfer: 'bt709' },
    ],
    ['gbrp10le(10 bpc, gbr/unknown/unknown, top first)', 'gbrp10le', { ...untold, space: 'gbr' }],
    ['gray, 8x8', undefined, untold],
  ])('reads %s', (text, pixelFormat, colour) => {
    expect(readPictureLine(`  Stream #0:0(und): Video: wrapped_avframe, 1 reference frame, ${text}, 160x96`)).toEqual({
      pixelFormat,
      colour: { chromaLocation: undefined, ...colour },
    });
  });

  it('is not taken in by other lines', () => {
    expect(readPictureLine('  Stream #0:0: Audio: pcm_s16le, 48000 Hz')).toBeUndefined();
    expect(readPictureLine("Output #0, null, to 'pipe:':")).toBeUndefined();
  });
});

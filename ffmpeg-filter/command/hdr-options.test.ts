import { describe, expect, it } from '@jest/globals';
import { hdr10Data } from '../../test/hdr10-data.js';
import { hdrOption, lostHdr, sayHdrLoss, staticHdr } from './hdr-options.js';

const [display, light] = hdr10Data;
const hdr = { display, light };
const x265Display = 'master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)';

describe('HDR10 data', () => {
  it('is written in each encoder’s units', () => {
    expect(hdrOption('libx265', hdr, { chromaLocation: 'topleft' })).toEqual([
      'x265-params',
      `hdr10=1:repeat-headers=1:${x265Display}:max-cll=1000,400:chromaloc=2`,
    ]);
    expect(hdrOption('libsvtav1', hdr)).toEqual([
      'svtav1-params',
      'mastering-display=G(0.265,0.69)B(0.15,0.06)R(0.68,0.32)WP(0.3127,0.329)L(1000,0.0001):content-light=1000,400',
    ]);
    expect(hdrOption('libx264', hdr, { chromaLocation: 'left' })).toBeUndefined();
    expect(hdrOption('libx265', staticHdr([]), { chromaLocation: 'left' })).toBeUndefined();
  });

  it.each([
    ['max-cll=10,4:crf=20', `hdr10=1:repeat-headers=1:${x265Display}:chromaloc=1`],
    ['master_display=G(1,1)', 'hdr10=1:repeat-headers=1:max-cll=1000,400:chromaloc=1'],
    ['repeat-headers=0:hdr=1', `${x265Display}:max-cll=1000,400:chromaloc=1`],
    ['no-repeat-headers=1:chromaloc=0', `hdr10=1:${x265Display}:max-cll=1000,400`],
    // As x265 turns HDR10 on for each of its values, it gets none of them.
    ['hdr10=0', 'chromaloc=1'],
    ['no-hdr10=1:log-level=error', 'chromaloc=1'],
    ['--nohdr10=true', 'chromaloc=1'],
    ['no-hdr10=0', `repeat-headers=1:${x265Display}:max-cll=1000,400:chromaloc=1`],
    // In quotes it is a value.
    ["log-file='a:hdr10=0'", `hdr10=1:repeat-headers=1:${x265Display}:max-cll=1000,400:chromaloc=1`],
  ])('leaves to the user what stands in "%s"', (given, ours) => {
    expect(hdrOption('libx265', hdr, { chromaLocation: 'center', given })).toEqual(['x265-params', ours]);
  });

  it('is found among other side data, the whole display first', () => {
    const part = { side_data_type: 'Mastering display metadata', max_luminance: '10000000/10000' };
    expect(staticHdr([{ side_data_type: 'Display Matrix' }, part, display, light])).toEqual(hdr);
    expect(hdrOption('libx265', staticHdr([part, light]))?.[1]).toBe('hdr10=1:repeat-headers=1:max-cll=1000,400');
    expect(sayHdrLoss(lostHdr('libx265', staticHdr([part, light])))).toContain('incomplete mastering display');
    expect(staticHdr([{ side_data_type: 'Mastering display metadata', red_x: '64/100' }]).display).toBeUndefined();
  });

  it('is said to be lost where it is', () => {
    expect(sayHdrLoss(lostHdr('libx265', hdr))).toBeUndefined();
    expect(sayHdrLoss(lostHdr('libx264', staticHdr([])))).toBeUndefined();
    expect(sayHdrLoss(lostHdr('libx264', hdr))).toContain("HDR10's mastering display and light levels");
    expect(sayHdrLoss(lostHdr(undefined, { ...hdr, display: undefined }))).toContain("HDR10's light levels");
  });
});

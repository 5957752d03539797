import { describe, expect, it } from '@jest/globals';
import { codeOf } from '../../test/video-streams.js';
import { containerOf, streamFate } from './container.js';
import { chooseEncoder, keepingFormat, readEncoderFormats, type EncoderWish } from './encoders.js';

const known: Readonly<Record<string, string>> = {
  libx264: 'yuv420p yuvj420p yuv422p yuv444p nv12 yuv420p10le yuv422p10le yuv444p10le gray gray10le',
  libx265: 'yuv420p yuv422p yuv444p gbrp yuv420p10le yuv420p12le gray gray10le gray12le',
  libx264rgb: 'bgr0 bgr24 rgb24',
  ffv1: 'yuv420p yuva420p bgr0 bgra yuv420p16le yuva444p10le gray16le gbrp10le gbrp16le rgb48le',
  prores_ks: 'yuv422p10le yuv444p10le yuva444p10le',
  png: 'rgb24 rgba rgb48be rgba64be pal8 gray ya8 gray16be',
  'libvpx-vp9': 'yuv420p yuva420p yuv420p10le gbrp',
  libsvtav1: 'yuv420p yuv420p10le',
  mjpeg: 'yuvj420p yuvj422p yuvj444p',
};
const formatsOf = async (encoder: string) => known[encoder]?.split(' ');
const wish = (name: string, pixelFormat: string, more: Partial<EncoderWish> = {}): EncoderWish => ({
  container: containerOf(name),
  pixelFormat,
  width: 640,
  height: 360,
  sourceCodec: 'h264',
  ...more,
});

describe('choosing an encoder', () => {
  it.each([
    ['a.mp4', 'yuv420p', 'libx264 yuv420p'],
    ['a.mp4', 'yuv420p10le', 'libx264 yuv420p10le'],
    ['a.mp4', 'yuv420p12le', 'libx265 yuv420p12le'],
    ['a.mp4', 'bgr0', 'libx265 gbrp'],
    ['a.mp4', 'gray', 'libx264 gray'],
    ['a.mkv', 'yuva444p10le', 'ffv1 yuva444p10le'],
    ['a.mkv', 'yuv420p16le', 'ffv1 yuv420p16le'],
    ['a.mkv', 'yuv420p9le', 'libx264 yuv420p10le'],
    ['a.webm', 'yuva420p', 'libvpx-vp9 yuva420p'],
    ['a.mov', 'rgba64le', 'png rgba64be'],
    ['a.mov', 'bgra', 'png rgba'],
    ['a.nut', 'gbrp16le', 'ffv1 gbrp16le'],
  ])('for %s and %s takes %s', async (name, pixelFormat, expected) => {
    const { encoder, pixelFormat: taken, loss } = await chooseEncoder(wish(name, pixelFormat), formatsOf);
    expect(`${encoder} ${taken}`).toBe(expected);
    expect(loss).toBeUndefined();
  });

  it.each([
    ['a.mkv', 'yuv420p10le', 'libx265 yuv420p10le'],
    ['a.mp4', 'yuv420p12le', 'libx265 yuv420p12le'],
    ['a.webm', 'yuv420p10le', 'libsvtav1 yuv420p10le'],
    ['a.mkv', 'yuva444p10le', 'ffv1 yuva444p10le'],
    ['a.avi', 'yuv420p10le', 'libx264 yuv420p10le'],
  ])('for HDR10, %s and %s takes %s', async (name, pixelFormat, expected) => {
    const { encoder, pixelFormat: taken } = await chooseEncoder(wish(name, pixelFormat, { hasHdr: true }), formatsOf);
    expect(`${encoder} ${taken}`).toBe(expected);
  });

  it('stays with ProRes, and says what its encoder cannot keep', async () => {
    const prores = { sourceCodec: 'prores', sourceProfile: '4444' };
    const choice = await chooseEncoder(wish('a.mov', 'yuva444p12le', prores), formatsOf);
    expect(choice).toMatchObject({ encoder: 'prores_ks', pixelFormat: 'yuva444p10le' });
    expect(choice.loss).toContain('12 bits become 10');
  });

  it('knows codecs by their usual names, and the user’s word on quality and pixels', async () => {
    expect(await chooseEncoder(wish('a.mkv', 'yuv420p', { codec: 'AV1', crf: 30 }), formatsOf)).toMatchObject({
      encoder: 'libsvtav1',
      options: [['crf', '30']],
    });
    const { options } = await chooseEncoder(wish('a.mkv', 'yuv420p', { codec: 'h264', hasQuality: true }), formatsOf);
    expect(options).toEqual([]);
    const lossy = await chooseEncoder(wish('a.mp4', 'yuva444p10le', { chosenFormat: 'yuv420p' }), formatsOf);
    expect(lossy.loss).toBe('yuva444p10le → yuv420p: 10 bits become 8, transparency is lost, chroma gets smaller');
  });

  it.each([
    [wish('a.mp4', 'yuva420p'), 'MAMBAIR_VIDEO_UNSUPPORTED'],
    [wish('a.mp4', 'yuv420p', { codec: 'mjpeg' }), 'MAMBAIR_VIDEO_UNSUPPORTED'],
    [wish('a.mp4', 'yuv420p', { codec: 'nonsense' }), 'MAMBAIR_OPTION_INVALID'],
    [wish('a.mp4', 'yuv420p', { crf: 52 }), 'MAMBAIR_OPTION_INVALID'],
    [wish('a.nut', 'gbrp16le', { crf: 20 }), 'MAMBAIR_OPTION_INVALID'],
    [wish('a.mp4', 'yuv420p', { chosenFormat: 'gbrp12le', codec: 'h264' }), 'MAMBAIR_VIDEO_UNSUPPORTED'],
  ])('refuses what does not go: %#', async (asked, code) => {
    expect(await codeOf(chooseEncoder(asked, formatsOf))).toBe(code);
  });

  it('reads what ffmpeg says of its encoders', () => {
    expect(readEncoderFormats('Encoder x [y]:\n    Supported pixel formats: gray yuv420p\n')).toEqual([
      'gray',
      'yuv420p',
    ]);
    expect(readEncoderFormats('Encoder x [y]:\n')).toEqual([]);
    expect(readEncoderFormats("Codec 'x' is neither a decoder nor an encoder")).toBeUndefined();
  });

  it('takes no format that loses something', () => {
    expect(keepingFormat('yuv422p10le', ['yuv422p', 'yuv444p10le', 'yuv420p10le'])).toBeUndefined();
    expect(keepingFormat('gbrap16le', ['rgb48be', 'rgba64be'])).toBe('rgba64be');
    expect(keepingFormat('anything', [])).toBe('anything');
  });
});

describe('streams beside the video', () => {
  const stream = { kind: 'subtitle', codec: 'ass', codecTag: '', isCover: false } as const;

  it.each([
    [stream, 'a.mkv', 'copy'],
    [stream, 'a.mp4', 'convert'],
    [{ ...stream, codec: 'hdmv_pgs_subtitle' }, 'a.mp4', 'drop'],
    [{ ...stream, codec: 'mov_text' }, 'a.mkv', 'convert'],
    [{ ...stream, kind: 'attachment' as const, codec: 'ttf' }, 'a.mkv', 'copy'],
    [{ ...stream, kind: 'attachment' as const, codec: 'ttf' }, 'a.webm', 'drop'],
    [{ ...stream, kind: 'video' as const, codec: 'png', isCover: true }, 'a.ts', 'drop'],
    [{ ...stream, kind: 'data' as const, codec: 'bin_data', codecTag: 'text' }, 'a.mp4', 'rebuilt'],
    [{ ...stream, kind: 'data' as const, codec: 'none', codecTag: 'tmcd' }, 'a.mov', 'rebuilt'],
    [{ ...stream, kind: 'data' as const, codec: 'klv', codecTag: 'KLVA' }, 'a.mkv', 'drop'],
    [{ ...stream, kind: 'audio' as const, codec: 'aac' }, 'a.avi', 'copy'],
  ])('%j into %s: %s', (given, name, keep) => {
    expect(streamFate(given, containerOf(name), 'mp4').keep).toBe(keep);
  });
});

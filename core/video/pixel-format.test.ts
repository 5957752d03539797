import { describe, expect, it } from '@jest/globals';
import { isMambairError } from '../errors.js';
import { frameLayout, pixelFormat, pixelFormats } from './pixel-format.js';

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return isMambairError(error) ? error.code : undefined;
  }
  return undefined;
}

describe('pixel formats', () => {
  it('have names of their own, and as many channels as their names say', () => {
    expect(new Set(pixelFormats.map(({ name }) => name)).size).toBe(pixelFormats.length);
    for (const { name, planes } of pixelFormats) {
      const channels = planes.flat().length;
      expect([name, channels]).toEqual([
        name,
        /^(yuva|gbra|ya8|.*(rgb|bgr)[a0]|[a0](rgb|bgr))/.test(name)
          ? name === 'ya8'
            ? 2
            : 4
          : name.startsWith('gray')
            ? 1
            : 3,
      ]);
    }
  });

  it('round the size of subsampled chroma up', () => {
    const layout = frameLayout(pixelFormat('yuva420p10le'), 101, 57);
    expect(layout.planes.map(({ offset, width, height }) => [offset, width, height])).toEqual([
      [0, 101, 57],
      [11514, 51, 29],
      [14472, 51, 29],
      [17430, 101, 57],
    ]);
    expect(layout.bytes).toBe(28944);
    expect(frameLayout(pixelFormat('yuv411p'), 5, 3).bytes).toBe(15 + 2 * 6);
    expect(frameLayout(pixelFormat('bgr0'), 5, 3).bytes).toBe(60);
  });

  it('know the full-range names of older ffmpeg', () => {
    expect(pixelFormat('yuvj420p').name).toBe('yuv420p');
  });

  it('refuse what is not listed', () => {
    expect(codeOf(() => pixelFormat('gbrpf32le'))).toBe('MAMBAIR_VIDEO_UNSUPPORTED');
    expect(codeOf(() => frameLayout(pixelFormat('gray'), 0, 5))).toBe('MAMBAIR_VIDEO_UNSUPPORTED');
    expect(codeOf(() => frameLayout(pixelFormat('gray'), 5, 2 ** 21))).toBe('MAMBAIR_VIDEO_UNSUPPORTED');
  });
});

import { describe, expect, it } from '@jest/globals';
import { below, seededRandom } from '../../test/mutate.js';
import { isMambairError } from '../errors.js';
import { matrixForTag } from './colour.js';
import type { FrameColour } from './colour.js';
import { createFrameConverter } from './frame-converter.js';
import { frameLayout, pixelFormat, pixelFormats } from './pixel-format.js';
import type { FrameLayout } from './pixel-format.js';
import { fromRgbReference, toRgbReference } from './reference.js';

const matrices = ['bt709', 'bt470bg', 'smpte170m', 'fcc', 'smpte240m', 'bt2020nc'] as const;
const locations = ['left', 'center', 'topleft', 'top', 'bottomleft', 'bottom'] as const;
const ranges = ['limited', 'full'] as const;
const random = seededRandom(1);

/** Codes of equal probability: most are no colour that RGB can show. */
function randomFrame(layout: FrameLayout): Uint8Array {
  const frame = new Uint8Array(layout.bytes);
  const codes = layout.bytesPerSample === 1 ? frame : new Uint16Array(frame.buffer);
  for (let at = 0; at < codes.length; at++) {
    codes[at] = below(random, 2 ** layout.format.depth);
  }
  return frame;
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let most = 0;
  for (let at = 0; at < a.length; at++) {
    most = Math.max(most, Math.abs((a[at] ?? 0) - (b[at] ?? 0)));
  }
  return most;
};

/** Each format with all that changes its arithmetic; matrices take turns. */
function* cases(width: number, height: number): Generator<[FrameLayout, FrameColour]> {
  let turn = 0;
  for (const format of pixelFormats) {
    const isSubsampled = format.chromaShift.horizontal + format.chromaShift.vertical > 0;
    for (const range of ranges) {
      for (const chromaLocation of isSubsampled ? locations : (['left'] as const)) {
        const matrix = matrices[turn % matrices.length] ?? 'bt709';
        turn += 1;
        yield [frameLayout(format, width, height), { matrix, range, chromaLocation }];
      }
    }
  }
}

describe('frames to RGB and back', () => {
  it.each([
    [1, 1],
    [2, 2],
    [7, 3],
    [37, 18],
  ])(
    'gives back every code bit for bit, in every format, range and chroma location, at %d×%d',
    async (width, height) => {
      const changed: string[] = [];
      for (const [layout, colour] of cases(width, height)) {
        const converter = await createFrameConverter(layout, colour);
        const frame = randomFrame(layout);
        const back = frame.slice();
        for (const { channels, offset, width: columns, height: rows } of layout.planes) {
          if (channels.length === 1 && channels[0] !== 'a') {
            back.fill(0, offset, offset + columns * rows * layout.bytesPerSample);
          }
        }
        converter.fromRgb(converter.toRgb(frame).slice(), back);
        const passed = new Uint8Array(layout.bytes);
        converter.pass(frame, passed);
        if (!isSame(frame, back) || !isSame(frame, passed)) {
          changed.push(`${layout.format.name} ${Object.values(colour).join(' ')}`);
        }
      }
      expect(changed).toEqual([]);
    },
  );

  it.each([
    ['bt709', 'limited'],
    ['bt2020nc', 'full'],
  ] as const)('gives back all 2^24 codes of 8-bit 4:4:4 (%s, %s)', async (matrix, range) => {
    const layout = frameLayout(pixelFormat('yuv444p'), 1024, 1024);
    const converter = await createFrameConverter(layout, { matrix, range, chromaLocation: 'left' });
    const pixels = 1024 * 1024;
    const frame = Uint8Array.from({ length: layout.bytes }, (_, at) => (at < pixels ? at : at >> 8));
    const back = new Uint8Array(layout.bytes);
    for (let part = 0; part < 16; part++) {
      for (let at = 0; at < 16; at++) {
        frame.fill(part * 16 + at, 2 * pixels + at * 65536, 2 * pixels + (at + 1) * 65536);
      }
      converter.fromRgb(converter.toRgb(frame), back);
      expect(isSame(frame, back)).toBe(true);
      converter.pass(frame, back.fill(0));
      expect(isSame(frame, back)).toBe(true);
    }
  });

  it('passes the largest steps that 8 bits can make, which is where fixed point errs most', async () => {
    const changed: string[] = [];
    for (const name of ['yuv420p', 'yuv422p', 'yuv440p', 'yuv444p', 'yuv411p', 'yuv410p']) {
      for (const [matrix, chromaLocation, range] of matrices.flatMap((each) =>
        locations.flatMap((location) => ranges.map((one) => [each, location, one] as const)),
      )) {
        const layout = frameLayout(pixelFormat(name), 65, 33);
        const converter = await createFrameConverter(layout, { matrix, range, chromaLocation });
        const frame = Uint8Array.from({ length: layout.bytes }, () => (random() < 0.5 ? 0 : 255));
        const passed = new Uint8Array(layout.bytes);
        converter.pass(frame, passed);
        if (!isSame(frame, passed)) {
          changed.push(`${name} ${matrix} ${chromaLocation} ${range}`);
        }
      }
    }
    expect(changed).toEqual([]);
  });

  it('does so with room to spare: noise of 2^-20 on R, G, B changes no code of 16 bits', async () => {
    for (const matrix of matrices) {
      for (const chromaLocation of locations) {
        const layout = frameLayout(pixelFormat('yuv420p16le'), 65, 33);
        const converter = await createFrameConverter(layout, { matrix, range: 'full', chromaLocation });
        const frame = randomFrame(layout);
        const noisy = converter.toRgb(frame).map((value) => value + (random() < 0.5 ? -1 : 1) * 2 ** -20);
        const back = new Uint8Array(layout.bytes);
        converter.fromRgb(noisy, back);
        expect(isSame(frame, back)).toBe(true);
      }
    }
  });

  it('computes what the plain loops compute', async () => {
    for (const [layout, colour] of cases(9, 7)) {
      const converter = await createFrameConverter(layout, colour);
      const frame = randomFrame(layout);
      const rgb = converter.toRgb(frame).slice();
      expect(distance(rgb, toRgbReference(layout, colour, frame))).toBeLessThan(4e-7);
      // Another picture than the frame's, with values that must be clipped.
      const other = rgb.map(() => random() * 1.5 - 0.25);
      const [fast, plain] = [frame.slice(), frame.slice()];
      converter.fromRgb(other, fast);
      fromRgbReference(layout, colour, other, plain);
      const codes = (bytes: Uint8Array) => (layout.bytesPerSample === 1 ? bytes : new Uint16Array(bytes.buffer));
      // Where a value lies half-way between two codes, float32 may take the other.
      expect(distance(codes(fast), codes(plain))).toBeLessThanOrEqual(1);
    }
  });

  it.each([
    // black, white, and the colour bars' red of BT.709 and BT.601, 8 bit limited
    ['bt709', 'limited', [16, 128, 128], [0, 0, 0]],
    ['bt709', 'limited', [235, 128, 128], [1, 1, 1]],
    ['bt709', 'limited', [63, 102, 240], [1, 0, 0]],
    ['smpte170m', 'limited', [81, 90, 240], [1, 0, 0]],
    ['smpte170m', 'full', [76, 85, 255], [1, 0, 0]],
    ['bt2020nc', 'limited', [74, 97, 240], [1, 0, 0]],
  ] as const)('knows the colours of %s, %s: %j is %j', async (matrix, range, codes, rgb) => {
    const layout = frameLayout(pixelFormat('yuv444p'), 1, 1);
    const converter = await createFrameConverter(layout, { matrix, range, chromaLocation: 'left' });
    expect(distance(converter.toRgb(Uint8Array.from(codes)), rgb)).toBeLessThan(0.01);
    const back = new Uint8Array(3);
    converter.fromRgb(Float32Array.from(rgb), back);
    expect(Array.from(back)).toEqual(codes);
  });

  it('passes frames in memory of its own, or on one side only, to the same codes, alpha too', async () => {
    for (const name of ['yuv420p', 'yuva420p', 'yuv444p', 'yuv440p']) {
      const layout = frameLayout(pixelFormat(name), 37, 19);
      const converter = await createFrameConverter(layout, { matrix: 'bt709', range: 'full', chromaLocation: 'left' });
      const frame = randomFrame(layout);
      const own = [converter.allocate(), converter.allocate()] as [Uint8Array, Uint8Array];
      for (const [from, to] of [
        [frame, own[0]],
        [own[0], own[1]],
        [own[1], new Uint8Array(layout.bytes)],
        [own[0], own[0]],
      ] as const) {
        converter.pass(from, to);
        expect(isSame(to, frame)).toBe(true);
      }
    }
    const deep = frameLayout(pixelFormat('yuv420p10le'), 8, 8);
    const other = await createFrameConverter(deep, { matrix: 'bt709', range: 'full', chromaLocation: 'left' });
    expect(other.allocate()).toBeUndefined();
  });

  it('leaves alpha and padding as they are', async () => {
    for (const name of ['yuva420p10le', 'gbrap', 'bgra', '0rgb', 'ya8', 'rgba64le']) {
      const layout = frameLayout(pixelFormat(name), 5, 3);
      const converter = await createFrameConverter(layout, { matrix: 'bt709', range: 'full', chromaLocation: 'left' });
      const frame = new Uint8Array(layout.bytes).fill(3);
      converter.fromRgb(new Float32Array(45), frame);
      const colourSamples = layout.planes.flatMap(({ channels, width, height }) =>
        channels.flatMap((channel) => (channel === 'a' || channel === 'x' ? [] : [width * height])),
      );
      const kept = layout.bytes - layout.bytesPerSample * colourSamples.reduce((sum, count) => sum + count, 0);
      expect([name, frame.filter((byte) => byte === 3).length]).toEqual([name, kept]);
    }
  });

  it('writes 0 for what is no number, and refuses other lengths', async () => {
    const layout = frameLayout(pixelFormat('yuv420p'), 5, 3);
    const converter = await createFrameConverter(layout, { matrix: 'bt709', range: 'full', chromaLocation: 'left' });
    const frame = new Uint8Array(layout.bytes).fill(9);
    converter.fromRgb(new Float32Array(45).fill(Number.NaN), frame);
    expect(frame.every((code) => code === 0)).toBe(true);
    const codes = [() => converter.toRgb(new Uint8Array(3)), () => converter.fromRgb(new Float32Array(44), frame)].map(
      (action) => {
        try {
          action();
        } catch (error) {
          return isMambairError(error) ? error.code : error;
        }
        return undefined;
      },
    );
    expect(codes).toEqual(['MAMBAIR_OPTION_INVALID', 'MAMBAIR_OPTION_INVALID']);
  });
});

describe('matrixForTag', () => {
  it('takes the tag, and without one goes by the height', () => {
    expect(matrixForTag('smpte240m', 1080)).toBe('smpte240m');
    expect(matrixForTag(undefined, 719)).toBe('smpte170m');
    expect(matrixForTag('unknown', 720)).toBe('bt709');
  });

  it('refuses what no matrix can undo', () => {
    for (const tag of ['bt2020c', 'ictcp', 'toString']) {
      let code: unknown;
      try {
        matrixForTag(tag, 1080);
      } catch (error) {
        code = isMambairError(error) && error.code;
      }
      expect(code).toBe('MAMBAIR_VIDEO_UNSUPPORTED');
    }
  });
});

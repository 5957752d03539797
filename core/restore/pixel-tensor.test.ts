import { describe, expect, it } from '@jest/globals';
import type { PixelImage } from '../image/pixels.js';
import { imageToTensor, isFiniteData, quantise, tensorToImage } from './pixel-tensor.js';

describe('quantise', () => {
  it.each([
    [255, new Uint8Array(256)],
    [65535, new Uint16Array(65536)],
  ] as const)('gives back every code up to %i', (_white, codes) => {
    codes.forEach((_, i) => {
      codes[i] = i;
    });
    const image: PixelImage = { width: codes.length, height: 1, channels: 1, data: codes };
    const back = codes.slice().fill(0);
    quantise(imageToTensor(image).data, back, { offset: 0, stride: 1 });
    expect(Buffer.compare(Buffer.from(back.buffer), Buffer.from(codes.buffer))).toBe(0);
  });

  it('rounds half to even after a float32 product, and clamps', () => {
    const values = Float32Array.of(0.5 / 255, 1.5 / 255, 2.5 / 255, 126.5 / 255, 127.5 / 255, -3, 7, 1.002);
    const products = values.map((value) => value * 255);
    const target = new Uint8Array(values.length);
    quantise(values, target, { offset: 0, stride: 1 });
    const expected = Array.from(products, (product) => {
      const clamped = Math.min(255, Math.max(0, product));
      const floor = Math.floor(clamped);
      return clamped - floor === 0.5 ? floor + (floor % 2) : Math.round(clamped);
    });
    expect(Array.from(target)).toEqual(expected);
    expect(target[4]).toBe(128);
  });

  it('only clamps float pixels', () => {
    const target = new Float32Array(4);
    quantise(Float32Array.of(-0.5, 1.5), target, { offset: 1, stride: 2 });
    expect(Array.from(target)).toEqual([0, 0, 0, 1]);
  });
});

describe('tensorToImage', () => {
  it('undoes imageToTensor', () => {
    const data = Uint8Array.from({ length: 60 }, (_, i) => (i * 91) % 256);
    const image: PixelImage = { width: 5, height: 4, channels: 3, data };
    expect(tensorToImage(imageToTensor(image))).toEqual(image);
  });

  it('refuses two channels, and values that are not finite', () => {
    expect(() => tensorToImage({ shape: [1, 2, 1, 1], data: new Float32Array(2) })).toThrow(
      expect.objectContaining({ code: 'MAMBAIR_SHAPE_MISMATCH' }),
    );
    expect(() => tensorToImage({ shape: [1, 1, 1, 1], data: Float32Array.of(Number.NaN) })).toThrow(
      expect.objectContaining({ code: 'MAMBAIR_NOT_FINITE' }),
    );
  });
});

describe('isFiniteData', () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('sees one %d among many', (value) => {
    const data = new Float32Array(1000).fill(3e38);
    expect(isFiniteData(data)).toBe(true);
    data[777] = value;
    expect(isFiniteData(data)).toBe(false);
  });
});

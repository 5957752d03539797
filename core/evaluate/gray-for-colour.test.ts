import { describe, expect, it } from '@jest/globals';
import { grayToRgb, rgbToGray } from './gray-for-colour.js';

describe('gray pictures for colour networks', () => {
  it('come back as they were', () => {
    const gray = { shape: [1, 1, 2, 3], data: Float32Array.of(0, 0.25, 0.5, 0.75, 1, 1.5) };
    const { shape, data } = rgbToGray(grayToRgb(gray));
    expect(shape).toEqual(gray.shape);
    data.forEach((value, at) => expect(value).toBeCloseTo(gray.data[at] ?? Number.NaN, 6));
  });

  it('take luma by the weights of JPEG files', () => {
    const colours = Float32Array.of(1, 0, 0, /* green */ 0, 1, 0, /* blue */ 0, 0, 1);
    const { data } = rgbToGray({ shape: [1, 3, 1, 3], data: colours });
    [0.299, 0.587, 0.114].forEach((weight, at) => expect(data[at]).toBeCloseTo(weight, 6));
  });

  it('refuse other shapes', () => {
    const rgb = { shape: [1, 3, 1, 1], data: new Float32Array(3) };
    const batch = { shape: [2, 3, 1, 1], data: new Float32Array(6) };
    const mismatch = expect.objectContaining({ code: 'MAMBAIR_SHAPE_MISMATCH' });
    expect(() => grayToRgb(rgb)).toThrow(mismatch);
    expect(() => rgbToGray(batch)).toThrow(mismatch);
  });
});

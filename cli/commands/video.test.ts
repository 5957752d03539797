import { describe, expect, it } from '@jest/globals';
import { readTime } from './video.js';

describe('times', () => {
  it.each([
    ['90', 90],
    ['90.5', 90.5],
    ['1:30', 90],
    ['0:01:30.25', 90.25],
    ['3s', 3],
    ['500ms', 0.5],
    ['2min', 120],
    ['1h', 3600],
  ])('%s is %d seconds', (written, seconds) => {
    expect(readTime(written)).toBe(seconds);
  });

  it.each(['', 's', '-1', '1:75', '3 weeks', '1:2:3:4'])('%j is none', (written) => {
    expect(() => readTime(written)).toThrow('a time such as');
  });
});

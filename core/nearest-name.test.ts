import { describe, expect, it } from '@jest/globals';
import { nearestName } from './nearest-name.js';

describe('the nearest name', () => {
  it.each([
    ['overwirte', 'overwrite'],
    ['scal', 'scale'],
    ['Tile', 'tile'],
    ['tiny_x2', 'tiny-x2'],
    ['quietly', undefined],
    ['', undefined],
  ])('for "%s" is %s', (name, expected) => {
    expect(nearestName(name, ['overwrite', 'scale', 'tile', 'tiny-x2', 'memory'])).toBe(expected);
  });
});

import { describe, expect, it } from '@jest/globals';
import { hostileImages } from '../../test/hostile-images.js';
import { isMambairError } from '../errors.js';
import { readImage } from './read-image.js';

const MAX_MS_PER_FILE = 5000;

describe('hostile images', () => {
  it('are refused by code, in bounded time', async () => {
    const unexpected: string[] = [];
    for (const { name, outcome, files } of await hostileImages()) {
      for (const [i, file] of files.entries()) {
        const started = performance.now();
        const result = await readImage(file, { name }).then(
          () => 'loaded',
          (error: unknown) => (isMambairError(error) ? error.code : `not typed: ${String(error)}`),
        );
        const isRight = /^MAMBAIR_IMAGE_/.test(result) || (result === 'loaded' && outcome === 'load-or-refuse');
        if (!isRight || performance.now() - started > MAX_MS_PER_FILE) {
          unexpected.push(`${name} ${i}: ${result} ${performance.now() - started} ms`);
        }
      }
    }
    expect(unexpected).toEqual([]);
  });
});

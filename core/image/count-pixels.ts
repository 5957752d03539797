import { stat } from 'node:fs/promises';
import { loadSharp } from './load-sharp.js';

/**
 * Pixels of picture files together, by their headers; counting stops at `enough`. What is no picture counts for nothing:
 * opening it says why.
 */
export async function countPixels(paths: Iterable<string>, enough: number): Promise<number> {
  let pixels = 0;
  for (const path of paths) {
    pixels += await pixelsOf(path);
    if (pixels >= enough) {
      break;
    }
  }
  return pixels;
}

async function pixelsOf(path: string): Promise<number> {
  try {
    // A pipe would wait for its other end.
    if (!(await stat(path)).isFile()) {
      return 0;
    }
    const sharp = await loadSharp();
    const { width, height } = await sharp(path, { limitInputPixels: false }).metadata();
    return width * height;
  } catch {
    return 0;
  }
}

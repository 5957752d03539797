import sharp from 'sharp';
import type { PixelImage } from '../core/image/pixels.js';

/** Decodes an 8-bit test picture as it stands: gray, RGB or RGBA. */
export async function readPng(path: string): Promise<PixelImage> {
  const { data, info } = await sharp(path).raw().toBuffer({ resolveWithObject: true });
  const { isPalette, space } = await sharp(path).metadata();
  const isGray = space === 'b-w' && isPalette !== true;
  const image = { width: info.width, height: info.height, channels: info.channels, data: new Uint8Array(data) };
  if (isGray && info.channels === 3) {
    return { ...image, channels: 1, data: image.data.filter((_, i) => i % 3 === 0) };
  }
  return image as PixelImage;
}

import type { PixelImage } from './pixels.js';

/** Bits of each sample: 8, 16, or 32 for float. Told by the element size, because `instanceof` fails across realms. */
export function sampleBits(data: PixelImage['data']): 8 | 16 | 32 {
  return data.BYTES_PER_ELEMENT === 1 ? 8 : data.BYTES_PER_ELEMENT === 2 ? 16 : 32;
}

/** True for 16-bit samples. */
export function has16Bits(data: PixelImage['data']): data is Uint16Array {
  return sampleBits(data) === 16;
}

/** True for 8-bit samples. */
export function has8Bits(data: PixelImage['data']): data is Uint8Array {
  return sampleBits(data) === 8;
}

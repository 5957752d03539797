import type { PixelImage } from '../image/pixels.js';
import { createPixels, whiteLevel } from '../restore/pixel-tensor.js';

/** The picture without its alpha channel if that is opaque everywhere: for formats that have none. Else as it is. */
export function withoutOpaqueAlpha(image: PixelImage): PixelImage {
  const { width, height, channels, data } = image;
  if (channels === 1 || channels === 3) {
    return image;
  }
  const white = whiteLevel(data);
  for (let at = channels - 1; at < data.length; at += channels) {
    if (data[at] !== white) {
      return image;
    }
  }
  const kept = channels === 4 ? 3 : 1;
  const colour = createPixels(data, width * height * kept);
  for (let from = 0, to = 0; from < data.length; from += channels, to += kept) {
    for (let channel = 0; channel < kept; channel += 1) {
      colour[to + channel] = data[from + channel] ?? 0;
    }
  }
  return { width, height, channels: kept, data: colour };
}

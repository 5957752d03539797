import { type ImageSpec, storedBits } from './image-spec.js';
import { has16Bits } from './samples.js';

/** Channels and depth that the file will have after {@link convertRows}. */
export function storedLayout({ channels, depth, format }: ImageSpec): { channels: 1 | 2 | 3 | 4; depth: 8 | 16 } {
  const isOpaque = format === 'jpeg' && channels % 2 === 0;
  return {
    channels: isOpaque ? (channels === 2 ? 1 : 3) : channels,
    depth: format === 'jpeg' || format === 'webp' ? 8 : depth,
  };
}

/** Lays transparency on the background and reduces the depth, as the format needs; the same array when it needs nothing. */
export function convertRows(samples: Uint8Array | Uint16Array, spec: ImageSpec): Uint8Array | Uint16Array {
  const stored = storedLayout(spec);
  const opaque = stored.channels === spec.channels ? samples : flatten(samples, spec);
  if (!has16Bits(opaque)) {
    return opaque;
  }
  const bits = storedBits(spec);
  if (bits === 8) {
    return to8Bit(opaque);
  }
  return bits < 16 ? roundToBits(opaque, bits) : opaque;
}

/** Straight alpha over the background, in the numbers as they are (not in linear light), rounded half up. */
function flatten(
  samples: Uint8Array | Uint16Array,
  { channels, depth, background }: ImageSpec,
): Uint8Array | Uint16Array {
  const max = depth === 8 ? 255 : 65535;
  const colours = channels - 1;
  const base = (background ?? [0, 0, 0]).map((value) => Math.round((value / 255) * max));
  const result = samples.slice(0, (samples.length / channels) * colours);
  for (let from = 0, to = 0; from < samples.length; from += channels) {
    const alpha = samples[from + colours] ?? max;
    for (let c = 0; c < colours; c++, to++) {
      result[to] = Math.floor(((samples[from + c] ?? 0) * alpha + (base[c] ?? 0) * (max - alpha)) / max + 0.5);
    }
  }
  return result;
}

/** Nearest value of fewer bits, left in the high bits of 16, where the encoder takes them from. */
function roundToBits(samples: Uint16Array, bits: number): Uint16Array {
  const max = 2 ** bits - 1;
  return samples.map((value) => Math.round((value / 65535) * max) << (16 - bits));
}

/** Nearest 8-bit value: 65535 = 255 · 257, so halves never occur. */
function to8Bit(samples: Uint16Array): Uint8Array {
  const result = new Uint8Array(samples.length);
  for (let i = 0; i < samples.length; i++) {
    result[i] = ((samples[i] ?? 0) + 128) / 257;
  }
  return result;
}

import type { Metadata } from 'sharp';
import { invariant, MambairError } from '../errors.js';
import type { ImageWarning } from './image-metadata.js';
import { loadSharp } from './load-sharp.js';
import type { PixelImage } from './pixels.js';
import { has16Bits } from './samples.js';

/** Header facts as the decoder library reports them. */
export type ImageHeader = Metadata;

/** How the pixels of a file are to be decoded. */
export interface DecodePlan {
  readonly channels: 1 | 2 | 3 | 4;
  readonly is16Bit: boolean;
  readonly isJpeg: boolean;
  /** Significant bits of a 16-bit sample, when the decoder leaves the low ones empty (AVIF); else 16. */
  readonly significantBits: number;
  /** True when colour is converted to sRGB, so that the file's profile no longer describes the pixels. */
  readonly isConverted: boolean;
  readonly warnings: readonly ImageWarning[];
}

/** @throws MAMBAIR_IMAGE_UNSUPPORTED for samples or channels that a {@link PixelImage} cannot hold exactly */
export function planDecoding(header: ImageHeader, name: string): DecodePlan {
  const { space, channels, depth } = header;
  const common = { isJpeg: header.format === 'jpeg', significantBits: 16 };
  const converted = { ...common, channels: header.hasAlpha ? 4 : 3, isConverted: true } as const;
  const unsupported = (what: string, advice: string): MambairError =>
    new MambairError(
      'MAMBAIR_IMAGE_UNSUPPORTED',
      `expected 8 or 16 bit gray or colour: ${name} has ${what}; ${advice}`,
      {
        detail: { file: name, space, channels, depth },
      },
    );
  if (space === 'cmyk') {
    const warnings: ImageWarning[] = [cmykWarning(header.hasProfile)];
    if (depth === 'ushort') {
      warnings.push({ code: 'depth-reduced', message: '16-bit CMYK was converted to 8-bit RGB' });
    }
    return { ...converted, is16Bit: false, warnings };
  }
  if (space === 'lab' || space === 'labs') {
    const warnings: ImageWarning[] = [{ code: 'lab-converted', message: 'Lab colours were converted to sRGB' }];
    return { ...converted, is16Bit: space === 'labs', warnings };
  }
  if (depth !== 'uchar' && depth !== 'ushort') {
    throw unsupported(`samples of type ${depth}`, 'save it with 16 bits per channel first');
  }
  const isGray = space === 'b-w' || space === 'grey16';
  const isColour = space === 'srgb' || space === 'rgb16';
  if (!(isGray && (channels === 1 || channels === 2)) && !(isColour && (channels === 3 || channels === 4))) {
    throw unsupported(`${channels} channels of kind ${space}`, 'flatten it or drop the extra channels first');
  }
  const is16Bit = depth === 'ushort';
  const significantBits = is16Bit && header.format === 'heif' ? (header.bitsPerSample ?? 16) : 16;
  return { ...common, channels, is16Bit, significantBits, isConverted: false, warnings: [] };
}

function cmykWarning(hasProfile: boolean): ImageWarning {
  const through = hasProfile ? 'its embedded profile' : 'a general press profile, because it has none of its own';
  return { code: 'cmyk-converted', message: `CMYK colours were converted to sRGB through ${through}` };
}

/** Options of {@link decodePixels}; `page` counts from 0. */
export interface DecodeOptions {
  readonly name: string;
  readonly maxPixels: number;
  readonly page?: number | undefined;
  readonly allowDamaged?: boolean | undefined;
}

/**
 * Decodes the pixels upright. Damage that stops the decoder is an error; damage that it only reports is a warning.
 *
 * @throws MAMBAIR_IMAGE_UNREADABLE
 */
export async function decodePixels(
  bytes: Uint8Array,
  plan: DecodePlan,
  options: DecodeOptions,
): Promise<{ pixels: PixelImage; warnings: readonly ImageWarning[] }> {
  // the decoders of the other formats warn of harmless things only, such as unknown tags
  const strict = plan.isJpeg ? (['warning', 'error'] as const) : (['error'] as const);
  const message = 'the decoder reports damage; parts of the picture may be wrong';
  let failure: unknown;
  for (const failOn of options.allowDamaged === true ? ([...strict, 'none'] as const) : strict) {
    try {
      const pixels = await decodeOnce(bytes, plan, options, failOn);
      return { pixels, warnings: failOn === strict[0] ? [] : [{ code: 'damaged', message }] };
    } catch (cause) {
      failure = cause;
    }
  }
  throw unreadableImage(options.name, failure);
}

async function decodeOnce(
  bytes: Uint8Array,
  plan: DecodePlan,
  { maxPixels, page }: DecodeOptions,
  failOn: 'warning' | 'error' | 'none',
): Promise<PixelImage> {
  const sharp = await loadSharp();
  const { data, info } = await sharp(bytes, {
    autoOrient: true,
    // keeps the pixel numbers as they are; only a conversion to sRGB may look at the profile
    ignoreIcc: !plan.isConverted,
    limitInputPixels: maxPixels,
    failOn,
    ...(page === undefined ? {} : { page }),
  })
    .toColourspace(decodingSpace(plan))
    .raw({ depth: plan.is16Bit ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  const samples = plan.is16Bit ? wideSamples(data) : new Uint8Array(data.buffer, data.byteOffset, data.length);
  const { channels } = plan;
  if (channels === 2 && info.channels === 4) {
    return { width, height, channels, data: grayAlphaOfRgba(samples) };
  }
  invariant(info.channels === channels, `decoder gave ${info.channels} channels instead of ${channels}`);
  if (has16Bits(samples) && plan.significantBits < 16) {
    fillLowBits(samples, plan.significantBits);
  }
  return { width, height, channels, data: samples };
}

/** The decoder's raw output loses the alpha of 8-bit gray, so that goes through RGB and back; all else is direct. */
function decodingSpace({ channels, is16Bit }: DecodePlan): string {
  if (channels >= 3 || (channels === 2 && !is16Bit)) {
    return is16Bit ? 'rgb16' : 'srgb';
  }
  return is16Bit ? 'grey16' : 'b-w';
}

function wideSamples(data: Buffer): Uint16Array {
  const aligned = data.byteOffset % 2 === 0 ? data : Buffer.from(data);
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.length >> 1);
}

function grayAlphaOfRgba(rgba: Uint8Array | Uint16Array): Uint8Array {
  const result = new Uint8Array(rgba.length / 2);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 2) {
    result[to] = rgba[from] ?? 0;
    result[to + 1] = rgba[from + 3] ?? 0;
  }
  return result;
}

/** Repeats the high bits in the empty low ones, so that white is 65535 and not 65472. */
function fillLowBits(samples: Uint16Array, significantBits: number): void {
  for (let i = 0; i < samples.length; i++) {
    const value = samples[i] ?? 0;
    samples[i] = value | (value >> significantBits);
  }
}

/** The error for a file whose content the decoder rejects; keeps the first line of the decoder's own words. */
export function unreadableImage(name: string, cause: unknown): MambairError {
  const said =
    typeof cause === 'object' && cause !== null && 'message' in cause ? String(cause.message) : String(cause);
  const reason = (said.split('\n')[0] ?? said).slice(0, 200);
  const message = `expected a complete image: ${name} cannot be decoded (${reason})`;
  return new MambairError('MAMBAIR_IMAGE_UNREADABLE', message, { detail: { file: name, reason }, cause });
}

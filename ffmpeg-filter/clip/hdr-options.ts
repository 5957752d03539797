import type { SideData } from './probe-clip.js';

/** An option of an encoder: name without dash and specifier, and value. */
export type EncoderOption = readonly [name: string, value: string];

/**
 * The options that give an encoder what HDR10 says of a film as a whole: the display it was mastered on and its light
 * levels, each number in the unit that the encoder takes. ffmpeg before 7 does not hand them on itself. Empty for encoders
 * that have no such option.
 */
export function hdrOptions(
  encoder: string,
  sideData: readonly SideData[],
  chromaLocation: string | undefined,
): readonly EncoderOption[] {
  const display = sideData.find(({ side_data_type: kind }) => /^Mastering display/.test(String(kind)));
  const light = sideData.find(({ side_data_type: kind }) => /^Content light level/.test(String(kind)));
  const levels = light === undefined ? undefined : `${Number(light['max_content'])},${Number(light['max_average'])}`;
  if (encoder === 'libx265') {
    const parts = [
      ...(display === undefined && levels === undefined ? [] : ['hdr10=1', 'repeat-headers=1']),
      ...(display === undefined ? [] : [`master-display=${masterDisplay(display, wholeNumbers)}`]),
      ...(levels === undefined ? [] : [`max-cll=${levels}`]),
      // x265 writes the place of chroma only when it is told here.
      ...(chromaLocation === 'topleft' ? ['chromaloc=2'] : []),
    ];
    return parts.length === 0 ? [] : [['x265-params', parts.join(':')]];
  }
  if (encoder === 'libsvtav1') {
    const parts = [
      ...(display === undefined ? [] : [`mastering-display=${masterDisplay(display, decimals)}`]),
      ...(levels === undefined ? [] : [`content-light=${levels}`]),
    ];
    return parts.length === 0 ? [] : [['svtav1-params', parts.join(':')]];
  }
  return [];
}

type Written = (value: unknown, unit: number) => string;

/** In units: 1/50000 of chromaticity, 1/10000 cd/m². */
const wholeNumbers: Written = (value, unit) => String(Math.round(numberOf(value) * unit));
const decimals: Written = (value) => String(Number(numberOf(value).toFixed(7)));

function masterDisplay(display: SideData, write: Written): string {
  const point = (name: string): string =>
    `(${write(display[`${name}_x`], 50_000)},${write(display[`${name}_y`], 50_000)})`;
  const luminance = `(${write(display['max_luminance'], 10_000)},${write(display['min_luminance'], 10_000)})`;
  return `G${point('green')}B${point('blue')}R${point('red')}WP${point('white_point')}L${luminance}`;
}

/** A fraction as ffprobe prints it. */
function numberOf(value: unknown): number {
  const [above = '0', below = '1'] = String(value).split('/');
  return Number(above) / Number(below);
}

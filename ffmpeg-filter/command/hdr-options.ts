import { splitArguments } from './filter-graph.js';
import type { SideData } from './probed-input.js';

/** An option of an encoder: name without dash and specifier, and value. */
export type EncoderOption = readonly [name: string, value: string];

/** What HDR10 says of a film as a whole, as ffprobe prints it: the display it was mastered on, and its light levels. */
export interface StaticHdr {
  readonly display: SideData | undefined;
  readonly light: SideData | undefined;
}

const displayKind = /^Mastering display/;
const lightKind = /^Content light level/;

/** True for the kinds of side data that {@link staticHdr} looks for. */
export function isStaticHdr({ side_data_type: kind }: SideData): boolean {
  return displayKind.test(String(kind)) || lightKind.test(String(kind));
}

/**
 * Finds HDR10's static data among the side data of a stream and of its frames. A display without luminance is none of it: what
 * PNG says of primaries ffmpeg calls so.
 */
export function staticHdr(sideData: readonly SideData[]): StaticHdr {
  const all = (kind: RegExp): readonly SideData[] =>
    sideData.filter(({ side_data_type: name }) => kind.test(String(name)));
  const displays = all(displayKind).filter((display) => Number.isFinite(numberOf(display['max_luminance'])));
  return { display: displays.find(isWhole) ?? displays[0], light: all(lightKind)[0] };
}

/** What of HDR10's static data an encoder does not take over from {@link hdrOptions}. */
export function lostHdr(encoder: string | undefined, { display, light }: StaticHdr): StaticHdr {
  const isTaken = encoder !== undefined && parameterOptions.has(encoder);
  return {
    display: isTaken && display !== undefined && isWhole(display) ? undefined : display,
    light: isTaken ? undefined : light,
  };
}

/** Says that HDR10's static data, or a part of it, cannot be kept; undefined when there is none. */
export function sayHdrLoss({ display, light }: StaticHdr): string | undefined {
  const isBroken = display !== undefined && !isWhole(display);
  const names = [
    ...(display === undefined ? [] : [isBroken ? 'incomplete mastering display' : 'mastering display']),
    ...(light === undefined ? [] : ['light levels']),
  ];
  const advice = isBroken ? '' : `; ${[...parameterOptions.keys()].join(' and ')} keep such data`;
  return names.length === 0 ? undefined : `HDR10's ${names.join(' and ')} cannot be kept${advice}`;
}

/** The option through which each encoder that takes HDR10's static data is given it. */
const parameterOptions: ReadonlyMap<string, string> = new Map([
  ['libx265', 'x265-params'],
  ['libsvtav1', 'svtav1-params'],
]);

/** The option with HDR10's data of an encoder; undefined for encoders that have none. */
export function hdrOptionOf(encoder: string): string | undefined {
  return parameterOptions.get(encoder);
}

/**
 * The option that gives an encoder HDR10's static data, each number in the unit that the encoder takes; undefined for
 * encoders that have none, and where nothing is to be said. ffmpeg never does this here: data of frames does not pass the pipe.
 * @param given the parameters that the user gives the encoder by the same option. What they name is left to them
 */
export function hdrOption(
  encoder: string,
  hdr: StaticHdr,
  { chromaLocation, given }: { readonly chromaLocation?: string | undefined; readonly given?: string | undefined } = {},
): EncoderOption | undefined {
  const option = parameterOptions.get(encoder);
  const settings = readSettings(given);
  const parameters = encoder === 'libx265' ? x265Parameters(hdr, chromaLocation, settings) : svtParameters(hdr);
  const ours = parameters.filter(([name]) => !settings.has(name)).map(([name, value]) => `${name}=${value}`);
  return option === undefined || ours.length === 0 ? undefined : [option, ours.join(':')];
}

type Parameter = readonly [name: string, value: string];

/** Places of chroma by ffprobe's names, as H.265 numbers them; without one it is the left. */
const chromaPlaces: Readonly<Record<string, string>> = {
  center: '1',
  topleft: '2',
  top: '3',
  bottomleft: '4',
  bottom: '5',
};

function x265Parameters(
  hdr: StaticHdr,
  chromaLocation: string | undefined,
  given: ReadonlyMap<string, boolean>,
): readonly Parameter[] {
  const { display, light } = taken('libx265', hdr);
  // x265 takes each of the two as a wish for HDR10, even where that is switched off by name.
  const chromaPlace = chromaPlaces[chromaLocation ?? ''];
  const isWanted = (display !== undefined || light !== undefined) && given.get('hdr10') !== false;
  return [
    ...(isWanted
      ? ([
          ['hdr10', '1'],
          ['repeat-headers', '1'],
        ] as const)
      : []),
    ...(isWanted && display !== undefined ? ([['master-display', masterDisplay(display, wholeNumbers)]] as const) : []),
    ...(isWanted && light !== undefined ? ([['max-cll', lightLevels(light)]] as const) : []),
    // x265 writes the place of chroma only when it is told here.
    ...(chromaPlace === undefined ? [] : ([['chromaloc', chromaPlace]] as const)),
  ];
}

function svtParameters(hdr: StaticHdr): readonly Parameter[] {
  const { display, light } = taken('libsvtav1', hdr);
  return [
    ...(display === undefined ? [] : ([['mastering-display', masterDisplay(display, decimals)]] as const)),
    ...(light === undefined ? [] : ([['content-light', lightLevels(light)]] as const)),
  ];
}

function taken(encoder: string, hdr: StaticHdr): StaticHdr {
  const lost = lostHdr(encoder, hdr);
  return {
    display: lost.display === undefined ? hdr.display : undefined,
    light: lost.light === undefined ? hdr.light : undefined,
  };
}

/** Names of x265's settings that mean the same. */
const sameSetting: Readonly<Record<string, string>> = { hdr: 'hdr10' };

/**
 * The settings that a list of parameters names, and whether each is left on. As x265 reads their names: `--`, `_` for `-`,
 * `no-` and `no` before them.
 */
function readSettings(parameters: string | undefined): ReadonlyMap<string, boolean> {
  const settings = new Map<string, boolean>();
  for (const { key, value } of splitArguments(parameters)) {
    const [, negation, rest = ''] = /^(?:--)?(no-?)?(.*)$/s.exec((key ?? value).replaceAll('_', '-')) ?? [];
    const isOn = !/^(0|false|no)$/.test(key === undefined ? '1' : value);
    settings.set(sameSetting[rest] ?? rest, negation === undefined ? isOn : !isOn);
  }
  return settings;
}

type Written = (value: unknown, unit: number) => string;

/** In units: 1/50000 of chromaticity, 1/10000 cd/m². */
const wholeNumbers: Written = (value, unit) => String(Math.round(numberOf(value) * unit));
const decimals: Written = (value) => String(Number(numberOf(value).toFixed(7)));

const points = ['green', 'blue', 'red', 'white_point'] as const;

/** True for a display with its primaries and its luminance. Containers may know one without the other; encoders take both. */
function isWhole(display: SideData): boolean {
  return [...points.flatMap((name) => [`${name}_x`, `${name}_y`]), 'min_luminance', 'max_luminance'].every((key) =>
    Number.isFinite(numberOf(display[key])),
  );
}

function masterDisplay(display: SideData, write: Written): string {
  const [green, blue, red, white] = points.map(
    (name) => `(${write(display[`${name}_x`], 50_000)},${write(display[`${name}_y`], 50_000)})`,
  );
  const luminance = `(${write(display['max_luminance'], 10_000)},${write(display['min_luminance'], 10_000)})`;
  return `G${green}B${blue}R${red}WP${white}L${luminance}`;
}

function lightLevels(light: SideData): string {
  return `${Number(light['max_content'])},${Number(light['max_average'])}`;
}

/** A fraction as ffprobe prints it. */
function numberOf(value: unknown): number {
  const [above = '0', below = '1'] = String(value).split('/');
  return Number(above) / Number(below);
}

import type { HdrNumbers } from '../transport/write-matroska.js';
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

/** HDR10's static data as far as Matroska, and ffmpeg behind it, can carry it to an encoding ffmpeg. */
export function carriedHdr({ display, light }: StaticHdr): StaticHdr {
  const isSaid = (value: unknown): boolean => Number.isInteger(Number(value)) && Number(value) > 0;
  const isShown = display !== undefined && isWhole(display) && isPossible(display);
  return {
    display: isShown ? display : undefined,
    // ffmpeg reads neither level where one is 0.
    light: light !== undefined && isSaid(light['max_content']) && isSaid(light['max_average']) ? light : undefined,
  };
}

/** What {@link carriedHdr} leaves, in numbers; undefined when that is nothing. */
export function hdrNumbers(hdr: StaticHdr): HdrNumbers | undefined {
  const { display, light } = carriedHdr(hdr);
  const point = (name: string): readonly [number, number] => [
    numberOf(display?.[`${name}_x`]),
    numberOf(display?.[`${name}_y`]),
  ];
  const shown = display !== undefined && {
    ...{ red: point('red'), green: point('green'), blue: point('blue'), white: point('white_point') },
    ...{ minLuminance: numberOf(display['min_luminance']), maxLuminance: numberOf(display['max_luminance']) },
  };
  const levels = light && { maxContent: Number(light['max_content']), maxAverage: Number(light['max_average']) };
  return shown === false && levels === undefined
    ? undefined
    : { ...(shown === false ? {} : { display: shown }), ...(levels === undefined ? {} : { light: levels }) };
}

/**
 * True where HDR10's static data is to go into an output's container: the source has it there, too, or else the encoder
 * would lose it. What frames say, and an encoder writes into them again, needs no other place.
 * @param ofStream side data of the source's stream, without that of its frames
 */
export function isForContainer(hdr: StaticHdr, ofStream: readonly SideData[], encoder: string | undefined): boolean {
  const { display, light } = lostHdr(encoder, carriedHdr(hdr));
  return display !== undefined || light !== undefined || hdrNumbers(staticHdr(ofStream)) !== undefined;
}

/** Containers, by ffmpeg's names of them and by extensions, that ffmpeg writes HDR10's static data into. */
const keepers = new Set(['mp4', 'mov', 'mkv', 'matroska', 'webm']);

/** What of HDR10's static data a container has no place for, of what reaches it. MXF has one for the display. */
export function lostByContainer(format: string, { display, light }: StaticHdr): StaticHdr {
  const isKept = keepers.has(format);
  return {
    display: isKept || format === 'mxf' ? undefined : display,
    light: isKept ? undefined : light,
  };
}

/** True when the user's own parameters of an encoder say anything of HDR10's static data: then what they say holds. */
export function saysHdr(encoder: string | undefined, given: string | undefined): boolean {
  const names = ['hdr10', 'master-display', 'max-cll', 'mastering-display', 'content-light'];
  const settings = readSettings(encoder === undefined || hdrOptionOf(encoder) === undefined ? undefined : given);
  return names.some((name) => settings.has(name));
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

/** True for a display that has a colour triangle and is brighter in the light than in the dark. */
function isPossible(display: SideData): boolean {
  const isLit = points.every((name) => numberOf(display[`${name}_x`]) > 0 && numberOf(display[`${name}_y`]) > 0);
  return isLit && numberOf(display['max_luminance']) > numberOf(display['min_luminance']);
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

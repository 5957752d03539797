import { splitArguments, type Filter } from './filter-graph.js';
import { readRatio, type PictureFacts, type Ratio } from './probed-input.js';

const names = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Have no input, so that an unlabelled one at the head of a chain takes no stream of a file. */
const sources = names(`
  allrgb allyuv amovie anoisesrc anullsrc aevalsrc afirsrc buffer cellauto color colorchart colorspectrum coreimagesrc
  ddagrab flite frei0r_src gradients haldclutsrc hilbert life mandelbrot movie mptestsrc nullsrc openclsrc pal100bars
  pal75bars rgbtestsrc sierpinski sinc sine smptebars smptehdbars testsrc testsrc2 yuvtestsrc zoneplate
`);

/** Give frames another rate or other times. */
const clockChanging = names(`
  bwdif concat decimate dejudder detelecine doubleweave estdif fps framepack framerate framestep freezeframes
  interlace interleave loop minterpolate mpdecimate nnedi pullup random realtime repeatfields reverse segment select
  separatefields setpts settb shuffleframes telecine thumbnail tinterlace tpad trim vfrdet w3fdif weave xfade yadif
  zoompan bwdif_cuda yadif_cuda vpp_qsv deinterlace_qsv deinterlace_vaapi
`);

/** Of these, what they do to the time base cannot be told from their text. */
const clockUnknown = names(`
  concat decimate detelecine doubleweave framepack framerate interlace interleave minterpolate nnedi pullup segment
  telecine tinterlace vpp_qsv deinterlace_qsv deinterlace_vaapi weave xfade zoompan bwdif_cuda yadif_cuda
`);

/** Time base in, half of it out. */
const halving = names('bwdif estdif separatefields w3fdif yadif');

/** Work in ticks of the time base, and so round otherwise when that is finer. */
const clockReading = names('framerate loop minterpolate select setpts settb tpad trim');

/** Give frames other colour tags, whatever their arguments. */
const colourChanging = names('colormatrix colorspace iccgen libplacebo setparams setrange zscale');

/** YUV in planes, as it goes through the pipe; the last two letters may be left out in filters. */
const usualYuv = /^yuva?4\d\dp(\d+(le)?)?$/;

/** Take every usual YUV as it is. */
const colourKeeping = names(`
  ass bwdif copy crop deblock deband decimate delogo drawbox drawtext eq estdif fade fieldmatch format fps framerate framestep gblur
  hflip hqdn3d hue idet interlace minterpolate mpdecimate nlmeans noise null overlay pad pullup reverse rotate scale select setdar
  setfield setpts setsar settb subtitles telecine tmix tpad transpose trim unsharp vflip w3fdif yadif
`);

/** Make whole frames of fields, or say that frames have other fields. */
const fieldChanging = names(`
  bwdif doubleweave estdif field fieldmatch fieldorder fieldhint il interlace kerndeint nnedi pp pullup separatefields
  setfield telecine tinterlace w3fdif weave yadif bwdif_cuda yadif_cuda deinterlace_qsv deinterlace_vaapi vpp_qsv
`);

const namedRates: Readonly<Record<string, Ratio>> = {
  ntsc: { num: 30_000, den: 1001 },
  pal: { num: 25, den: 1 },
  film: { num: 24, den: 1 },
  ntsc_film: { num: 24_000, den: 1001 },
};

/** True for a filter without inputs. */
export function isSource(filter: Filter): boolean {
  return sources.has(filter.name);
}

/** True when a filter gives frames another rate or other times. */
export function changesClock(filter: Filter): boolean {
  return clockChanging.has(filter.name);
}

/** True when a filter gives frames another order of fields, or none. */
export function changesFields(filter: Filter): boolean {
  return fieldChanging.has(filter.name);
}

/** True when a filter's result depends on the time base that it is given. */
export function readsClock(filter: Filter): boolean {
  return clockReading.has(filter.name);
}

/** True when a filter gives frames other colour tags than it takes, or turns YUV into RGB or back. */
export function changesColour(filter: Filter): boolean {
  return (
    colourChanging.has(filter.name) ||
    filter.name.startsWith('tonemap') ||
    (filter.name === 'scale' && /range|matrix|primaries|transfer/.test(filter.arguments ?? '')) ||
    (filter.name === 'format' && /rgb|bgr|gbr|yuvj|pal8/.test(filter.arguments ?? ''))
  );
}

/**
 * True when only ffmpeg can tell what a filter makes of the colours and the pixel format of a stream: it may turn YUV into RGB,
 * or full range into limited, because it takes no other.
 */
export function mayChangeColour(filter: Filter, { pixelFormat, colour }: PictureFacts): boolean {
  const isUsual = usualYuv.test(pixelFormat ?? '') && colour.range !== 'pc';
  const formats =
    filter.name === 'format' ? splitArguments(filter.arguments).flatMap(({ value }) => value.split('|')) : [];
  const keeps = colourKeeping.has(filter.name) && formats.every((format) => usualYuv.test(format));
  return !isUsual || !keeps || changesColour(filter);
}

/**
 * True when a filter gives frames another transfer curve or other primaries, so that what HDR10 says of the light of a film
 * may not hold behind it.
 */
export function changesLight(filter: Filter): boolean {
  const { name } = filter;
  const given = splitArguments(filter.arguments);
  const sets = (keys: RegExp): boolean => given.some(({ key }) => key !== undefined && keys.test(key));
  return (
    /^(tonemap|libplacebo$|colorspace$)/.test(name) ||
    (name === 'zscale' && sets(/^(t|transfer|p|primaries)$/)) ||
    (name.startsWith('scale') && sets(/^out_(color_)?(transfer|primaries)$/)) ||
    // Without names, primaries are the third.
    (name === 'setparams' &&
      (sets(/^color_(trc|primaries)$/) || given.filter(({ key }) => key === undefined).length > 2))
  );
}

/** True when a filter gives frames another place of chroma. */
export function changesChromaPlace({ name, arguments: text }: Filter): boolean {
  return (
    name === 'libplacebo' ||
    (/^(zscale|scale|setparams)$/.test(name) && /(^|:)(c|chromal|out_chroma_loc|chroma_location)=/.test(text ?? ''))
  );
}

/** The time base that a filter gives its frames, from the one it takes; undefined when its text does not tell. */
export function timeBaseAfter(filter: Filter, before: Ratio | undefined): Ratio | undefined {
  if (filter.name === 'fps') {
    const value = argument(filter, 'fps') ?? '25';
    const rate = namedRates[value] ?? readRatio(value);
    return rate === undefined ? undefined : { num: rate.den, den: rate.num };
  }
  if (filter.name === 'settb') {
    const value = argument(filter, 'expr') ?? argument(filter, 'tb') ?? 'intb';
    return value === 'intb' ? before : value === 'AVTB' ? { num: 1, den: 1_000_000 } : readRatio(value);
  }
  if (clockUnknown.has(filter.name) || isSource(filter)) {
    return undefined;
  }
  return before !== undefined && halving.has(filter.name) ? { num: before.num, den: before.den * 2 } : before;
}

/** A named argument of a filter, or its first one when that has no name. */
function argument(filter: Filter, key: string): string | undefined {
  const given = splitArguments(filter.arguments);
  return (
    given.find((one) => one.key === key)?.value ?? given.find((one, at) => at === 0 && one.key === undefined)?.value
  );
}

/** Filters after which frames lie in GPU memory: uploads, and those that work there. */
export function leavesOnGpu(filter: Filter): boolean {
  return /^hw(upload|map)|_(cuda|npp|vaapi|qsv|vulkan|opencl|videotoolbox|vt)$/.test(filter.name);
}

/** True for the filters that bring frames back from GPU memory. */
export function bringsFromGpu(filter: Filter): boolean {
  return filter.name === 'hwdownload';
}

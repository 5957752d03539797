import { resolve } from 'node:path';
import { chooseModel, loadModel, type FrameRestorer, type Model } from '../../core/index.js';
import { requireFitting } from '../drop-in/filter-model.js';
import { findFfmpeg, type FoundFfmpeg } from '../command/find-ffmpeg.js';
import { decode, type DecodedStream } from '../pipeline/decode.js';
import { frameColour } from '../pipeline/frame-colour.js';
import type { FramePool } from '../pipeline/frame-pool.js';
import { isAddress, openClip, type Clip } from './open-clip.js';
import type { RestoreVideoFramesOptions } from './options.js';
import { displayMatrix, type DisplayMatrix } from './orientation.js';
import { decodeWords, fieldsRefused, isInterlaced, type ClipPart, type DecodePlanInput } from './plan-clip.js';

/** A clip whose frames come, and what restores them. */
export interface OpenedFrames {
  readonly ffmpeg: FoundFfmpeg;
  readonly clip: Clip;
  readonly part: ClipPart | undefined;
  readonly model: Model;
  readonly restorer: FrameRestorer;
  readonly source: DecodedStream;
  /** What the clip's frames were asked for with. */
  readonly decoding: DecodePlanInput;
  readonly decodeArgs: readonly string[];
  /** How players should turn the pictures, where they were left as they are. */
  readonly orientation: DisplayMatrix | undefined;
  /** Ends the decoding, and unloads the model unless it is the caller's. */
  close(): Promise<void>;
}

/**
 * Opens a clip, a model, and the way from one to the other. With `keepsOrientation` frames come as they are stored, else
 * upright. They lie in memory of `pool`, where one is given.
 * @throws what `restoreVideo` does, but for what concerns its output
 */
export async function openFrames(
  input: string,
  options: RestoreVideoFramesOptions,
  { keepsOrientation, pool }: { readonly keepsOrientation: boolean; readonly pool?: FramePool },
): Promise<OpenedFrames> {
  const { signal } = options;
  const ffmpeg = await findFfmpeg({ ffmpeg: options.ffmpeg, ffprobe: options.ffprobe });
  const clip = await openClip(ffmpeg, isAddress(input) ? input : resolve(input), { stream: options.stream, signal });
  const { model, isOurs } = await modelOf(options);
  let source: DecodedStream | undefined;
  const close = async (): Promise<void> => {
    await source?.stop();
    if (isOurs) {
      await model.dispose();
    }
  };
  try {
    const deinterlace = options.deinterlace === true;
    if (isInterlaced(clip) && !deinterlace && !keepsFields(model)) {
      throw fieldsRefused(input);
    }
    const part = partOf(options);
    const matrix = displayMatrix(clip.stream.sideData);
    const decoding = { ...clip, part, deinterlace, turnsUpright: matrix !== undefined && !keepsOrientation };
    const decodeArgs = decodeWords(decoding);
    source = await decode({ program: ffmpeg.ffmpeg, args: decodeArgs, signal, pool });
    const restorer = await model.createFrameRestorer(
      source.layout,
      frameColour(source.header, clip.stream),
      restoreOptionsOf(options),
    );
    const orientation = decoding.turnsUpright ? undefined : matrix;
    return { ffmpeg, clip, part, model, restorer, source, decoding, decodeArgs, orientation, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A model that changes nothing can have fields as well. */
const keepsFields = ({ info }: Model): boolean => info.name === 'identity';

async function modelOf(
  options: RestoreVideoFramesOptions,
): Promise<{ readonly model: Model; readonly isOurs: boolean }> {
  const { model, task = 'upscale', scale = 2, load = {}, signal } = options;
  if (model !== undefined && typeof model !== 'string') {
    requireFitting(model, options);
    return { model, isOurs: false };
  }
  const id = model ?? chooseModel({ task, scale: task === 'upscale' ? scale : 1 }).id;
  const loaded = await loadModel(id, { ...load, ...(signal === undefined ? {} : { signal }) });
  try {
    requireFitting(loaded, options);
  } catch (error) {
    await loaded.dispose();
    throw error;
  }
  return { model: loaded, isOurs: true };
}

function restoreOptionsOf(options: RestoreVideoFramesOptions) {
  const { tile, overlap, memoryBytes, routing, seed, signal, warn } = options;
  return {
    ...(tile === undefined ? {} : { tile }),
    ...(overlap === undefined ? {} : { overlap }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(routing === undefined ? {} : { routing }),
    ...(seed === undefined ? {} : { seed }),
    ...(signal === undefined ? {} : { signal }),
    warn: (_: string, message: string) => warn?.({ code: 'frame-mended', message }),
  };
}

function partOf({ start, end }: RestoreVideoFramesOptions): ClipPart | undefined {
  return (start ?? 0) === 0 && end === undefined ? undefined : { start: start ?? 0, end };
}

/** Frames that will come, as far as packets and rates tell. */
export function expectedFrames({ header, stream, pictures }: Clip, part: ClipPart | undefined): number | undefined {
  if (part === undefined) {
    return pictures.packets === 0 ? undefined : pictures.packets;
  }
  const end = part.end ?? header.duration;
  const rate = stream.averageRate ?? stream.frameRate;
  return end === undefined || rate === undefined
    ? undefined
    : Math.max(1, Math.min(pictures.packets, Math.round(((end - part.start) * rate.num) / rate.den)));
}

/** When a frame of a stream is shown. */
export const secondsOf = ({ header }: DecodedStream, pts: number): number =>
  (pts * header.timeBase[0]) / header.timeBase[1];

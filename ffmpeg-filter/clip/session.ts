import { staticHdr } from '../command/hdr-options.js';
import type { VideoHeader } from '../transport/video-stream.js';
import type { HdrNumbers } from '../transport/write-matroska.js';
import { FramePool } from '../pipeline/frame-pool.js';
import { containerOf, type Container } from './container.js';
import { chooseEncoder, qualityOptions, type EncoderChoice, type EncoderFormats } from './encoders.js';
import type { VideoLoss } from './losses.js';
import { askEncoders, tryEncode, type Clip } from './open-clip.js';
import { openFrames, secondsOf, type OpenedFrames } from './open-frames.js';
import type { RestoreVideoOptions } from './options.js';
import { displayMatrix } from './orientation.js';
import { hdrOfFrames, planEncode, type EncodePlan } from './plan-clip.js';

/** A clip whose frames come, and a plan for the file that they go into. */
export interface Session extends OpenedFrames {
  readonly options: RestoreVideoOptions;
  /** Where the memory of frames comes from, and goes back to. */
  readonly pool: FramePool;
  readonly container: Container;
  readonly encoder: EncoderChoice;
  readonly formatsOf: EncoderFormats;
  readonly plan: EncodePlan;
  /** HDR10's static data that frames go to the encoder with, in Matroska. */
  readonly hdr: HdrNumbers | undefined;
}

/** Opens a clip for an output. @throws what `restoreVideo` does before it restores anything */
export async function openSession(input: string, output: string, options: RestoreVideoOptions): Promise<Session> {
  const container = containerOf(output);
  const pool = new FramePool();
  const opened = await openFrames(input, options, { keepsOrientation: container.holdsOrientation, pool });
  try {
    const { ffmpeg, clip, source, decoding, restorer } = opened;
    const formatsOf = askEncoders(ffmpeg);
    const encoderOptions = Object.entries(options.encoderOptions ?? {});
    const pixelFormat = source.header.pixelFormat.name;
    const hdr = staticHdr([...clip.stream.sideData, ...clip.pictures.sideData]);
    const encoder = await chooseEncoder(
      {
        ...{ container, pixelFormat, width: restorer.layout.width, height: restorer.layout.height },
        ...{ sourceCodec: clip.stream.codec, sourceProfile: clip.stream.profile },
        hasHdr: hdr.display !== undefined || hdr.light !== undefined,
        ...{ codec: options.codec, crf: options.crf, chosenFormat: options.pixelFormat },
        hasQuality: encoderOptions.some(([name]) => qualityOptions.includes(name)),
      },
      formatsOf,
    );
    const carried = hdrOfFrames(clip, { frames: source.header, encoder: encoder.encoder, encoderOptions });
    const plan = planEncode({
      ...{ ...decoding, container, encoder, encoderOptions, frameFormat: pixelFormat },
      ...{ ffmpegVersion: ffmpeg.version, hdr: carried },
    });
    return { ...opened, options, pool, container, encoder, formatsOf, plan, hdr: carried };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/**
 * What the output will not have, found by making it with one frame.
 * @throws MAMBAIR_FFMPEG_ENCODE when it cannot be made at all
 */
export async function foreseeLosses(session: Session): Promise<readonly VideoLoss[]> {
  const { ffmpeg, clip, plan, container, restorer, source, encoder, options, part } = session;
  const found = await tryEncode({
    ...{ ffmpeg, clip, plan, extension: container.extension, header: restoredHeader(session), layout: restorer.layout },
    firstPts: source.firstPts,
    hdr: session.hdr,
    firstSeconds: secondsOf(source, source.firstPts),
    signal: options.signal,
  });
  const isTurned = displayMatrix(clip.stream.sideData) !== undefined && session.orientation === undefined;
  return [
    ...(encoder.loss === undefined ? [] : [{ kind: 'pixels', message: `the pictures: ${encoder.loss}` } as const]),
    ...(isTurned
      ? [
          {
            kind: 'orientation',
            message: `${container.extension} does not say how pictures are turned; they are turned upright instead`,
          } as const,
        ]
      : []),
    ...(losesTimes(session) && part === undefined
      ? [
          {
            kind: 'times',
            message: `${container.extension} counts in milliseconds; times are rounded to them`,
          } as const,
        ]
      : []),
    ...(container.family === 'ts' && part === undefined && (clip.pictures.firstPts ?? 0) < 0
      ? [
          {
            kind: 'times',
            message: `${container.extension} has no times before zero; everything is moved by as much`,
          } as const,
        ]
      : []),
    ...found,
  ];
}

/** Matroska has a clock of milliseconds, AVI none at all. */
function losesTimes({ clip, container }: Session): boolean {
  const { timeBase } = clip.stream;
  return (
    (container.family === 'matroska' || container.family === 'webm') &&
    timeBase !== undefined &&
    (1000 * timeBase.num) % timeBase.den !== 0 &&
    !isMilliseconds(clip)
  );
}

/** True for a constant rate whose frames last whole milliseconds. */
function isMilliseconds({ stream, pictures }: Clip): boolean {
  return (
    pictures.isOnGrid && stream.frameRate !== undefined && (1000 * stream.frameRate.den) % stream.frameRate.num === 0
  );
}

/** The header of restored frames. */
const restoredHeader = ({ source, restorer }: Session): VideoHeader => ({
  ...source.header,
  width: restorer.layout.width,
  height: restorer.layout.height,
});

import { readdir, stat } from 'node:fs/promises';
import { join, parse } from 'node:path';
import { MambairError } from '../errors.js';
import type { Network } from '../executors/executor.js';
import { type EvaluationImage, evaluateSet, type ImageScores, type SetScores } from '../evaluate/evaluate-set.js';
import { benchmarkMode } from '../evaluate/protocol.js';
import { readBenchmarkImage } from '../image/benchmark-image.js';
import { decodeJpeg, encodeJpeg } from '../image/encode-jpeg.js';
import { imageFormatOfPath } from '../image/image-format.js';
import type { PixelImage } from '../image/pixels.js';
import type { Model } from './model.js';
import type { RestorePictureOptions } from './restore-picture.js';

/** What to measure and how; exactly one of `scale`, `sigma` and `quality`. */
export interface EvaluateFolderOptions extends RestorePictureOptions {
  /** Folder of the good pictures. */
  readonly hr: string;
  /** Folder of ready small pictures (`name`, `namex2` or `name_LRBI_x2`); without it they are made by MATLAB's bicubic. */
  readonly lr?: string;
  readonly scale?: number;
  /** Standard deviation of Gaussian noise, 8-bit units. */
  readonly sigma?: number;
  /** JPEG quality, 1…100. */
  readonly quality?: number;
  /** Averages eight flips and transpositions, the "+" rows of the papers. */
  readonly selfEnsemble?: boolean;
  /** Told of each picture as soon as it is scored. */
  readonly onImage?: (scores: ImageScores) => void;
}

/**
 * Scores a model on a folder of pictures by the papers' protocol, with their tiles unless told otherwise.
 * @throws MAMBAIR_OPTION_INVALID, MAMBAIR_FILE_NOT_FOUND, MAMBAIR_METRIC_UNDEFINED, and what reading and restoring raise
 */
export async function evaluateFolder(model: Model, options: EvaluateFolderOptions): Promise<SetScores> {
  const { hr, lr, scale, sigma, quality, selfEnsemble, onImage, ...restore } = options;
  const given = [scale, sigma, quality].filter((each) => each !== undefined);
  if (given.length !== 1) {
    throw new MambairError('MAMBAIR_OPTION_INVALID', 'exactly one of scale, sigma and JPEG quality should be given');
  }
  if (lr !== undefined && scale === undefined) {
    throw new MambairError('MAMBAIR_OPTION_INVALID', 'ready small pictures go with upscaling only');
  }
  const task =
    scale !== undefined
      ? ({ kind: 'upscale', scale } as const)
      : sigma !== undefined
        ? ({ kind: 'denoise', sigma } as const)
        : ({ kind: 'jpeg', quality: quality ?? 0, encode: jpegAndBack } as const);
  const { network } = model;
  const mode = benchmarkMode(task, network.inputChannels);
  // Through the model, which goes on with another device when one is lost.
  const lasting: Network = {
    scale: network.scale,
    inputChannels: network.inputChannels,
    outputChannels: network.outputChannels,
    plan: (height, width) => model.network.plan(height, width),
    run: (input, options) => model.runTensor(input, options),
    dispose: () => Promise.resolve(),
    ...(network.runsAtOnce === undefined ? {} : { runsAtOnce: network.runsAtOnce }),
  };
  return evaluateSet(lasting, readPairs(hr, lr, { scale: scale ?? 1, mode }), {
    ...restore,
    tile: restore.tile ?? 'official',
    routing: restore.routing ?? 'seeded',
    task,
    ...(selfEnsemble === undefined ? {} : { selfEnsemble }),
    ...(onImage === undefined ? {} : { onImage }),
  });
}

/** The pictures of a folder, in the order of their names. @throws MAMBAIR_FILE_NOT_FOUND */
export async function listPictures(folder: string): Promise<readonly string[]> {
  const isFolder = await stat(folder).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
  if (!isFolder) {
    throw new MambairError('MAMBAIR_FILE_NOT_FOUND', `there is no folder ${folder}`, { detail: { path: folder } });
  }
  const names = (await readdir(folder)).filter(
    (name) => !name.startsWith('.') && imageFormatOfPath(name) !== undefined,
  );
  return names.sort((a, b) => (a < b ? -1 : 1)).map((name) => join(folder, name));
}

async function* readPairs(
  hrFolder: string,
  lrFolder: string | undefined,
  { scale, mode }: { readonly scale: number; readonly mode: 'gray' | 'colour' },
): AsyncIterable<EvaluationImage> {
  const small =
    lrFolder === undefined ? undefined : new Map((await listPictures(lrFolder)).map((path) => [stem(path), path]));
  for (const path of await listPictures(hrFolder)) {
    const name = stem(path);
    const lrPath = [name, `${name}x${scale}`, `${name}_LRBI_x${scale}`].map((each) => small?.get(each)).find(Boolean);
    if (small !== undefined && lrPath === undefined) {
      throw new MambairError(
        'MAMBAIR_FILE_NOT_FOUND',
        `${lrFolder} should hold the small picture of ${name}, called ${name}, ${name}x${scale} or ${name}_LRBI_x${scale}`,
      );
    }
    const lr = lrPath === undefined ? {} : { lr: await readBenchmarkImage(lrPath, mode) };
    yield { name, hr: await readBenchmarkImage(path, mode), ...lr };
  }
}

function stem(path: string): string {
  return parse(path).name;
}

async function jpegAndBack(image: PixelImage, quality: number): Promise<PixelImage> {
  return decodeJpeg(await encodeJpeg(image, { quality }));
}

import { MambairError, throwIfCancelled } from '../errors.js';
import type { Network } from '../executors/executor.js';
import type { BenchmarkImage } from '../image/benchmark-image.js';
import type { RestoreOptions } from '../restore/options.js';
import { restoreTensor } from '../restore/restore-tensor.js';
import { selfEnsemble } from '../restore/self-ensemble.js';
import { grayToRgb, rgbToGray } from './gray-for-colour.js';
import type { EvaluationTask, Scores } from './protocol.js';
import { prepareSample, scoreOutput } from './protocol.js';

/**
 * One picture of a test set, read by {@link benchmarkMode}: the good one and, for upscaling, the ready small one if the
 * set brings it.
 */
export interface EvaluationImage {
  readonly name: string;
  readonly hr: BenchmarkImage;
  readonly lr?: BenchmarkImage;
}

/** The scores of one picture. */
export interface ImageScores extends Scores {
  /** File name without its ending. */
  readonly name: string;
}

/** The scores of a set: per picture, and their unweighted mean. */
export interface SetScores {
  readonly images: readonly ImageScores[];
  readonly mean: Scores;
}

/** How a set is evaluated. The papers' figures come from `tile: 'official'`. */
export interface EvaluateOptions extends RestoreOptions {
  readonly task: EvaluationTask;
  /** Averages over eight flips and transpositions: the "+" rows of the papers, in eight times the time. */
  readonly selfEnsemble?: boolean;
  /** Told of each picture as soon as it is scored. */
  readonly onImage?: (scores: ImageScores) => void;
}

/** @throws MAMBAIR_OPTION_INVALID when network and task do not go together */
function checkTask(network: Network, task: EvaluationTask): void {
  const { scale, inputChannels } = network;
  const wantedScale = task.kind === 'upscale' ? task.scale : 1;
  if (scale !== wantedScale) {
    throw new MambairError(
      'MAMBAIR_OPTION_INVALID',
      `the task "${task.kind}" needs a network of scale ${wantedScale}, this one has ${scale}`,
    );
  }
  if (inputChannels !== 1 && inputChannels !== 3) {
    throw new MambairError(
      'MAMBAIR_OPTION_INVALID',
      `the task "${task.kind}" needs a network of 1 or 3 channels, this one has ${inputChannels}`,
    );
  }
}

function meanScores(images: readonly ImageScores[]): Scores {
  const mean = (key: keyof Scores): number => images.reduce((sum, scores) => sum + scores[key], 0) / images.length;
  return { psnrRgb: mean('psnrRgb'), psnrY: mean('psnrY'), ssimRgb: mean('ssimRgb'), ssimY: mean('ssimY') };
}

/**
 * Scores a network on a test set by the papers' protocol: makes each input by the rule of the task, restores it,
 * rounds to 8 bit and compares. The published figure of super-resolution is `psnrY`, of colour denoising `psnrRgb`;
 * gray tasks have one value for both. JPEG repair is scored on gray pictures; a colour network gets them in all three
 * channels, and the luma of what it makes is compared.
 * @throws MAMBAIR_OPTION_INVALID for a network that does not fit the task, or an empty set; what making a sample
 * ({@link prepareSample}), restoring ({@link restoreTensor}) and scoring ({@link scoreOutput}) throw
 */
export async function evaluateSet(
  network: Network,
  images: Iterable<EvaluationImage> | AsyncIterable<EvaluationImage>,
  options: EvaluateOptions,
): Promise<SetScores> {
  const { task, onImage, selfEnsemble: isEnsemble = false, ...restoreOptions } = options;
  checkTask(network, task);
  const restore = isEnsemble ? selfEnsemble : restoreTensor;
  const scored: ImageScores[] = [];
  for await (const { name, hr, lr } of images) {
    throwIfCancelled(options.signal);
    const sample = await prepareSample(task, hr, lr);
    const isGrayForColour = sample.reference.channels === 1 && network.inputChannels === 3;
    const input = isGrayForColour ? grayToRgb(sample.input) : sample.input;
    const restored = await restore(network, input, restoreOptions);
    const output = isGrayForColour ? rgbToGray(restored) : restored;
    const scores = { name, ...scoreOutput(output, sample) };
    scored.push(scores);
    onImage?.(scores);
  }
  if (scored.length === 0) {
    throw new MambairError('MAMBAIR_OPTION_INVALID', 'a test set needs at least one picture, none was given');
  }
  return { images: scored, mean: meanScores(scored) };
}

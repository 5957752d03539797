import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { recognise } from '../../core/architectures/architectures.js';
import type { RecognisedModel } from '../../core/architectures/architecture.js';
import type { Executor, Routing, RunResult } from '../../core/executors/executor.js';
import { toFloat32, toInt32 } from '../../core/tensor/convert.js';
import { parseSafetensors } from '../../core/tensor/safetensors.js';
import type { StoredTensor, Tensor, TensorMap } from '../../core/tensor/tensor.js';
import { sharedPath } from '../shared-path.js';
import { goldenTaps } from './golden-taps.js';

/** The network fixtures of MambaIRv2: small random networks computed by the official code in float64. */
export const networkFixtures = [
  'mambairv2-classic-denoise-rgb-gumbel',
  'mambairv2-classic-jpeg-gray-argmax',
  'mambairv2-classic-x2-direct-noqkvbias-gumbel',
  'mambairv2-classic-x2-pixelshuffle-argmax',
  'mambairv2-classic-x3-pixelshuffle-gumbel',
  'mambairv2-classic-x4-nearestconv-argmax',
  'mambairv2-classic-x4-pixelshuffle-argmax-batch2',
  'mambairv2-light-denoise-range255-argmax',
  'mambairv2-light-x2-argmax',
  'mambairv2-light-x2-seeded-fullwidth',
  'mambairv2-light-x2-seeded-longscan',
  'mambairv2-light-x3-gumbel',
  'mambairv2-light-x4-gumbel-batch2',
] as const;

/** What the WebGPU executor may be away from them (f32): relative L2, inner values too. */
export const webgpuBound = 2e-5;

/** A fixture as it stands on disk. */
export interface Golden {
  readonly name: string;
  /** Weights under their official names, beside `input`, `output`, `noise*`, `cls*`, `tap.*`. */
  readonly tensors: TensorMap;
  readonly routing: 'argmax' | 'gumbel' | 'seeded';
  /** Seed of the `seeded` fixtures. */
  readonly noiseSeed: number;
  readonly imgRange: number;
}

/** How far an executor is from a fixture. Distances are ‖a − b‖₂ / ‖b‖₂ in float64. */
export interface GoldenComparison {
  readonly output: number;
  /** Distance of every `tap.*` of features in the fixture. */
  readonly taps: Readonly<Record<string, number>>;
  /** Decisions that differ from `cls*`, over all blocks, of how many. */
  readonly classFlips: number;
  readonly decisions: number;
  /** Places that differ from `tap.b0.order`; 0 where the fixture has none. */
  readonly orderErrors: number;
}

/** How a comparison is made. */
export interface GoldenOptions {
  /** Take the classes from the fixture instead of asking the router. Default false. */
  readonly forceClasses?: boolean;
  /** Also compare inner values and classes. Default true. */
  readonly taps?: boolean;
  /** Weights from elsewhere, for the fixture that does not hold them. */
  readonly weights?: TensorMap;
}

/** Reads a fixture of `../shared/golden`; the caller has checked that the folder is there. */
export async function loadGolden(name: string): Promise<Golden> {
  const path = (extension: string) => sharedPath(`golden/${name}.${extension}`) ?? `golden/${name}.${extension}`;
  const { tensors } = parseSafetensors(await readFile(path('safetensors')), basename(path('safetensors')));
  const sidecar = JSON.parse(await readFile(path('json'), 'utf8')) as {
    readonly routing: Golden['routing'];
    readonly noise_seed: number | null;
    readonly hyper_parameters?: { readonly img_range: number };
  };
  return {
    name,
    tensors,
    routing: sidecar.routing,
    noiseSeed: sidecar.noise_seed ?? 0,
    imgRange: sidecar.hyper_parameters?.img_range ?? 1,
  };
}

/** The network of a fixture; its `img_range` comes from the sidecar, because no weight shows it. */
export function recogniseGolden(golden: Golden, weights: TensorMap = golden.tensors): RecognisedModel {
  return recognise(weights, { allowExtra: true, overrides: { img_range: `${golden.imgRange}` } });
}

/** Runs a fixture's network on its input and measures the distance to everything the fixture holds. */
export async function compareGolden(
  executor: Executor,
  fixtureName: string,
  options: GoldenOptions = {},
): Promise<GoldenComparison> {
  const golden = await loadGolden(fixtureName);
  const weights = options.weights ?? golden.tensors;
  const { graph } = recogniseGolden(golden, weights);
  const wanted = options.taps === false ? [] : goldenTaps(graph, golden.tensors);
  const classNodes = options.taps === false ? [] : graph.routes.map((id) => graph.nodes[id]?.name ?? '');

  const network = await executor.load(graph, weights);
  let result: RunResult;
  try {
    result = await network.run(goldenInput(golden), {
      routing: goldenRouting(golden, graph.routes.length, options.forceClasses ?? false),
      taps: [...new Set([...wanted.flatMap(({ nodes }) => nodes), ...classNodes])],
    });
  } finally {
    await network.dispose();
  }

  const taps: Record<string, number> = {};
  let orderErrors = 0;
  for (const { tap, compute } of wanted) {
    const expected = stored(golden.tensors, `tap.${tap}`);
    const got = compute(result.taps, weights);
    if (tap.endsWith('.order')) {
      orderErrors += countDifferences(got, toInt32(expected, tap));
    } else {
      taps[tap] = relativeDistance(got, toFloat64(expected));
    }
  }
  let classFlips = 0;
  let decisions = 0;
  classNodes.forEach((node, block) => {
    const expected = toInt32(stored(golden.tensors, `cls${block}`), `cls${block}`);
    classFlips += countDifferences(result.taps.get(node)?.data ?? [], expected);
    decisions += expected.length;
  });
  const output = relativeDistance(result.output.data, toFloat64(stored(golden.tensors, 'output')));
  return { output, taps, classFlips, decisions, orderErrors };
}

/** The fixture's input image `[B, C, h, w]`. */
export function goldenInput({ tensors }: Golden): Tensor {
  const input = stored(tensors, 'input');
  return { shape: input.shape, data: toFloat32(input) };
}

/** The routing that a fixture was computed with, or its classes. */
export function goldenRouting({ tensors, routing, noiseSeed }: Golden, blocks: number, forceClasses: boolean): Routing {
  const perBlock = Array.from({ length: blocks }, (_, block) => block);
  if (forceClasses) {
    return { kind: 'forced', classes: perBlock.map((block) => toInt32(stored(tensors, `cls${block}`), `cls${block}`)) };
  }
  switch (routing) {
    case 'argmax':
      return { kind: 'argmax' };
    case 'gumbel':
      return { kind: 'replay', noise: perBlock.map((block) => toFloat32(stored(tensors, `noise${block}`))) };
    case 'seeded':
      return { kind: 'seeded', seed: noiseSeed };
  }
}

/** ‖a − b‖₂ / ‖b‖₂; NaN when the lengths differ or a value is missing, so that no bound lets it pass. */
export function relativeDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let difference = 0;
  let norm = 0;
  for (let index = 0; index < b.length; index += 1) {
    difference += ((a[index] ?? Number.NaN) - (b[index] as number)) ** 2;
    norm += (b[index] as number) ** 2;
  }
  return a.length === b.length ? Math.sqrt(difference / norm) : Number.NaN;
}

/** A tensor that must be in a fixture. */
export function stored(tensors: TensorMap, name: string): StoredTensor {
  const found = tensors.get(name);
  if (found === undefined) {
    throw new Error(`the fixture has no tensor ${name}`);
  }
  return found;
}

/** The values of an F64 tensor without loss; other types widened. */
export function toFloat64(tensor: StoredTensor): Float64Array {
  return tensor.dtype === 'F64'
    ? new Float64Array(new Uint8Array(tensor.bytes).buffer)
    : Float64Array.from(toFloat32(tensor));
}

function countDifferences(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let count = Math.abs(a.length - b.length);
  for (let index = 0; index < Math.min(a.length, b.length); index += 1) {
    count += a[index] === b[index] ? 0 : 1;
  }
  return count;
}

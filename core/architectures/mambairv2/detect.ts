import type { TensorMap } from '../../tensor/tensor.js';
import { brokenCheckpoint, findProblems, hasProblems } from '../checkpoint-problems.js';
import { blockCount, type MambaIRv2Config } from './config.js';
import { weightShapes } from './weight-shapes.js';

/** The papers' name, for messages. */
export const title = 'MambaIRv2';

/** Buffers that may be stored and are not used: the index follows from the window size. */
const buffers = new Set(['relative_position_index_SA']);

const promptKey = /^layers\.\d+\.residual_group\.layers\.\d+\.assm\.embeddingB\.weight$/;
const blockKey = /^layers\.(0|[1-9]\d{0,5})\.residual_group\.layers\.(0|[1-9]\d{0,5})\.(.+)$/;

/** Only MambaIRv2 has a prompt per block. */
export function isMambaIRv2(tensors: TensorMap): boolean {
  return [...tensors.keys()].some((key) => promptKey.test(key));
}

/**
 * Every hyper-parameter from keys and shapes, then every tensor checked against what these ask for.
 * `imgRange` is the one thing the file cannot tell.
 * @throws MAMBAIR_ARCHITECTURE_BROKEN naming the tensors that are missing, misshaped or (unless allowed) unknown.
 */
export function detectMambaIRv2(tensors: TensorMap, imgRange: number, allowExtra: boolean): MambaIRv2Config {
  const config = readConfig(tensors, imgRange);
  const problems = findProblems(tensors, weightShapes(config), allowExtra ? new Set(tensors.keys()) : buffers);
  if (hasProblems(problems)) {
    throw brokenCheckpoint(title, problems);
  }
  return config;
}

/** Shapes of the first block that has a tensor: one lost tensor must not hide what the others say. */
class BlockShapes {
  readonly depths: number[] = [];
  readonly #first = new Map<string, readonly number[]>();
  readonly #firstOfGroup = new Map<string, readonly number[]>();

  constructor(tensors: TensorMap) {
    for (const [key, { shape }] of tensors) {
      const match = blockKey.exec(key);
      if (match === null) {
        continue;
      }
      const [group, block, name] = [Number(match[1]), Number(match[2]), match[3] as string];
      if (group >= tensors.size || block >= tensors.size) {
        throw brokenCheckpoint(title, { reason: 'it numbers more blocks than it has tensors', unknown: [key] });
      }
      while (this.depths.length <= group) {
        this.depths.push(1);
      }
      this.depths[group] = Math.max(this.depths[group] ?? 1, block + 1);
      if (!this.#first.has(name)) {
        this.#first.set(name, shape);
      }
      if (!this.#firstOfGroup.has(`${group}.${name}`)) {
        this.#firstOfGroup.set(`${group}.${name}`, shape);
      }
    }
  }

  /** The shape of a block's tensor, below the block's path; taken from `group` if that has one. */
  find(name: string, group = 0): readonly number[] | undefined {
    return this.#firstOfGroup.get(`${group}.${name}`) ?? this.#first.get(name);
  }
}

function readConfig(tensors: TensorMap, imgRange: number): MambaIRv2Config {
  const blocks = new BlockShapes(tensors);
  const keys = [...tensors.keys()];
  const hasModule = (path: string) => keys.some((key) => key.startsWith(`${path}.`));

  /** Checks the number of axes of a shape that hyper-parameters are read from. */
  const axes = (key: string, shape: readonly number[] | undefined, count: number): readonly number[] => {
    if (shape === undefined) {
      throw brokenCheckpoint(title, { missing: [key] });
    }
    if (shape.length !== count || shape.some((size) => size < 1)) {
      throw brokenCheckpoint(title, {
        misshaped: [`"${key}" has shape [${shape.join(', ')}], expected ${count} axes of at least 1`],
      });
    }
    return shape;
  };
  const top = (key: string, count: number) => axes(key, tensors.get(key)?.shape, count);
  const inBlock = (name: string, count: number, group = 0) =>
    axes(`layers.${group}.residual_group.layers.0.${name}`, blocks.find(name, group), count);
  const at = (shape: readonly number[], axis: number) => shape[axis] as number;

  const first = top('conv_first.weight', 4);
  const [embedDim, inChans] = [at(first, 0), at(first, 1)];
  const isLight = blocks.find('convffn1.sg.conv.weight') !== undefined;
  const depthwise = isLight ? 'convffn1.sg.conv.weight' : 'convffn1.dwconv.depthwise_conv.0.weight';
  const biasTables = blocks.depths.map((_, group) => inBlock('win_mhsa.relative_position_bias_table', 2, group));
  const aLogs = inBlock('assm.selectiveScan.A_logs', 2);
  const embeddingB = inBlock('assm.embeddingB.weight', 2);
  const config: MambaIRv2Config = {
    variant: isLight ? 'light' : 'classic',
    inChans,
    embedDim,
    depths: blocks.depths,
    numHeads: biasTables.map((table) => at(table, 1)),
    windowSize: (Math.sqrt(at(biasTables[0] ?? [], 0)) + 1) / 2,
    dInner: at(aLogs, 0),
    dState: at(aLogs, 1),
    dtRank: at(inBlock('assm.selectiveScan.dt_projs_weight', 3), 2),
    numTokens: at(embeddingB, 0),
    innerRank: at(embeddingB, 1),
    ffnDim: at(inBlock('convffn1.fc1.weight', 2), 0),
    convffnKernelSize: at(inBlock(depthwise, 4), 2),
    qkvBias: blocks.find('wqkv.bias') !== undefined,
    patchNorm: hasModule('patch_embed.norm'),
    resiConnection: hasModule('conv_after_body.0') || hasModule('conv_after_body.4') ? '3conv' : '1conv',
    ...readHead(keys, inChans, top),
    imgRange,
  };
  const reason = impossible(config, tensors);
  if (reason !== undefined) {
    throw brokenCheckpoint(title, { reason });
  }
  return config;
}

/** What cannot be a network although each shape by itself can. */
function impossible(config: MambaIRv2Config, tensors: TensorMap): string | undefined {
  const { embedDim, numHeads, windowSize, variant, ffnDim, convffnKernelSize, resiConnection } = config;
  if (blockCount(config) > tensors.size) {
    return 'it numbers more blocks than it has tensors';
  }
  if (!Number.isSafeInteger(windowSize)) {
    return 'the rows of relative_position_bias_table are not the square of an odd number';
  }
  const heads = numHeads.find((count) => embedDim % count !== 0);
  if (heads !== undefined) {
    return `${embedDim} channels do not divide into ${heads} attention heads`;
  }
  if (variant === 'light' && ffnDim % 2 !== 0) {
    return `the gate cannot halve ${ffnDim} channels`;
  }
  if (convffnKernelSize % 2 !== 1) {
    return `the feed-forward's kernel size ${convffnKernelSize} is even`;
  }
  if (embedDim < (resiConnection === '3conv' ? 4 : 3)) {
    return `${embedDim} channels are too few`;
  }
  if (tensors.has('absolute_pos_embed')) {
    return 'absolute_pos_embed ties it to one image size, which no published network does; such networks are not supported';
  }
  return undefined;
}

/**
 * The head: which one, how much it enlarges, and its inner width. Judged by modules rather than by one tensor each, so
 * that a lost tensor is missed and not read as a smaller head.
 */
function readHead(
  keys: readonly string[],
  inChans: number,
  top: (key: string, axes: number) => readonly number[],
): Pick<MambaIRv2Config, 'upsampler' | 'upscale' | 'headFeatures'> {
  const hasModule = (...paths: string[]) => keys.some((key) => paths.some((path) => key.startsWith(`${path}.`)));
  const misshaped = (problem: string) =>
    brokenCheckpoint(title, { misshaped: [`"upsample.0.weight" gives ${problem}`] });

  if (hasModule('conv_up1', 'conv_up2', 'conv_hr')) {
    const [headFeatures] = top('conv_before_upsample.0.weight', 4) as [number];
    return { upsampler: 'nearest+conv', upscale: 4, headFeatures };
  }
  if (hasModule('conv_before_upsample')) {
    const [rows, headFeatures] = top('upsample.0.weight', 4) as [number, number];
    if (rows === 9 * headFeatures) {
      return { upsampler: 'pixelshuffle', upscale: 3, headFeatures };
    }
    if (rows !== 4 * headFeatures) {
      throw misshaped(`${rows} channels of ${headFeatures}, expected 4 or 9 times as many`);
    }
    const places = keys.map((key) => Number(/^upsample\.(\d)\.(weight|bias)$/.exec(key)?.[1] ?? 0));
    return { upsampler: 'pixelshuffle', upscale: 2 ** (Math.floor(Math.max(...places) / 2) + 1), headFeatures };
  }
  if (hasModule('upsample')) {
    const [rows] = top('upsample.0.weight', 4) as [number];
    const upscale = Math.sqrt(rows / inChans);
    if (!Number.isSafeInteger(upscale)) {
      throw misshaped(`${rows} channels, expected ${inChans} times a square`);
    }
    return { upsampler: 'pixelshuffledirect', upscale, headFeatures: 0 };
  }
  return { upsampler: '', upscale: 1, headFeatures: 0 };
}

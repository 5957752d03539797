import { invariant } from '../../errors.js';
import { GraphBuilder, type WeightAndBias } from '../../graph/build-graph.js';
import type { Graph, NodeId, WeightReference } from '../../graph/graph.js';
import type { MambaIRv2Config } from './config.js';
import { blockPath, upsampleSteps, weightShapes } from './weight-shapes.js';

/** RGB mean of the DIV2K training images, a constant of the official code; networks of other channel counts use 0. */
const rgbMean = [0.4488, 0.4371, 0.404].map((value) => Math.fround(value));

/** LeakyReLU slopes are fixed in the official code: PyTorch's default after `conv_before_upsample`, else 0.2. */
const slopeBeforeUpsample = 0.01;
const slope = 0.2;

/**
 * The network of MambaIRv2 (Guo et al., "MambaIRv2: Attentive State Space Restoration", figures 3 and 4) as a graph.
 * Node names are official module paths; values without a module get a telling name below their block.
 */
export function buildMambaIRv2(config: MambaIRv2Config): Graph {
  return new Writer(config).network();
}

/** Holds what every part of the network needs while it is written down. */
class Writer {
  readonly #config: MambaIRv2Config;
  readonly #shapes: ReadonlyMap<string, readonly number[]>;
  readonly #graph = new GraphBuilder();
  #blocks = 0;

  constructor(config: MambaIRv2Config) {
    this.#config = config;
    this.#shapes = weightShapes(config);
  }

  /** A tensor of the checkpoint by its key. */
  #weight(key: string): WeightReference {
    const shape = this.#shapes.get(key);
    invariant(shape !== undefined, `MambaIRv2 has no tensor ${key}`);
    return { key, shape };
  }

  /** A module's `weight` and, if it has one, `bias`. */
  #module(path: string): WeightAndBias {
    const bias = `${path}.bias`;
    return { weight: this.#weight(`${path}.weight`), bias: this.#shapes.has(bias) ? this.#weight(bias) : undefined };
  }

  #layerNorm(path: string, x: NodeId): NodeId {
    return this.#graph.layerNorm(path, x, {
      weight: this.#weight(`${path}.weight`),
      bias: this.#weight(`${path}.bias`),
    });
  }

  #conv(path: string, x: NodeId): NodeId {
    return this.#graph.conv2d(path, x, this.#module(path));
  }

  #linear(path: string, x: NodeId): NodeId {
    return this.#graph.linear(path, x, this.#module(path));
  }

  network(): Graph {
    const graph = this.#graph;
    const { inChans, windowSize, imgRange, depths, patchNorm } = this.#config;
    const mean = inChans === 3 ? rgbMean : Array.from({ length: inChans }, () => 0);

    const image = graph.input('input', { channels: inChans, multiple: windowSize });
    const x = graph.affine('input.normalized', image, {
      scale: mean.map(() => imgRange),
      offset: mean.map((value) => -value * imgRange),
    });
    const shallow = this.#conv('conv_first', x);
    let tokens = patchNorm ? this.#layerNorm('patch_embed.norm', shallow) : shallow;
    depths.forEach((_, group) => {
      tokens = this.#group(group, tokens);
    });
    const deep = this.#residualConvolution('conv_after_body', this.#layerNorm('norm', tokens));
    const y = this.#head(graph.add('body', deep, shallow), x);
    const output = graph.affine('output', y, { scale: mean.map(() => 1 / imgRange), offset: mean });
    return graph.finish(output);
  }

  /** Attentive state space group: blocks, a convolution, and a skip around both. */
  #group(group: number, input: NodeId): NodeId {
    let x = input;
    for (let block = 0; block < (this.#config.depths[group] ?? 0); block += 1) {
      x = this.#block(group, block, x);
    }
    return this.#graph.add(`layers.${group}`, this.#residualConvolution(`layers.${group}.conv`, x), input);
  }

  /** Attentive layer: window attention, feed-forward, attentive state space module, feed-forward (figure 3). */
  #block(group: number, block: number, x: NodeId): NodeId {
    const graph = this.#graph;
    const path = blockPath(group, block);
    const attention = this.#attention(path, group, block, this.#layerNorm(`${path}.norm1`, x));
    const xWin = graph.add(`${path}.x_win`, attention, x);
    const ffn1 = this.#feedForward(`${path}.convffn1`, this.#layerNorm(`${path}.norm2`, xWin));
    // The block's input enters twice: inside x_win and scaled per channel.
    const shortcut1 = graph.scaleChannels(`${path}.scale1`, x, this.#weight(`${path}.scale1`));
    const mid = graph.add(`${path}.mid`, graph.add(`${path}.mid.shortcut`, xWin, shortcut1), ffn1);

    const assm = this.#attentiveStateSpace(path, this.#layerNorm(`${path}.norm3`, mid));
    const xAca = graph.add(`${path}.x_aca`, assm, mid);
    const ffn2 = this.#feedForward(`${path}.convffn2`, this.#layerNorm(`${path}.norm4`, xAca));
    const shortcut2 = graph.scaleChannels(`${path}.scale2`, mid, this.#weight(`${path}.scale2`));
    return graph.add(path, graph.add(`${path}.shortcut`, xAca, shortcut2), ffn2);
  }

  #attention(path: string, group: number, block: number, x: NodeId): NodeId {
    const { windowSize, numHeads } = this.#config;
    const attention = this.#graph.windowAttention(`${path}.win_mhsa`, this.#linear(`${path}.wqkv`, x), {
      windowSize,
      heads: numHeads[group] ?? 0,
      shift: block % 2 === 1 ? Math.floor(windowSize / 2) : 0,
      biasTable: this.#weight(`${path}.win_mhsa.relative_position_bias_table`),
    });
    return this.#linear(`${path}.win_mhsa.proj`, attention);
  }

  /**
   * Attentive state space module (section 3.2): a router gives every pixel a class; the pixels are scanned in class
   * order, and the class's prompt is added to C; with a single class they stay in raster order. Projection and output layers act per pixel, so that the order
   * matters inside the scan only.
   */
  #attentiveStateSpace(block: string, x: NodeId): NodeId {
    const graph = this.#graph;
    const { dState, dtRank } = this.#config;
    const path = `${block}.assm`;
    const classes = this.#classes(path, x);
    const inProj = this.#linear(`${path}.in_proj.0`, x);
    const position = graph.depthwiseConv2d(`${path}.CPE.0`, inProj, this.#module(`${path}.CPE.0`));
    const u = graph.multiply(`${path}.selectiveScan.u`, inProj, graph.sigmoid(`${path}.CPE.sigmoid`, position));
    const scan = `${path}.selectiveScan`;
    const projection = graph.linear(`${scan}.x_proj`, u, { weight: this.#weight(`${scan}.x_proj_weight`) });
    const y = graph.selectiveScan(scan, [u, projection, ...classes], {
      stateSize: dState,
      dtRank,
      dtWeight: this.#weight(`${scan}.dt_projs_weight`),
      dtBias: this.#weight(`${scan}.dt_projs_bias`),
      aLogs: this.#weight(`${scan}.A_logs`),
      skip: this.#weight(`${scan}.Ds`),
      prompt: {
        embeddingB: this.#weight(`${path}.embeddingB.weight`),
        embeddingA: this.#weight(`${block}.embeddingA.weight`),
      },
    });
    return graph.linear(path, this.#layerNorm(`${path}.out_norm`, y), this.#module(`${path}.out_proj`));
  }

  /** The class of every pixel and the order of the scan; nothing where one class leaves nothing to choose. */
  #classes(path: string, x: NodeId): readonly NodeId[] {
    const graph = this.#graph;
    const { numTokens } = this.#config;
    if (numTokens === 1) {
      return [];
    }
    const hidden = graph.gelu(`${path}.route.1`, this.#linear(`${path}.route.0`, x));
    // The official LogSoftmax subtracts one number per pixel, which no argmax sees: it is left out.
    const logits = this.#linear(`${path}.route.2`, hidden);
    const classes = graph.route(`${path}.class`, logits, { block: this.#blocks, tokens: numTokens });
    this.#blocks += 1;
    return [classes, graph.sortByClass(`${path}.order`, classes, { classes: numTokens })];
  }

  #feedForward(path: string, x: NodeId): NodeId {
    const graph = this.#graph;
    const { variant, ffnDim } = this.#config;
    const hidden = graph.gelu(`${path}.act`, this.#linear(`${path}.fc1`, x));
    if (variant === 'classic') {
      const conv = `${path}.dwconv.depthwise_conv`;
      const local = graph.gelu(`${conv}.1`, graph.depthwiseConv2d(`${conv}.0`, hidden, this.#module(`${conv}.0`)));
      return graph.linear(path, graph.add(`${path}.dwconv`, hidden, local), this.#module(`${path}.fc2`));
    }
    const half = ffnDim / 2;
    const open = graph.sliceChannels(`${path}.sg.x1`, hidden, { start: 0, channels: half });
    const gate = graph.sliceChannels(`${path}.sg.x2`, hidden, { start: half, channels: half });
    const normed = this.#layerNorm(`${path}.sg.norm`, gate);
    const conv = graph.depthwiseConv2d(`${path}.sg.conv`, normed, this.#module(`${path}.sg.conv`));
    return graph.linear(path, graph.multiply(`${path}.sg`, open, conv), this.#module(`${path}.fc2`));
  }

  /** The convolution that closes a group or the body: one 3×3, or three with a narrow middle. */
  #residualConvolution(path: string, x: NodeId): NodeId {
    if (this.#config.resiConnection === '1conv') {
      return this.#conv(path, x);
    }
    const graph = this.#graph;
    const narrow = graph.leakyRelu(`${path}.1`, this.#conv(`${path}.0`, x), slope);
    const mixed = graph.leakyRelu(`${path}.3`, this.#linear(`${path}.2`, narrow), slope);
    return graph.conv2d(path, mixed, this.#module(`${path}.4`));
  }

  /** From the last features to the image; `image` is the normalised padded input. */
  #head(features: NodeId, image: NodeId): NodeId {
    const graph = this.#graph;
    const { upsampler, upscale } = this.#config;
    switch (upsampler) {
      case 'pixelshuffledirect':
        return graph.pixelShuffle('upsample.1', this.#conv('upsample.0', features), upscale);
      case 'pixelshuffle': {
        let x = this.#beforeUpsample(features);
        upsampleSteps(upscale).forEach(({ path, factor }, step) => {
          x = graph.pixelShuffle(`upsample.${2 * step + 1}`, this.#conv(path, x), factor);
        });
        return this.#conv('conv_last', x);
      }
      case 'nearest+conv': {
        let x = this.#beforeUpsample(features);
        for (const path of ['conv_up1', 'conv_up2']) {
          const larger = graph.upsampleNearest(`${path}.upsample`, x, 2);
          x = graph.leakyRelu(`${path}.lrelu`, this.#conv(path, larger), slope);
        }
        return this.#conv('conv_last', graph.leakyRelu('conv_hr.lrelu', this.#conv('conv_hr', x), slope));
      }
      case '':
        return graph.add('residual', image, this.#conv('conv_last', features));
    }
  }

  #beforeUpsample(features: NodeId): NodeId {
    const path = 'conv_before_upsample';
    return this.#graph.leakyRelu(`${path}.1`, this.#conv(`${path}.0`, features), slopeBeforeUpsample);
  }
}

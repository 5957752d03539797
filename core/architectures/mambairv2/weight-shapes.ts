import { type MambaIRv2Config, routeDim } from './config.js';

/** Collects keys with their shapes, below a prefix. */
class ShapeList {
  readonly shapes = new Map<string, readonly number[]>();

  add(key: string, ...shape: number[]): void {
    this.shapes.set(key, shape);
  }

  /** `key.weight` and a `key.bias` with one number per output channel. */
  withBias(key: string, ...shape: [number, ...number[]]): void {
    this.add(`${key}.weight`, ...shape);
    this.add(`${key}.bias`, shape[0]);
  }
}

/** Prefix of a block's keys, e.g. `layers.0.residual_group.layers.1`. */
export function blockPath(group: number, block: number): string {
  return `layers.${group}.residual_group.layers.${block}`;
}

/**
 * Every tensor a checkpoint of this configuration holds, with its shape, apart from the redundant buffer
 * `relative_position_index_SA`. The network's graph uses exactly these.
 */
export function weightShapes(config: MambaIRv2Config): ReadonlyMap<string, readonly number[]> {
  const list = new ShapeList();
  const { embedDim: c } = config;
  list.withBias('conv_first', c, config.inChans, 3, 3);
  if (config.patchNorm) {
    list.withBias('patch_embed.norm', c);
  }
  config.depths.forEach((depth, group) => {
    for (let block = 0; block < depth; block += 1) {
      addBlock(list, blockPath(group, block), config, config.numHeads[group] ?? 0);
    }
    addResidualConvolution(list, `layers.${group}.conv`, config);
  });
  list.withBias('norm', c);
  addResidualConvolution(list, 'conv_after_body', config);
  addHead(list, config);
  return list.shapes;
}

function addBlock(list: ShapeList, path: string, config: MambaIRv2Config, heads: number): void {
  const { embedDim: c, dInner, dState, dtRank, numTokens, innerRank } = config;
  list.add(`${path}.scale1`, c);
  list.add(`${path}.scale2`, c);
  for (const norm of ['norm1', 'norm2', 'norm3', 'norm4']) {
    list.withBias(`${path}.${norm}`, c);
  }
  if (config.qkvBias) {
    list.withBias(`${path}.wqkv`, 3 * c, c);
  } else {
    list.add(`${path}.wqkv.weight`, 3 * c, c);
  }
  list.add(`${path}.win_mhsa.relative_position_bias_table`, (2 * config.windowSize - 1) ** 2, heads);
  list.withBias(`${path}.win_mhsa.proj`, c, c);
  addFeedForward(list, `${path}.convffn1`, config);
  addFeedForward(list, `${path}.convffn2`, config);

  list.add(`${path}.embeddingA.weight`, innerRank, dState);
  list.add(`${path}.assm.embeddingB.weight`, numTokens, innerRank);
  list.withBias(`${path}.assm.route.0`, routeDim(config), c);
  list.withBias(`${path}.assm.route.2`, numTokens, routeDim(config));
  list.withBias(`${path}.assm.in_proj.0`, dInner, c, 1, 1);
  list.withBias(`${path}.assm.CPE.0`, dInner, 1, 3, 3);
  list.add(`${path}.assm.selectiveScan.x_proj_weight`, 1, dtRank + 2 * dState, dInner);
  list.add(`${path}.assm.selectiveScan.dt_projs_weight`, 1, dInner, dtRank);
  list.add(`${path}.assm.selectiveScan.dt_projs_bias`, 1, dInner);
  list.add(`${path}.assm.selectiveScan.A_logs`, dInner, dState);
  list.add(`${path}.assm.selectiveScan.Ds`, dInner);
  list.withBias(`${path}.assm.out_norm`, dInner);
  list.withBias(`${path}.assm.out_proj`, c, dInner);
}

function addFeedForward(list: ShapeList, path: string, config: MambaIRv2Config): void {
  const { variant, embedDim, ffnDim, convffnKernelSize: k } = config;
  list.withBias(`${path}.fc1`, ffnDim, embedDim);
  if (variant === 'classic') {
    list.withBias(`${path}.dwconv.depthwise_conv.0`, ffnDim, 1, k, k);
    list.withBias(`${path}.fc2`, embedDim, ffnDim);
  } else {
    const gate = ffnDim / 2;
    list.withBias(`${path}.sg.norm`, gate);
    list.withBias(`${path}.sg.conv`, gate, 1, k, k);
    list.withBias(`${path}.fc2`, embedDim, gate);
  }
}

function addResidualConvolution(list: ShapeList, path: string, config: MambaIRv2Config): void {
  const { embedDim: c, resiConnection } = config;
  if (resiConnection === '1conv') {
    list.withBias(path, c, c, 3, 3);
    return;
  }
  const narrow = Math.floor(c / 4);
  list.withBias(`${path}.0`, narrow, c, 3, 3);
  list.withBias(`${path}.2`, narrow, narrow, 1, 1);
  list.withBias(`${path}.4`, c, narrow, 3, 3);
}

function addHead(list: ShapeList, config: MambaIRv2Config): void {
  const { embedDim: c, inChans, upsampler, upscale, headFeatures: nf } = config;
  switch (upsampler) {
    case 'pixelshuffledirect':
      list.withBias('upsample.0', upscale ** 2 * inChans, c, 3, 3);
      return;
    case 'pixelshuffle':
      list.withBias('conv_before_upsample.0', nf, c, 3, 3);
      for (const { path, factor } of upsampleSteps(upscale)) {
        list.withBias(path, factor ** 2 * nf, nf, 3, 3);
      }
      list.withBias('conv_last', inChans, nf, 3, 3);
      return;
    case 'nearest+conv':
      list.withBias('conv_before_upsample.0', nf, c, 3, 3);
      for (const path of ['conv_up1', 'conv_up2', 'conv_hr']) {
        list.withBias(path, nf, nf, 3, 3);
      }
      list.withBias('conv_last', inChans, nf, 3, 3);
      return;
    case '':
      list.withBias('conv_last', inChans, c, 3, 3);
      return;
  }
}

/**
 * The convolutions of the `pixelshuffle` head, each followed by a shuffle: one of factor 3 for ×3, else factors of 2.
 * Even places of the official Sequential are convolutions, odd ones shuffles.
 */
export function upsampleSteps(upscale: number): readonly { readonly path: string; readonly factor: number }[] {
  if (upscale === 3) {
    return [{ path: 'upsample.0', factor: 3 }];
  }
  return Array.from({ length: Math.log2(upscale) }, (_, step) => ({ path: `upsample.${2 * step}`, factor: 2 }));
}

/** The four ways from the last features to the image. '' is restoration: output = input + residual. */
export type Upsampler = 'pixelshuffledirect' | 'pixelshuffle' | 'nearest+conv' | '';

/** Every hyper-parameter of a MambaIRv2 network. Names follow the official constructor and the scan papers. */
export type MambaIRv2Config = {
  /** `classic` (MambaIRv2: ConvFFN) or `light` (MambaIRv2Light: gated feed-forward). */
  readonly variant: 'classic' | 'light';
  /** Image channels, in and out: 3 (RGB) or 1 (gray). */
  readonly inChans: number;
  /** C, channels of a token. */
  readonly embedDim: number;
  /** Blocks of each group. */
  readonly depths: readonly number[];
  /** Attention heads of each group's blocks. */
  readonly numHeads: readonly number[];
  readonly windowSize: number;
  /** Channels of the scan, Hd = trunc(C · mlp_ratio). */
  readonly dInner: number;
  /** N, scan states per channel. */
  readonly dState: number;
  /** R, rank of the time step, ceil(Hd / 16). */
  readonly dtRank: number;
  /** T, number of prompts and routing classes. */
  readonly numTokens: number;
  /** r, rank of the prompt matrix. */
  readonly innerRank: number;
  /** F, hidden channels of the feed-forwards; a light one's gate has half as many. */
  readonly ffnDim: number;
  /** Side of the depth-wise kernel in the feed-forwards. */
  readonly convffnKernelSize: number;
  readonly qkvBias: boolean;
  readonly patchNorm: boolean;
  readonly resiConnection: '1conv' | '3conv';
  readonly upsampler: Upsampler;
  readonly upscale: number;
  /** nf, features of the heads that have a `conv_before_upsample`; 0 for the others. */
  readonly headFeatures: number;
  /** Pixels enter the network as (x − mean) · imgRange. Not visible in a checkpoint. */
  readonly imgRange: number;
};

/** Number of blocks, i.e. of routings, of the whole network. */
export function blockCount(config: MambaIRv2Config): number {
  return config.depths.reduce((sum, depth) => sum + depth, 0);
}

/** Width of the router's hidden layer: C // 3. */
export function routeDim(config: MambaIRv2Config): number {
  return Math.floor(config.embedDim / 3);
}

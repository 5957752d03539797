import type { TensorMap } from '../tensor/tensor.js';

/** Networks whose checkpoints people will try, by a key that only they have. The first that fits wins. */
const foreignNetworks: readonly (readonly [name: string, key: RegExp])[] = [
  ['MaIR-UNet', /^encoder_level1\.\d+\.self_attention\.gating\./],
  ['MambaIR-UNet', /^encoder_level1\.\d+\.self_attention\./],
  ['MaIR', /residual_group\.blocks\.\d+\.self_attention\.gating\./],
  ['MambaIR (version 1)', /residual_group\.blocks\.\d+\.self_attention\.(A_logs|x_proj_weight)$/],
  ['ATD', /residual_group\.layers\.\d+\.attn_(atd|aca|win)\./],
  ['HAT', /residual_group\.(overlap_attn|blocks\.\d+\.conv_block)\./],
  ['SwinIR', /residual_group\.blocks\.\d+\.attn\.(qkv\.weight|relative_position_bias_table)$/],
  ['ESRGAN (RRDBNet)', /(^|\.)(rdb|RDB)[123]\.conv1\./],
  ['Restormer', /^encoder_level1\.\d+\.attn\.temperature$/],
  ['NAFNet', /^(encoders\.\d+|middle_blks)\.\d+\.(beta|gamma)$/],
  ['EDSR', /^body\.\d+\.(body\.0|conv1)\.weight$/],
  ['Real-ESRGAN compact (SRVGGNet)', /^body\.0\.weight$/],
];

/** The name of a well-known network that the engine does not run, or undefined. */
export function foreignNetwork(tensors: TensorMap): string | undefined {
  const keys = [...tensors.keys()];
  return foreignNetworks.find(([, pattern]) => keys.some((key) => pattern.test(key)))?.[0];
}

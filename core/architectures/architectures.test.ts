import { describe, expect, it } from '@jest/globals';
import { isMambairError } from '../errors.js';
import type { TensorMap } from '../tensor/tensor.js';
import { architectures, recognise } from './architectures.js';

function named(...keys: string[]): TensorMap {
  return new Map(keys.map((key) => [key, { dtype: 'F32', shape: [1], bytes: new Uint8Array(4) }]));
}

function unknown(tensors: TensorMap) {
  try {
    recognise(tensors);
  } catch (error) {
    if (isMambairError(error, 'MAMBAIR_ARCHITECTURE_UNKNOWN')) {
      return error.detail;
    }
    throw error;
  }
  throw new Error('the checkpoint was accepted');
}

describe('a checkpoint of no known architecture', () => {
  it.each([
    ['MambaIR (version 1)', 'layers.0.residual_group.blocks.0.self_attention.A_logs'],
    ['MaIR', 'layers.0.residual_group.blocks.0.self_attention.gating.gating.1.weight'],
    ['MambaIR-UNet', 'encoder_level1.0.self_attention.in_proj.weight'],
    ['MaIR-UNet', 'encoder_level1.0.self_attention.gating.gating.1.weight'],
    ['SwinIR', 'layers.0.residual_group.blocks.0.attn.qkv.weight'],
    ['HAT', 'layers.0.residual_group.overlap_attn.qkv.weight'],
    ['ESRGAN (RRDBNet)', 'body.0.rdb1.conv1.weight'],
    ['ESRGAN (RRDBNet)', 'model.1.sub.0.RDB1.conv1.0.weight'],
    ['Restormer', 'encoder_level1.0.attn.temperature'],
    ['Real-ESRGAN compact (SRVGGNet)', 'body.0.weight'],
  ])('is called by its name: %s', (name, key) => {
    expect(unknown(named('conv_first.weight', key))).toMatchObject({ foreign: name, closest: 'MambaIRv2' });
  });

  it('is told the closest architecture and what it lacks of it', () => {
    const keys = [...(architectures[0]?.typicalKeys()[0] ?? [])].filter((key) => !key.includes('embeddingB'));
    expect(unknown(named(...keys))).toEqual({
      closest: 'MambaIRv2',
      missing: ['layers.0.residual_group.layers.0.assm.embeddingB.weight'],
    });
  });

  it.each([[[]], [['__proto__', 'constructor']], [['a'.repeat(100000)]]])('may hold anything', (keys) => {
    expect(unknown(named(...keys))).toMatchObject({ closest: 'MambaIRv2' });
  });
});

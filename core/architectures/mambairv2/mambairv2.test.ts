import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { describeWithShared, sharedPath } from '../../../test/shared.js';
import { isMambairError, type MambairError } from '../../errors.js';
import { graphWeights } from '../../graph/weights.js';
import type { DType, StoredTensor, TensorMap } from '../../tensor/tensor.js';
import type { RecogniseOptions } from '../architecture.js';
import { recognise } from '../architectures.js';
import type { MambaIRv2Config, Upsampler } from './config.js';
import { publishedConfigurations } from './published.js';
import { weightShapes } from './weight-shapes.js';

/** Detection reads names, types and shapes; values play no part. */
function valueless(shape: readonly number[], dtype: DType = 'F32'): StoredTensor {
  return { dtype, shape, bytes: new Uint8Array() };
}

/** The tensors of a complete checkpoint, with the buffer that official files hold. */
function checkpoint(config: MambaIRv2Config): Map<string, StoredTensor> {
  const tokens = config.windowSize ** 2;
  return new Map([
    ...[...weightShapes(config)].map(([key, shape]): [string, StoredTensor] => [key, valueless(shape)]),
    ['relative_position_index_SA', valueless([tokens, tokens], 'I64')],
  ]);
}

function errorOf(tensors: TensorMap, options?: RecogniseOptions): MambairError {
  try {
    recognise(tensors, options);
  } catch (error) {
    if (isMambairError(error)) {
      return error;
    }
    throw error;
  }
  throw new Error('the checkpoint was accepted');
}

function published(name: string): MambaIRv2Config {
  const entry = publishedConfigurations.find((candidate) => candidate.name === name);
  if (entry === undefined) {
    throw new Error(`no configuration ${name}`);
  }
  return entry.config;
}

const block = 'layers.0.residual_group.layers.0';

describe('published configurations', () => {
  it.each(publishedConfigurations)(
    'finds all hyper-parameters of $name from keys and shapes',
    ({ config, name, task }) => {
      const { architecture, config: found, info } = recognise(checkpoint(config));
      expect(architecture).toBe('mambairv2');
      expect(found).toEqual(config);
      expect(info.published).toContain(name);
      expect(info).toMatchObject({ task, scale: config.upscale, inputChannels: config.inChans, multiple: 16 });
    },
  );

  it('uses every tensor of a checkpoint in the graph, and no other', () => {
    for (const { config } of publishedConfigurations) {
      const { graph } = recognise(checkpoint(config));
      const used = [...graphWeights(graph).keys()].sort();
      expect(used).toEqual([...weightShapes(config).keys()].sort());
    }
  });

  it('leaves the router of a single class out: there is nothing to choose and nothing to sort', () => {
    const config = { ...published('lightSR_x2'), numTokens: 1 };
    const { graph } = recognise(checkpoint(config));
    expect(graph.routes).toEqual([]);
    expect(graph.nodes.filter(({ operation: { op } }) => op === 'sortByClass')).toEqual([]);
    const unused = [...weightShapes(config).keys()].filter((key) => !graphWeights(graph).has(key));
    expect(unused.every((key) => key.includes('.assm.route.'))).toBe(true);
  });
});

describeWithShared('the official classes', ['golden/mambairv2-manifest.json'], () => {
  interface Manifest {
    readonly configurations: readonly {
      readonly name: string;
      readonly weights_file: string | null;
      readonly parameter_count: number;
      readonly tensor_count: number;
      readonly listing_sha256: string;
    }[];
  }
  let manifest: Manifest = { configurations: [] };
  beforeAll(async () => {
    const text = await readFile(sharedPath('golden/mambairv2-manifest.json') ?? '', 'utf8');
    manifest = JSON.parse(text) as Manifest;
  });

  it.each(publishedConfigurations)('have the same tensors and parameter count for $name', (entry) => {
    const official = manifest.configurations.find(({ name }) => name === entry.name);
    const tensors = checkpoint(entry.config);
    const listing = [...tensors]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, { dtype, shape }]) => `${key} ${dtype} ${shape.join('x')}\n`)
      .join('');
    expect({
      name: entry.name,
      weights_file: entry.fileName ?? null,
      parameter_count: recognise(tensors).info.parameters,
      tensor_count: tensors.size,
      listing_sha256: createHash('sha256').update(listing).digest('hex'),
    }).toEqual({
      name: entry.name,
      weights_file: official?.weights_file,
      parameter_count: official?.parameter_count,
      tensor_count: official?.tensor_count,
      listing_sha256: official?.listing_sha256,
    });
  });

  it('are all in the table', () => {
    expect(manifest.configurations.map(({ name }) => name).sort()).toEqual(
      publishedConfigurations.map(({ name }) => name).sort(),
    );
  });
});

describe('any other size', () => {
  const small = (max: number) => fc.integer({ min: 1, max });
  const head: fc.Arbitrary<Pick<MambaIRv2Config, 'upsampler' | 'upscale' | 'headFeatures'>> = fc
    .tuple(fc.constantFrom<Upsampler>('pixelshuffledirect', 'pixelshuffle', 'nearest+conv', ''), small(4), small(8))
    .map(([upsampler, factor, width]) => {
      const headFeatures = upsampler === 'pixelshuffle' || upsampler === 'nearest+conv' ? width : 0;
      const upscale = {
        pixelshuffledirect: factor,
        pixelshuffle: [2, 3, 4, 8][factor - 1] ?? 2,
        'nearest+conv': 4,
        '': 1,
      };
      return { upsampler, upscale: upscale[upsampler], headFeatures };
    });
  const configs: fc.Arbitrary<MambaIRv2Config> = fc
    .record({
      variant: fc.constantFrom('classic' as const, 'light' as const),
      inChans: fc.constantFrom(1, 3),
      headDim: small(4),
      groups: fc.array(fc.record({ depth: small(3), heads: fc.constantFrom(1, 2, 4) }), { minLength: 1, maxLength: 3 }),
      windowSize: small(9),
      dInner: small(20),
      dState: small(9),
      numTokens: small(9),
      innerRank: small(9),
      halfFfn: small(9),
      kernel: small(3),
      qkvBias: fc.boolean(),
      patchNorm: fc.boolean(),
      resiConnection: fc.constantFrom('1conv' as const, '3conv' as const),
      head,
    })
    .map(({ headDim, groups, halfFfn, kernel, head: ending, ...rest }) => ({
      ...rest,
      ...ending,
      embedDim: 4 * headDim,
      depths: groups.map(({ depth }) => depth),
      numHeads: groups.map(({ heads }) => heads),
      dtRank: Math.ceil(rest.dInner / 16),
      ffnDim: 2 * halfFfn,
      convffnKernelSize: 2 * kernel - 1,
      imgRange: 1,
    }));

  it('is found again from its keys and shapes, also without the buffer and in half precision', () => {
    fc.assert(
      fc.property(configs, (config) => {
        const tensors = checkpoint(config);
        expect(recognise(tensors).config).toEqual(config);
        tensors.delete('relative_position_index_SA');
        const half = new Map([...tensors].map(([key, { shape }]) => [key, valueless(shape, 'F16')]));
        expect(recognise(half).config).toEqual(config);
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  it.each(['lightSR_x2', 'SRSmall_x4'])('that misses any one tensor is refused by its name: %s', (name) => {
    const keys = [...checkpoint(published(name)).keys()].filter((key) => key !== 'relative_position_index_SA');
    const outside = keys.filter((key) => !key.includes('residual_group'));
    const block = keys.filter((key) => key.startsWith('layers.1.residual_group.layers.1.'));
    for (const key of [...outside, ...block]) {
      const tensors = checkpoint(published(name));
      tensors.delete(key);
      for (const allowExtra of [false, true]) {
        const error = errorOf(tensors, { allowExtra });
        expect(error.code).toBe('MAMBAIR_ARCHITECTURE_BROKEN');
        expect(error.detail['missing']).toContain(key);
      }
    }
  });
});

describe('settings that weights do not show', () => {
  it('takes img_range from the caller, 1 without', () => {
    const tensors = checkpoint(published('lightSR_x2'));
    expect(recognise(tensors).config['imgRange']).toBe(1);
    expect(recognise(tensors, { overrides: { img_range: '255' } }).config['imgRange']).toBe(255);
  });

  it.each([[{ img_range: '0' }], [{ img_range: 'wide' }], [{ img_range: '' }], [{ embed_dim: '48' }]])(
    'refuses %j',
    (overrides) => {
      expect(errorOf(checkpoint(published('lightSR_x2')), { overrides }).code).toBe('MAMBAIR_OPTION_INVALID');
    },
  );
});

describe('broken checkpoints', () => {
  const table = `${block}.win_mhsa.relative_position_bias_table`;
  const refused = (key: string, tensor: StoredTensor) => errorOf(checkpoint(published('lightSR_x2')).set(key, tensor));

  it.each([
    ['another shape', `${block}.wqkv.weight`, valueless([10, 48]), 'misshaped'],
    ['whole numbers for weights', `${block}.scale1`, valueless([48], 'I64'), 'misshaped'],
    ['a tensor too many', 'teacher.weight', valueless([1]), 'unknown'],
    ['an index with a leading zero', 'layers.00.residual_group.layers.0.scale1', valueless([48]), 'unknown'],
    ['a head of no whole scale', 'upsample.0.weight', valueless([13, 48, 3, 3]), 'misshaped'],
    ['absurdly many groups', 'layers.99999.residual_group.layers.0.scale1', valueless([48]), 'unknown'],
    ['a scalar for a matrix', `${block}.assm.selectiveScan.A_logs`, valueless([]), 'misshaped'],
    ['an empty tensor', 'conv_first.weight', valueless([0, 3, 3, 3]), 'misshaped'],
  ])('with %s are refused, naming the tensor', (_, key, tensor, kind) => {
    const { code, detail } = refused(key, tensor);
    expect(code).toBe('MAMBAIR_ARCHITECTURE_BROKEN');
    expect((detail[kind] as string[]).join()).toContain(key);
  });

  it.each([
    ['no square of windows', table, valueless([960, 4])],
    ['heads that do not divide', table, valueless([961, 5])],
    ['absurdly many blocks', 'layers.0.residual_group.layers.1000.scale1', valueless([48])],
    ['an absolute position embedding', 'absolute_pos_embed', valueless([1, 4096, 48])],
    ['a huge size', 'conv_first.weight', valueless([2 ** 50, 3, 3, 3])],
    ['a huge scale', 'upsample.0.weight', valueless([3 * 2 ** 48, 48, 3, 3])],
  ])('with %s are refused', (_, key, tensor) => {
    expect(refused(key, tensor).code).toBe('MAMBAIR_ARCHITECTURE_BROKEN');
  });

  it('are told in one line of bounded length, whatever the names', () => {
    const tensors = checkpoint(published('lightSR_x2'));
    const hostile = '\u001b[31m\n\u202e';
    for (let index = 0; index < 1000; index += 1) {
      tensors.set(`${hostile}${'x'.repeat(1000)}${index}`, valueless([1]));
    }
    const { message } = errorOf(tensors);
    expect(message.length).toBeLessThan(1500);
    expect(message).not.toMatch(/\p{C}/u);
  });

  it('may hold tensors that are no weights when the caller says so', () => {
    const tensors = checkpoint(published('lightSR_x2'));
    tensors.set('input', valueless([1, 3, 8, 8]));
    tensors.set('tap.b0.out', valueless([1, 64, 48]));
    expect(errorOf(tensors).code).toBe('MAMBAIR_ARCHITECTURE_BROKEN');
    expect(recognise(tensors, { allowExtra: true }).config).toEqual(published('lightSR_x2'));
  });
});

import { MambairError } from '../../errors.js';
import { elementCount } from '../../tensor/tensor.js';
import type { Architecture, ModelInfo, RecogniseOptions } from '../architecture.js';
import { buildMambaIRv2 } from './build.js';
import { blockCount, type MambaIRv2Config } from './config.js';
import { detectMambaIRv2, isMambaIRv2, title } from './detect.js';
import { publishedConfigurations } from './published.js';
import { weightShapes } from './weight-shapes.js';

/** MambaIRv2 and MambaIRv2Light (Guo et al., 2024): every published variant and any other size of them. */
export const mambairv2: Architecture = {
  name: 'mambairv2',
  title,
  overridable: ['img_range'],
  typicalKeys: () =>
    publishedConfigurations
      .filter(({ name }) => ['lightSR_x4', 'SR_x4', 'ColorDN_level15'].includes(name))
      .map(({ config }) => weightShapes(config).keys()),
  matches: isMambaIRv2,
  recognise: (tensors, options) => {
    const config = detectMambaIRv2(tensors, readImgRange(options), options.allowExtra ?? false);
    return { architecture: 'mambairv2', config, graph: buildMambaIRv2(config), info: describeModel(config) };
  },
};

function readImgRange({ overrides = {} }: RecogniseOptions): number {
  const text = overrides['img_range'] ?? '1';
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0) {
    throw new MambairError(
      'MAMBAIR_OPTION_INVALID',
      `img_range must be a number above 0, got ${JSON.stringify(text)}`,
      {
        detail: { option: 'img_range' },
      },
    );
  }
  return value;
}

/** What to tell people about a network. The task comes from the published table, else only from the scale. */
export function describeModel(config: MambaIRv2Config): ModelInfo {
  const same = publishedConfigurations.filter(
    (entry) => JSON.stringify(sorted(entry.config)) === JSON.stringify(sorted(config)),
  );
  const { variant, upscale, embedDim, inChans, windowSize } = config;
  const size = upscale > 1 ? ` ×${upscale}` : '';
  const kind = same[0]?.name.replace(/_.*/, '') ?? `${variant}, ${embedDim} channels${upscale > 1 ? ',' : ''}`;
  return {
    title: `${title} ${kind}${size}`,
    published: same.map(({ name }) => name),
    task: upscale > 1 ? 'upscale' : (same[0]?.task ?? 'restore'),
    scale: upscale,
    inputChannels: inChans,
    outputChannels: inChans,
    multiple: windowSize,
    parameters: [...weightShapes(config).values()].reduce((sum, shape) => sum + elementCount(shape), 0),
    routedBlocks: blockCount(config),
  };
}

/** The same record with its keys in alphabetical order, so that equal records print alike. */
function sorted(config: MambaIRv2Config): unknown {
  return Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1));
}

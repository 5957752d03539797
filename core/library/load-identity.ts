import type { ListedModel } from '../models/catalogue.js';
import { createIdentityNetwork, createIdentityRestorer } from '../restore/identity.js';
import { LoadedModel, type Model } from './model.js';

/** The model of a catalogue entry that gives pictures back unchanged, or every pixel repeated. */
export function loadIdentity(entry: ListedModel): Model {
  const { id, scale, task } = entry;
  return new LoadedModel({
    info: {
      title: scale === 1 ? 'identity' : `identity ×${scale}`,
      published: [],
      task,
      scale,
      inputChannels: 3,
      outputChannels: 3,
      multiple: 1,
      parameters: 0,
      routedBlocks: 0,
      name: id,
      architecture: 'identity',
      config: { scale },
      device: 'cpu',
      deviceDescription: 'no network runs',
      warnings: [],
      entry,
    },
    running: { network: createIdentityNetwork(scale), dispose: () => Promise.resolve() },
    frameRestorer: (layout, colour, { signal }) => createIdentityRestorer(scale, layout, colour, signal),
  });
}

import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { publishedConfigurations } from '../architectures/mambairv2/published.js';
import { chooseModel, findModel, listModels, type ListedModel } from './catalogue.js';
import { embeddedModelsFolder, pulledModelsFolder } from './models-folder.js';

describe('the catalogue', () => {
  it('names every model once', () => {
    const ids = listModels().map((entry) => entry.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((id) => /^[a-z0-9-]+$/.test(id))).toBe(true);
  });

  it('lists exactly the weights that ship', () => {
    const shipped = existsSync(embeddedModelsFolder())
      ? readdirSync(embeddedModelsFolder()).filter((name) => name.endsWith('.safetensors'))
      : [];
    const listed = listModels().filter((entry) => entry.origin === 'embedded');
    expect(listed.map((entry) => entry.file).sort()).toEqual(shipped.sort());
  });

  it('lists exactly the released configurations of MambaIRv2', () => {
    const official = listModels().filter((entry) => entry.origin === 'official');
    const released = publishedConfigurations.filter(({ fileName }) => fileName !== undefined);
    const byFile = new Map(official.map(({ file, configuration, scale }) => [file, { configuration, scale }]));
    expect(byFile).toEqual(
      new Map(released.map(({ fileName, name, config }) => [fileName, { configuration: name, scale: config.upscale }])),
    );
  });

  it('finds models by id only', () => {
    expect(findModel('mambairv2-light-x4')?.file).toBe('mambairv2_lightSR_x4.pth');
    expect(findModel('mambairv2_lightSR_x4.pth')).toBeUndefined();
  });
});

describe('choosing a model', () => {
  const model = (id: string, more: Partial<ListedModel>): ListedModel => ({
    id,
    origin: 'official',
    task: 'upscale',
    scale: 2,
    channels: 3,
    file: id,
    path: id,
    description: '',
    license: '',
    available: true,
    ...more,
  });
  const models = [
    model('tiny-x2', { origin: 'embedded' }),
    model('small-x2', {}),
    model('small-x4', { scale: 4, available: false }),
    ...[10, 30, 40].map((quality) => model(`jpeg-${quality}`, { task: 'jpeg', scale: 1, quality })),
  ];

  it('takes the first that fits and is there', () => {
    expect(chooseModel({ task: 'upscale', scale: 2 }, models).id).toBe('tiny-x2');
  });

  it.each([
    [1, 'jpeg-10'],
    [21, 'jpeg-30'],
    [34, 'jpeg-30'],
    [90, 'jpeg-40'],
    [undefined, 'jpeg-40'],
  ])('takes for JPEG quality %s the model %s', (quality, id) => {
    const wish = { task: 'jpeg', scale: 1, ...(quality === undefined ? {} : { quality }) } as const;
    expect(chooseModel(wish, models).id).toBe(id);
  });

  it('prefers a model for any quality', () => {
    const blind = model('tiny-jpeg', { task: 'jpeg', scale: 1 });
    expect(chooseModel({ task: 'jpeg', scale: 1, quality: 30 }, [...models, blind]).id).toBe('tiny-jpeg');
  });

  it('says what to fetch, or which scales there are', () => {
    expect(() => chooseModel({ task: 'upscale', scale: 4 }, models)).toThrow(
      expect.objectContaining({ code: 'MAMBAIR_MODEL_NOT_PULLED', detail: { id: 'small-x4' } }),
    );
    expect(() => chooseModel({ task: 'upscale', scale: 8 }, models)).toThrow(
      expect.objectContaining({ code: 'MAMBAIR_MODEL_UNKNOWN', message: expect.stringContaining('×2, ×4') }),
    );
  });
});

describe('the folder of fetched models', () => {
  it.each([
    [{ MAMBAIR_HOME: '/srv/m' }, 'linux', '/srv/m/models'],
    [{ XDG_CACHE_HOME: '/x' }, 'linux', '/x/mambair/models'],
    [{}, 'linux', join(homedir(), '.cache/mambair/models')],
    [{}, 'darwin', join(homedir(), 'Library/Caches/mambair/models')],
    [{ LOCALAPPDATA: '/local' }, 'win32', '/local/mambair/Cache/models'],
  ])('with %j on %s is %s', (environment, platform, folder) => {
    expect(pulledModelsFolder(environment, platform)).toBe(join(folder));
  });
});

import { expect, it } from '@jest/globals';
import { fakeNetwork, repeatNetwork } from '../../test/fake-networks.js';
import { MambairError } from '../errors.js';
import { LoadedModel, type LoadedModelInfo } from './model.js';
import { Recovery, type Running } from './recovery.js';

const info: LoadedModelInfo = {
  title: 'a fake',
  published: [],
  task: 'upscale',
  scale: 1,
  inputChannels: 3,
  outputChannels: 3,
  multiple: 1,
  parameters: 0,
  routedBlocks: 0,
  name: 'fake',
  architecture: 'fake',
  config: {},
  device: 'webgpu',
  deviceDescription: 'a GPU',
  warnings: [],
};

const on = (name: 'webgpu' | 'cpu', network: Running['network']): Running => ({
  network,
  executor: {
    name,
    description: name,
    load: () => Promise.reject(new Error('unused')),
    dispose: async () => undefined,
  },
});

it('a raw run goes on when the device is lost, and the model says where it runs then', async () => {
  const lost = fakeNetwork({
    compute: () => {
      throw new MambairError('MAMBAIR_DEVICE_LOST', 'gone');
    },
  });
  const ways = { onCpu: async () => on('cpu', repeatNetwork()) };
  const model = new LoadedModel({ info, running: new Recovery(on('webgpu', lost), ways) });
  expect(model.info.device).toBe('webgpu');
  const input = { shape: [1, 3, 2, 2], data: new Float32Array(12).fill(0.5) };
  expect((await model.runTensor(input)).output).toEqual(input);
  expect(model.info.device).toBe('cpu');
  const stuck = new LoadedModel({ info, running: new Recovery(on('webgpu', lost), {}) });
  await expect(stuck.runTensor(input)).rejects.toMatchObject({ code: 'MAMBAIR_DEVICE_LOST' });
});

it('a GPU that was left aside as broken is told of with the first result, once', async () => {
  const running = new Recovery(on('cpu', repeatNetwork()), {});
  const model = new LoadedModel({ info: { ...info, deviceWarning: 'it computes wrong values' }, running });
  const picture = { width: 2, height: 2, channels: 3, data: new Uint8Array(12) } as const;
  const warned = { code: 'MAMBAIR_DEVICE_UNAVAILABLE', message: 'it computes wrong values' };
  expect((await model.restore(picture)).warnings).toEqual([warned]);
  expect((await model.restore(picture)).warnings).toEqual([]);
});

import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadModel } from '../../core/library/load-model.js';
import { embeddedModels } from '../../core/models/embedded-models.js';
import { embeddedModelsFolder } from '../../core/models/models-folder.js';
import { goldenTensor, readGoldenTensors } from '../golden-tensors.js';

const folder = join(process.cwd(), 'test/golden/models');

function relativeDistance(values: Float32Array, wanted: Float32Array): number {
  let error = 0;
  let size = 0;
  wanted.forEach((value, at) => {
    error += ((values[at] ?? Number.NaN) - value) ** 2;
    size += value ** 2;
  });
  return Math.sqrt(error / size);
}

describe('the embedded models give what PyTorch gives', () => {
  it.each(embeddedModels.map(({ id, file }) => ({ id, file })))('$id', async ({ id, file }) => {
    const fixture = readGoldenTensors(join(folder, `${id}.safetensors`));
    const input = goldenTensor<Float32Array>(fixture, 'input');
    const wanted = goldenTensor<Float32Array>(fixture, 'output');
    const model = await loadModel(join(embeddedModelsFolder(), file), { device: 'cpu', threads: 1 });
    const { output } = await model.network.run(input, { routing: { kind: 'seeded', seed: 5 } });
    await model.dispose();
    expect(output.shape).toEqual(wanted.shape);
    expect(relativeDistance(output.data, wanted.data)).toBeLessThanOrEqual(1e-5);
  });
});

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { randomCheckpoint, randomImage, smallConfig } from '../../test/random-network.js';
import { inspectModel, isMambairError, loadModel, type Model, type PixelImage, type TensorMap } from '../index.js';

const weights: TensorMap = randomCheckpoint(smallConfig, 1);
const picture: PixelImage = {
  width: 20,
  height: 12,
  channels: 4,
  data: Uint16Array.from({ length: 960 }, (_, index) => (index * 997) % 65536),
};

let folder = '';
let model: Model;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mambair-library-'));
  model = await loadModel(weights);
});
afterAll(async () => {
  await model.dispose();
  await rm(folder, { recursive: true });
});

describe('a loaded model', () => {
  it('tells what it is', () => {
    expect(model.info).toMatchObject({ name: 'tensors', architecture: 'mambairv2', scale: 2, device: 'cpu' });
  });

  it('restores raw pixels and keeps channels and depth', async () => {
    const { image, warnings } = await model.restore(picture);
    expect(image).toMatchObject({ width: 40, height: 24, channels: 4 });
    expect(image.data.BYTES_PER_ELEMENT).toBe(2);
    expect(warnings).toEqual([]);
  });

  it('restores files, bytes and pixels alike, many at once', async () => {
    const { data, width, height } = { ...picture, data: new Uint8Array(720).map((_, index) => index % 251) };
    const bytes = await sharp(data, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer();
    const path = join(folder, 'in.png');
    await sharp(bytes).toFile(path);
    const results = await Promise.all([
      model.restore({ width, height, channels: 3, data }),
      model.restore(bytes),
      model.restore(path),
      model.restoreFile(bytes, join(folder, 'out.png')).then(() => model.restore({ width, height, channels: 3, data })),
    ]);
    expect(new Set(results.map(({ image }) => Buffer.from(image.data as Uint8Array).toString('hex'))).size).toBe(1);
    const written = await sharp(join(folder, 'out.png')).raw().toBuffer();
    expect(written.equals(Buffer.from(results[0].image.data as Uint8Array))).toBe(true);
  });

  it('reports progress and stops when asked to', async () => {
    const seen: number[] = [];
    const controller = new AbortController();
    const progress = ({ done, total }: { done: number; total: number }): void => {
      seen.push(done / total);
      if (done > 0) {
        controller.abort();
      }
    };
    const large = { ...picture, width: 240, height: 160, data: new Uint8Array(240 * 160 * 4).fill(99) };
    const restoring = model.restore(large, { tile: 64, signal: controller.signal, progress });
    await expect(restoring).rejects.toMatchObject({ code: 'MAMBAIR_CANCELLED' });
    expect(seen.at(-1)).toBeLessThan(1);
  });

  it('stops a file half-way and leaves nothing of it', async () => {
    const data = new Uint8Array(200 * 200 * 3);
    const bytes = await sharp(data, { raw: { width: 200, height: 200, channels: 3 } })
      .png()
      .toBuffer();
    const controller = new AbortController();
    const restoring = model.restoreFile(bytes, join(folder, 'stopped.png'), {
      tile: 64,
      signal: controller.signal,
      progress: ({ done }) => done > 2 && controller.abort(),
    });
    await expect(restoring).rejects.toMatchObject({ code: 'MAMBAIR_CANCELLED' });
    expect((await readdir(folder)).filter((name) => name.includes('stopped'))).toEqual([]);
  });

  it('needs a name that says the format, or the format', async () => {
    const bytes = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    await expect(model.restoreFile(bytes, join(folder, 'noname'))).rejects.toMatchObject({
      code: 'MAMBAIR_OPTION_INVALID',
    });
    await model.restoreFile(bytes, join(folder, 'noname'), { format: 'jpeg', quality: 80 });
    expect((await readFile(join(folder, 'noname'))).subarray(0, 2).toString('hex')).toBe('ffd8');
  });

  it('runs raw tensors', async () => {
    const { output, taps } = await model.runTensor(randomImage([1, 3, 6, 5], 2), { taps: ['conv_first'] });
    expect(output.shape).toEqual([1, 3, 12, 10]);
    expect(taps.get('conv_first')?.shape).toEqual([1, 8, 8, 8]);
  });

  it('does nothing any more once it is disposed of', async () => {
    const other = await loadModel(weights, { device: 'reference' });
    await other[Symbol.asyncDispose]();
    await other.dispose();
    await expect(other.restore(picture)).rejects.toMatchObject({ code: 'MAMBAIR_DISPOSED' });
    await expect(other.runTensor(randomImage([1, 3, 4, 4], 1))).rejects.toMatchObject({ code: 'MAMBAIR_DISPOSED' });
  });
});

describe('the built-in models', () => {
  it('are loaded by name, and do nothing', async () => {
    const identity = await loadModel('identity');
    expect(identity.info).toMatchObject({ name: 'identity', architecture: 'identity', scale: 1, parameters: 0 });
    expect((await identity.restore(picture)).image.data).toEqual(picture.data);
    await identity.dispose();
    await expect(identity.restore(picture)).rejects.toMatchObject({ code: 'MAMBAIR_DISPOSED' });
    const double = await loadModel('identity-x2');
    expect((await double.restore(picture)).image).toMatchObject({ width: 40, height: 24 });
  });

  it('have nothing to inspect', async () => {
    await expect(inspectModel('identity')).rejects.toMatchObject({ code: 'MAMBAIR_OPTION_INVALID' });
  });
});

describe('loading a model', () => {
  it.each([
    ['tiny-x9', 'MAMBAIR_MODEL_UNKNOWN'],
    ['./tiny-x2', 'MAMBAIR_FILE_NOT_FOUND'],
    ['mambairv2-large-x4', 'MAMBAIR_MODEL_NOT_PULLED'],
  ])('of %s fails with %s', async (source, code) => {
    const home = process.env['MAMBAIR_HOME'];
    process.env['MAMBAIR_HOME'] = folder;
    await expect(loadModel(source)).rejects.toMatchObject({ code });
    process.env['MAMBAIR_HOME'] = home ?? '';
  });

  it('can be stopped', async () => {
    const error: unknown = await loadModel(weights, { signal: AbortSignal.abort() }).catch((each: unknown) => each);
    expect(isMambairError(error, 'MAMBAIR_CANCELLED')).toBe(true);
  });

  it('finds tensors that do not belong, unless they are allowed', async () => {
    const more = new Map(weights).set('input', { dtype: 'F32', shape: [1], bytes: new Uint8Array(4) });
    await expect(loadModel(more)).rejects.toMatchObject({ code: 'MAMBAIR_ARCHITECTURE_BROKEN' });
    await (await loadModel(more, { allowExtra: true, device: 'reference' })).dispose();
  });
});

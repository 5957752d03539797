import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeExecutor } from '../../test/conformance/executor-suite.js';
import { describeWithGpu } from '../../test/gpu.js';
import { randomCheckpoint, randomImage, smallConfig } from '../../test/random-network.js';
import { recognise } from '../architectures/architectures.js';
import type { PixelImage } from '../image/pixels.js';
import { frameLayout, pixelFormat } from '../video/pixel-format.js';
import { createExecutor } from './executors.js';
import { openGpu } from './executors.js';
import { loadModel } from './load-model.js';
import type { Model } from './model.js';
import type { RestorePictureOptions } from './restore-picture.js';

/** The processes of this one that run a GPU. */
async function gpuProcesses(): Promise<readonly number[]> {
  const { execFileSync } = await import('node:child_process');
  const lines = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', `${process.pid}`], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => line.includes('gpu-process.js')).map((line) => Number.parseInt(line, 10));
}

// One kernel, one order of sums for every size: what the CPU executor is held to.
describeWithGpu('on the GPU', () => describeExecutor('webgpu', () => openGpu(), 2e-6));

/** Ends the processes that run a GPU, as a driver that crashes does. */
async function killGpu(): Promise<void> {
  for (const pid of await gpuProcesses()) {
    process.kill(pid, 'SIGKILL');
  }
}

const tensors = randomCheckpoint(smallConfig, 1);

// One story: every new device compiles all kernels, which is what takes time here.
describeWithGpu('a model on a GPU', () => {
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(tensors, { device: 'webgpu', threads: 2 });
  });
  afterAll(() => model.dispose());

  const picture: PixelImage = {
    width: 44,
    height: 20,
    channels: 3,
    data: Uint8Array.from({ length: 44 * 20 * 3 }, (_, at) => (at * 7919) % 256),
  };
  const restorePicture = async (progress?: RestorePictureOptions['progress']) => {
    const tiled = { tile: 32, overlap: 8, ...(progress === undefined ? {} : { progress }) };
    const { image, warnings } = await model.restore(picture, tiled);
    return { data: image.data, codes: warnings.map(({ code }) => code) };
  };

  const layout = frameLayout(pixelFormat('yuv420p'), 24, 20);
  const colour = { matrix: 'bt709', range: 'limited', chromaLocation: 'left' } as const;
  const frames = Array.from({ length: 5 }, (_, frame) =>
    Uint8Array.from({ length: layout.bytes }, (__, at) => (at * 31 + frame * 57) % 220),
  );
  const restoreFrames = async (finished: (frame: number) => void = () => undefined) => {
    const codes: string[] = [];
    const restorer = await model.createFrameRestorer(layout, colour, { warn: (code) => codes.push(code) });
    const results = frames.map(async (frame, index) => {
      const result = await restorer.restore(frame);
      finished(index);
      return result;
    });
    return { data: await Promise.all(results), codes };
  };

  let undisturbed: Awaited<ReturnType<typeof restorePicture>>;
  let undisturbedFrames: Awaited<ReturnType<typeof restoreFrames>>;

  it('runs undisturbed', async () => {
    undisturbed = await restorePicture();
    undisturbedFrames = await restoreFrames();
    expect([undisturbed.codes, undisturbedFrames.codes]).toEqual([[], []]);
  });

  it('whose process is killed in the middle of a picture finishes it on a new device, bit for bit', async () => {
    let isKilled = false;
    const { data, codes } = await restorePicture(({ done }) => {
      if (done >= 1 && !isKilled) {
        isKilled = true;
        void killGpu();
      }
    });
    expect(codes).toEqual(['MAMBAIR_DEVICE_LOST']);
    expect(data).toEqual(undisturbed.data);
    expect(model.info.device).toBe('webgpu');
  });

  it('whose process is killed in the middle of a video gives every frame, in order, bit for bit', async () => {
    const { data, codes } = await restoreFrames((frame) => void (frame === 1 && killGpu()));
    expect(codes).toEqual(['MAMBAIR_DEVICE_LOST']);
    expect(data).toEqual(undisturbedFrames.data);
  });

  it('that is lost a third time within minutes moves to the CPU, which gives the same within rounding', async () => {
    await killGpu();
    const { data, codes } = await restorePicture();
    expect(codes).toEqual(['MAMBAIR_DEVICE_LOST']);
    expect(data.filter((value, at) => Math.abs(value - undisturbed.data[at]!) > 1)).toHaveLength(0);
    expect(model.info.device).toBe('cpu');
    expect((await restoreFrames()).codes).toEqual([]);
  });
});

describeWithGpu('the process of a GPU', () => {
  it('may end: who waits for it hears of it, and who asks it later', async () => {
    const { graph } = recognise(tensors);
    const executor = await openGpu();
    const network = await executor.load(graph, tensors);
    const run = () => network.run(randomImage([1, 3, 40, 70], 4), { routing: { kind: 'argmax' } });
    const running = run();
    await killGpu();
    const lost = { code: 'MAMBAIR_DEVICE_LOST' };
    await expect(running).rejects.toMatchObject(lost);
    await expect(run()).rejects.toMatchObject(lost);
    await expect(executor.load(graph, tensors)).rejects.toMatchObject(lost);
    await executor.dispose();
  });

  it('ends with its executor', async () => {
    const other = await openGpu();
    const [pid = 0] = await gpuProcesses();
    await other.dispose();
    expect(await gpuProcesses()).not.toContain(pid);
  });

  it('is not started for a GPU that is not there', async () => {
    await expect(createExecutor({ device: 'webgpu:99' })).rejects.toMatchObject({ code: 'MAMBAIR_DEVICE_UNAVAILABLE' });
    await expect(createExecutor({ device: 'webgpu:1e3' as 'webgpu' })).rejects.toMatchObject({
      code: 'MAMBAIR_OPTION_INVALID',
    });
  });
});

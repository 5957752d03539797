import { mkdir } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import type { GpuSpeed, MachineReport } from '../../core/index.js';
import { gpuTestMs, hasGpu } from '../gpu.js';
import { mambair, workFolder, writeModel, writePicture } from './run.js';

const at = workFolder();

beforeAll(async () => {
  await Promise.all(['hr', 'lr', 'empty'].map((folder) => mkdir(at(folder))));
  await Promise.all([
    writePicture(at('hr/one.png'), 32, 28),
    writePicture(at('hr/two.png'), 28, 32),
    writeModel(at('x2.safetensors')),
    writeModel(at('x1.safetensors'), { upscale: 1, upsampler: '' }),
    writeModel(at('gray.safetensors'), { upscale: 1, upsampler: '', inChans: 1 }),
  ]);
  await sharp(at('hr/one.png')).resize(16, 14).toFile(at('lr/onex2.png'));
  await sharp(at('hr/two.png')).resize(14, 16).toFile(at('lr/two_LRBI_x2.png'));
});

describe('mambair eval', () => {
  it('scores each picture and the mean', async () => {
    const run = await mambair(
      'eval',
      '--model',
      at('x2.safetensors'),
      '--hr',
      at('hr'),
      '--lr',
      at('lr'),
      '--scale',
      '2',
    );
    expect(run.exitCode).toBe(0);
    expect(run.stdout.split('\n').map((line) => line.split(' ')[0])).toEqual(['', 'one', 'two', 'mean', '']);
  });

  it.each([
    ['x2.safetensors', ['--scale', '2', '--ensemble', '--tile', 'whole', '--overlap', '4', '--memory', '1GiB']],
    ['x1.safetensors', ['--sigma', '25', '--routing', 'argmax', '--device', 'cpu', '--threads', '1']],
    ['gray.safetensors', ['--jpeg', '10', '--seed', '3', '--set', 'img_range=1']],
  ])('scores %s with %j as JSON', async (model, options) => {
    const run = await mambair('eval', '-m', at(model), '--hr', at('hr'), '--json', '--quiet', ...options);
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(run.events().map(({ event, name }) => [event, name])).toEqual([
      ['scores', 'one'],
      ['scores', 'two'],
      ['mean', undefined],
    ]);
    const mean = run.events()[2] ?? {};
    expect(Number(mean['psnrY'])).toBeGreaterThan(0);
    expect(Number(mean['ssimRgb'])).toBeLessThan(1);
  });

  it.each([
    [2, ['--hr', 'hr']],
    [2, ['--hr', 'hr', '--scale', '2', '--sigma', '5']],
    [2, ['--hr', 'hr', '--sigma', '300']],
    [2, ['--hr', 'hr', '--scale', '3']],
    [2, ['--hr', 'empty', '--scale', '2']],
    [4, ['--hr', 'none', '--scale', '2']],
    [4, ['--hr', 'hr', '--lr', 'empty', '--scale', '2']],
  ])('ends with %d for %j', async (exitCode, args) => {
    const words = args.map((each) => (/^(hr|lr|empty|none)$/.test(each) ? at(each) : each));
    expect(await mambair('eval', '-m', at('x2.safetensors'), ...words)).toMatchObject({ exitCode });
  });
});

describe('mambair bench', () => {
  it('measures a model of ours for several numbers of threads', async () => {
    const run = await mambair(
      ...['bench', '--model', at('x2.safetensors'), '--size', '16x16', '--threads', '1,2', '--repeats', '1'],
      ...['--device', 'cpu', '--build', 'plain', '--onnxruntime', 'off', '--quiet'],
    );
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(run.stdout).toMatch(/^ +1 /m);
    expect(run.stdout).toMatch(/^ +2 /m);
  });

  it('measures a published configuration, as JSON', async () => {
    const args = ['--configuration', 'lightSR_x2', '--size', '16x16', '--repeats', '0', '--json'];
    expect((await mambair('bench', ...args)).events()[0]).toMatchObject({ event: 'benchmark', width: 16, scale: 2 });
  });

  it.each([[['--configuration', 'lightSR_x9']], [['--size', '16']], [['--threads', '0']]])(
    'ends with 2 for %j',
    async (args) => {
      expect(await mambair('bench', ...args)).toMatchObject({ exitCode: 2 });
    },
  );
});

describe('mambair doctor', () => {
  it('tells what is there', async () => {
    const run = await mambair('doctor', '--quick');
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toContain(process.versions.node);
    expect(run.stdout).toMatch(/device: +cpu/);
    expect(run.stdout).toMatch(/auto takes: +(cpu|webgpu:\d+): \w/);
  });

  it('measures a speed, as JSON', async () => {
    const [report] = (await mambair('doctor', '--json')).events();
    expect(report).toMatchObject({ event: 'machine', speed: { gflopsPerCpuSecond: expect.any(Number) } });
    const { gpus, gpuSpeeds, auto } = report as unknown as MachineReport & { readonly gpuSpeeds: readonly GpuSpeed[] };
    expect(gpuSpeeds.map(({ device }) => device)).toEqual(gpus.map(({ device }) => device));
    expect(auto.reason).not.toBe('');
    for (const [at, { kind, isSoftware, features }] of gpus.entries()) {
      expect([isSoftware, gpuSpeeds[at]?.isMeaningless]).toEqual([kind === 'software', isSoftware]);
      expect(features).toContain('core-features-and-limits');
      expect(isSoftware && auto.device === `webgpu:${at}`).toBe(false);
    }
  });
});

describe('mambair bisect', () => {
  const found = (...args: readonly string[]) => mambair('bisect', '-m', at('x2.safetensors'), ...args);

  it(
    'finds nothing wrong with a GPU that is right, or says that there is none',
    async () => {
      const { exitCode, stdout } = await found('--device', 'webgpu', '--precision', 'f32', '--json');
      expect(exitCode).toBe(hasGpu ? 0 : 6);
      expect(stdout).toMatch(hasGpu ? /"event":"bisection".*"router":\{"node":".*","share":0\}/ : /^$/);
      const behind = await found('--against', 'reference', '--from', 'conv_first', '--precision', 'f32');
      expect(behind.exitCode).toBe(hasGpu ? 0 : 6);
      expect(behind.stdout).toMatch(hasGpu ? /verdict: +the GPU computes what the CPU does/ : /^$/);
    },
    gpuTestMs,
  );

  it.each([[['--device', 'cpu']], [['--against', 'webgpu']], [['--quiet', '--set', 'x']]])(
    'ends with 2 for %j',
    async (args) => {
      expect(await found(...args)).toMatchObject({ exitCode: 2 });
    },
  );
});

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { mambair, runWith, workFolder, writeModel, writePicture } from './run.js';

const at = workFolder();

beforeAll(async () => {
  await Promise.all([mkdir(at('in/sub'), { recursive: true }), mkdir(at('home/models'), { recursive: true })]);
  await Promise.all([
    writePicture(at('a.png')),
    writePicture(at('photo.jpg')),
    writePicture(at('in/b.png')),
    writePicture(at('in/sub/c.webp')),
    writeFile(at('in/broken.png'), 'no picture'),
    writeModel(at('x2.safetensors')),
    writeModel(at('x1.safetensors'), { upscale: 1, upsampler: '' }),
    ...[10, 40].map((quality) =>
      writeModel(at(`home/models/mambairv2_jpeg_q${quality}.pth`), { upscale: 1, upsampler: '', inChans: 1 }),
    ),
  ]);
});

const size = async (path: string): Promise<string> => {
  const { width, height, format } = await sharp(path).metadata();
  return `${format} ${width}x${height}`;
};

describe('mambair restore', () => {
  it('makes a picture twice as large with the embedded model', async () => {
    const run = await mambair('restore', at('a.png'), '-o', at('out/a-large.png'));
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(run.stdout).toContain('48 × 32');
    expect(await size(at('out/a-large.png'))).toBe('png 48x32');
  });

  it('writes beside the input with a suffix, in another format', async () => {
    const run = await mambair('restore', at('a.png'), '--format', 'webp', '--quiet');
    expect(run).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    expect(await size(at('a-x2.webp'))).toBe('webp 48x32');
  });

  it('keeps existing files unless told otherwise', async () => {
    await writeFile(at('keep.png'), 'mine');
    const args = ['restore', at('a.png'), '-o', at('keep.png'), '--model', at('x2.safetensors')];
    expect(await mambair(...args)).toMatchObject({ exitCode: 5 });
    expect(await readFile(at('keep.png'), 'utf8')).toBe('mine');
    expect(await mambair(...args, '--overwrite')).toMatchObject({ exitCode: 0 });
    expect(await size(at('keep.png'))).toBe('png 48x32');
  });

  it('works through folders and globs past a bad file, lists it and fails', async () => {
    const run = await mambair('restore', at('in'), at('*.jpg'), '-o', at('all/'), '-m', at('x2.safetensors'));
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toContain('3 of 4 restored');
    expect(run.stderr).toMatch(/1 failed:\n.*broken\.png: /);
    expect((await readdir(at('all'), { recursive: true })).sort()).toEqual(['b.png', 'photo.jpg', 'sub', 'sub/c.webp']);
  });

  it('does not take its results for inputs when run again', async () => {
    await mkdir(at('again'), { recursive: true });
    await writePicture(at('again/a.png'));
    const args = ['restore', at('again'), '-o', at('again/out'), '-m', at('x2.safetensors'), '--json'];
    await mambair(...args);
    const run = await mambair(...args, '--overwrite');
    const results = run.events().filter(({ event }) => event !== 'progress');
    expect(results.map(({ event, input }) => [event, input])).toEqual([
      ['restored', at('again/a.png')],
      ['summary', undefined],
    ]);
  });

  it('tells every event as one JSON object a line', async () => {
    const run = await mambair(
      ...['restore', at('in'), at('gone.png'), '-o', at('json/'), '--model', at('x2.safetensors'), '--json'],
      ...['--set', 'img_range=1', '--device', 'cpu', '--threads', '1', '--precision', 'f32'],
    );
    const [missing, restored, broken, , summary] = run.events();
    expect(run.exitCode).toBe(1);
    expect(missing).toMatchObject({ event: 'failure', input: at('gone.png'), code: 'MAMBAIR_FILE_NOT_FOUND' });
    expect(restored).toMatchObject({
      event: 'restored',
      input: at('in/b.png'),
      output: at('json/b.png'),
      model: at('x2.safetensors'),
      scale: 2,
      device: 'cpu',
      width: 24,
      height: 16,
      outputWidth: 48,
      outputHeight: 32,
      warnings: [],
      seconds: expect.any(Number),
    });
    expect(broken).toMatchObject({ event: 'failure', input: at('in/broken.png'), code: 'MAMBAIR_IMAGE_UNREADABLE' });
    expect(summary).toEqual({ event: 'summary', restored: 2, failed: 2, seconds: expect.any(Number) });
  });

  it('draws a bar on a terminal and takes it away', async () => {
    const run = await runWith({ isTTY: true }, [
      'restore',
      at('a.png'),
      '-o',
      at('bar.png'),
      '-m',
      at('x2.safetensors'),
    ]);
    const clearLine = '\r\u001B[K';
    expect(run.stderr.startsWith(`${clearLine}[${'-'.repeat(20)}]   0 % a.png`)).toBe(true);
    expect(run.stderr.endsWith(clearLine)).toBe(true);
  });

  it('gives the same bytes for the same seed, tiles and routing, and others for others', async () => {
    const restored = async (...options: string[]): Promise<Buffer> => {
      const run = await mambair(
        'restore',
        at('a.png'),
        '-o',
        at('same.png'),
        '-m',
        at('x2.safetensors'),
        '--overwrite',
        ...options,
      );
      expect(run).toMatchObject({ exitCode: 0, stderr: '' });
      return readFile(at('same.png'));
    };
    const tiled = ['--tile', '32', '--overlap', '8', '--memory', '200MB', '--device', 'reference'];
    const first = await restored(...tiled, '--seed', '5');
    expect(first.equals(await restored(...tiled, '--seed', '5'))).toBe(true);
    expect(first.equals(await restored(...tiled, '--seed', '6'))).toBe(false);
    expect(first.equals(await restored(...tiled, '--routing', 'argmax'))).toBe(false);
  });

  it.each([
    ['jpeg', 'photo.jpg', 'tiny-jpeg', 'photo-repaired.jpg', 24],
    ['denoise', 'a.png', 'tiny-denoise', 'a-denoised.png', 24],
    ['upscale', 'a.png', 'tiny-real-x2', 'a-x2.png', 48],
  ])('takes for %s the embedded model', async (task, input, model, output, outputWidth) => {
    const run = await mambair('restore', at(input), '--task', task, '--json', '--overwrite');
    const restored = run.events().find(({ event }) => event === 'restored');
    expect(restored).toMatchObject({ model, output: at(output), outputWidth });
  });

  it('writes JPEG from opaque pictures with alpha, and from transparent ones on a background', async () => {
    for (const [name, alpha] of [
      ['opaque', 1],
      ['glass', 0],
    ] as const) {
      const background = { r: 200, g: 10, b: 10, alpha };
      await sharp({ create: { width: 8, height: 8, channels: 4, background } }).toFile(at(`${name}.png`));
    }
    const args = ['-m', at('x2.safetensors'), '--format', 'jpeg', '--quality', '90'];
    expect(await mambair('restore', at('opaque.png'), ...args)).toMatchObject({ exitCode: 0 });
    expect(await mambair('restore', at('glass.png'), ...args)).toMatchObject({ exitCode: 4 });
    expect(await mambair('restore', at('glass.png'), ...args, '--background', '00ff00')).toMatchObject({ exitCode: 0 });
    const { channels } = await sharp(at('glass-x2.jpg')).stats();
    expect(channels.map(({ mean }) => Math.round(mean / 16))).toEqual([0, 16, 0]);
    expect(await mambair('restore', at('glass.png'), ...args, '--background', 'green')).toMatchObject({ exitCode: 2 });
  });

  it('names results of a network that keeps the size by what it does', async () => {
    await mambair('restore', at('a.png'), '-m', at('x1.safetensors'), '--task', 'denoise');
    expect(await size(at('a-restored.png'))).toBe('png 24x16');
  });

  it.each([
    [2, 'no input', []],
    [2, 'an unknown option', ['a.png', '--ouput', 'b.png']],
    [2, 'a scale that the model lacks', ['a.png', '-m', 'x2.safetensors', '--scale', '3']],
    [2, 'a task that the model cannot do', ['a.png', '-m', 'x2.safetensors', '--task', 'denoise']],
    [2, 'a scale with a task that keeps the size', ['a.png', '--task', 'denoise', '--scale', '2']],
    [2, 'several pictures for one file', ['a.png', 'photo.jpg', '-o', 'one.png', '-m', 'x2.safetensors']],
    [2, 'a tile that is too small', ['a.png', '--tile', '8']],
    [2, 'a memory that is none', ['a.png', '--memory', 'lots']],
    [2, 'a setting that is none', ['a.png', '-m', 'x2.safetensors', '--set', 'img_range']],
    [2, 'a setting that the network lacks', ['a.png', '-m', 'x2.safetensors', '--set', 'depth=3']],
    [2, 'a format that cannot be written', ['a.png', '-o', 'b.bmp', '-m', 'x2.safetensors']],
    [3, 'a model that is not there', ['a.png', '-m', 'gone.safetensors']],
    [3, 'a model id that does not exist', ['a.png', '-m', 'tiny-x22']],
    [3, 'a model that is a picture', ['a.png', '-m', 'a.png']],
    [3, 'a scale without a model at hand', ['a.png', '--scale', '8']],
    [4, 'a picture that is not there', ['gone.png', '-m', 'x2.safetensors']],
    [4, 'a picture that is none', ['in/broken.png', '-m', 'x2.safetensors']],
    [5, 'a place that cannot be written', ['a.png', '-o', 'a.png/b.png', '-m', 'x2.safetensors']],
  ])('ends with %d for %s', async (exitCode, _, args) => {
    const words = args.map((each) => (/^(?!-|tiny).*\.\w+$/.test(each) ? at(each) : each));
    const run = await mambair('restore', ...words);
    expect(run).toMatchObject({ exitCode, stdout: '' });
    expect(run.stderr).toMatch(/^mambair: .+\n$/);
  });

  it('leaves nothing half done behind', async () => {
    const names = (await readdir(at('.'), { recursive: true })).filter((name) => /partial|\.part/.test(name));
    expect(names).toEqual([]);
  });
});

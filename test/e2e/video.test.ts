import { existsSync, readdirSync } from 'node:fs';
import { once } from 'node:events';
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { describeWithFfmpeg, ffmpeg, ffmpegUnderTest, ffprobeUnderTest } from '../ffmpeg.js';
import { mambair, start, workFolder } from './run.js';

const at = workFolder();

describeWithFfmpeg('mambair video', () => {
  it('restores with every option, prints JSON lines, and says where it went', async () => {
    ffmpeg([
      ...['-f', 'lavfi', '-i', 'testsrc2=s=32x24:r=25:d=1', '-f', 'lavfi', '-i', 'sine=300:d=1'],
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', at('a.mp4')],
    ]);
    const { exitCode, events, stderr } = await mambair(
      ...['video', at('a.mp4'), '-o', at('b.mkv'), '--model', 'identity-x2', '--device', 'auto', '--threads', '1'],
      ...['--tile', 'auto', '--overlap', '16', '--memory', '500MB', '--routing', 'seeded', '--seed', '3'],
      ...['--codec', 'h264', '--crf', '12', '--encoder', 'preset=ultrafast', '--pixel-format', 'yuv444p'],
      ...['--start', '0.2', '--end', '0:00.6', '--stream', '0', '--deinterlace', '--resume', '--overwrite'],
      ...['--ffmpeg', ffmpegUnderTest(), '--ffprobe', ffprobeUnderTest(), '--json'],
    );
    expect([exitCode, stderr]).toEqual([0, '']);
    const last = events().at(-1);
    expect(last).toMatchObject({ event: 'video', frames: 10, resumedFrames: 0, outputWidth: 64, outputHeight: 48 });
    expect(last).toMatchObject({ encoder: 'libx264', pixelFormat: 'yuv444p', model: 'identity-x2', scale: 2 });
    expect(existsSync(at('b.mkv'))).toBe(true);
  });

  it('prints commands that can be run, restores nothing, and names the output by the model', async () => {
    const { exitCode, stdout } = await mambair(
      'video',
      at('a.mp4'),
      '-m',
      'identity-x2',
      '--dry-run',
      '--preview',
      '200ms',
      '--no-chunks',
    );
    expect(exitCode).toBe(0);
    expect(stdout).toContain('32×24 → 64×48, 5 frames, identity-x2, libx264 yuv420p');
    expect(stdout).toContain('a-preview-x2.mp4');
    const [decode = '', encode = ''] = stdout.split('\n').filter((line) => !line.startsWith('#'));
    expect(decode).toContain('-f nut pipe:1');
    const { status } = spawnSync('sh', ['-c', `${decode} | ${encode}`]);
    expect(status).toBe(0);
    expect(existsSync(at('a-preview-x2.mp4'))).toBe(true);
  });

  it.each([
    [['--crf', 'x'], 2],
    [['--start', 'soon'], 2],
    [['--preview', '3s', '--end', '4s'], 2],
    [['--encoder', 'slow'], 2],
    [['--set', 'x'], 2],
    [['--task', 'denoise', '--scale', '2'], 2],
    [['-m', 'identity', '--scale', '2'], 2],
    [['-m', 'no-such-model'], 3],
  ] as const)('refuses %j', async (words, code) => {
    expect((await mambair('video', at('a.mp4'), '-o', at('c.mp4'), '--quiet', ...words)).exitCode).toBe(code);
  });

  it('stops on Ctrl-C with 130, and goes on to the end', async () => {
    ffmpeg([
      '-f',
      'lavfi',
      '-i',
      'testsrc2=s=96x64:r=25:d=24',
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      at('long.mp4'),
    ]);
    const words = ['video', at('long.mp4'), '-o', at('stopped.mp4'), '-m', 'identity', '--encoder', 'preset=ultrafast'];
    const child = start(words);
    const isUnderWay = (): boolean =>
      existsSync(at('stopped.mp4.mambair')) &&
      readdirSync(at('stopped.mp4.mambair')).some((name) => name.startsWith('chunk-'));
    const watch = setInterval(() => {
      if (isUnderWay()) {
        clearInterval(watch);
        child.kill('SIGINT');
      }
    }, 10);
    const [code] = (await once(child, 'close')) as [number];
    clearInterval(watch);
    expect(code).toBe(130);
    expect(existsSync(at('stopped.mp4'))).toBe(false);
    const again = await mambair(...words, '--resume', '--json');
    expect(again.events().at(-1)).toMatchObject({ event: 'video', frames: 600 });
    expect(again.events().at(-1)?.['resumedFrames']).toBeGreaterThan(0);
  });

  it('has examples that run', () => {
    mkdirSync(at('in'));
    ffmpeg(['-i', at('a.mp4'), '-c', 'copy', at('in/a.mp4')]);
    const run = (...words: readonly string[]) => spawnSync(process.execPath, words, { encoding: 'utf8' });
    expect(run('examples/video.mjs', at('in'), at('out'), 'identity').stdout).toContain('a.mp4: 25 frames');
    expect(run('examples/video-frames.mjs', at('in/a.mp4'), at('frames'), '10', 'identity').status).toBe(0);
    expect(readdirSync(at('frames'))).toEqual(['000000.png', '000010.png', '000020.png']);
  });
});

import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { loadModel, writeImage, type Model } from '../../core/index.js';
import { compareVideos, type VideoDifference } from '../../test/compare-videos.js';
import { describeWithFfmpeg, ffmpeg } from '../../test/ffmpeg.js';
import { makeProofClip, makeRichClip, makeTurnedClip, proofClips } from '../../test/proof-clips.js';
import { codeOf } from '../../test/video-streams.js';
import { findFfmpeg } from '../command/find-ffmpeg.js';
import type { RestoreVideoOptions, VideoWarning } from './options.js';
import { planVideo, restoreVideo } from './restore-video.js';
import { restoreVideoFrames } from './restored-frames.js';
import { workFolderOf } from './work-folder.js';

let folder = '';
let model: Model;
const at = (name: string): string => join(folder, name);
const exact: RestoreVideoOptions = { codec: 'h264', encoderOptions: { qp: '0', preset: 'ultrafast' }, overwrite: true };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mambair-clip-'));
  model = await loadModel('identity');
});
afterAll(async () => {
  await model.dispose();
  await rm(folder, { recursive: true });
});

describeWithFfmpeg('a clip through a model that changes nothing', () => {
  it.each(proofClips.filter(({ inSuite }) => inSuite).map((clip) => [clip.name, clip] as const))(
    'keeps %s',
    async (name, clip) => {
      const input = makeProofClip(folder, clip);
      const output = at(`out-${name}`);
      const warnings: VideoWarning[] = [];
      const { codec, encoderOptions = {} } = clip;
      await restoreVideo(input, output, {
        model,
        codec,
        encoderOptions,
        keepChunks: false,
        warn: (warning) => warnings.push(warning),
      });
      const { differences, samples, changedSamples } = await compareVideos(input, output);
      const { version } = await findFfmpeg();
      // Since 7.1 ffmpeg tells the range of pictures that have none, as it takes them.
      const isTold = ({ what, before, after }: VideoDifference): boolean =>
        version.hasNegotiatedColour && what === 'colour' && after.replace('"range":"tv",', '') === before;
      expect(differences.filter((each) => !isTold(each))).toEqual([]);
      expect(samples).toBeGreaterThan(0);
      expect(changedSamples).toBe(0);
      expect(warnings).toEqual([]);
      expect(existsSync(workFolderOf(output))).toBe(false);
    },
  );

  it('keeps every stream, chapter, tag and mark of a film', async () => {
    const input = makeRichClip(folder);
    await restoreVideo(input, at('rich-out.mkv'), { model, codec: 'ffv1', keepChunks: false });
    const { differences, packets } = await compareVideos(input, at('rich-out.mkv'));
    const { version } = await findFfmpeg();
    // 7.1 tells the matrix of the cover's RGB right.
    const isMended = ({ where, after }: VideoDifference): boolean =>
      version.hasNegotiatedColour && where === 'stream 5 (video)' && after.includes('"space":"gbr"');
    expect(differences.filter((each) => !isMended(each))).toEqual([]);
    expect(packets).toBeGreaterThan(20);
  });

  it('keeps how pictures are turned in mp4, and turns them upright in mkv with a word', async () => {
    const upright = makeProofClip(folder, proofClips.find(({ name }) => name === 'upright.mp4')!);
    const input = makeTurnedClip(folder, upright);
    await restoreVideo(input, at('turned-out.mp4'), { model, ...exact });
    expect((await compareVideos(input, at('turned-out.mp4'))).differences).toEqual([]);
    const warnings: VideoWarning[] = [];
    const made = await restoreVideo(input, at('turned-out.mkv'), {
      model,
      ...exact,
      warn: (each) => warnings.push(each),
    });
    expect([made.outputWidth, made.outputHeight]).toEqual([64, 96]);
    expect(warnings.map(({ code }) => code)).toContain('orientation');
  });

  it('says what another container cannot keep, by name', async () => {
    const { losses } = await planVideo(at('rich.mkv'), at('rich.mp4'), { model });
    const text = losses.map(({ message }) => message).join('\n');
    expect(text).toContain('stream 6 (attachment, ttf) is left out');
    expect(text).toContain('stream 4 (subtitle, ass): ass becomes mov_text');
    expect(text).toContain('the tag title cannot be kept');
  });
});

describeWithFfmpeg('planning a clip', () => {
  it('refuses to lose depth, chroma or alpha unless told to', async () => {
    const input = makeProofClip(folder, proofClips.find(({ name }) => name === 'alpha.mkv')!);
    expect(await codeOf(planVideo(input, at('x.mp4'), { model }))).toBe('MAMBAIR_VIDEO_UNSUPPORTED');
    const plan = await planVideo(input, at('x.mp4'), { model, pixelFormat: 'yuv420p', codec: 'h264' });
    expect(plan.losses.map(({ kind }) => kind)).toContain('pixels');
    expect((await planVideo(input, at('x.mkv'), { model })).encoder).toBe('ffv1');
  });

  it('refuses fields for models that change pictures, and makes frames of them on request', async () => {
    const input = makeProofClip(folder, proofClips.find(({ name }) => name === 'interlaced.mkv')!);
    expect(await codeOf(planVideo(input, at('x.mkv'), { model: 'identity-x2' }))).toBe('MAMBAIR_VIDEO_UNSUPPORTED');
    const plan = await planVideo(input, at('x.mkv'), { model: 'identity-x2', deinterlace: true });
    expect(plan.decode.join(' ')).toContain('bwdif');
  });

  it.each([
    [{ start: -1 }, 'MAMBAIR_OPTION_INVALID'],
    [{ start: 3, end: 2 }, 'MAMBAIR_OPTION_INVALID'],
    [{ crf: 99 }, 'MAMBAIR_OPTION_INVALID'],
    [{ codec: 'h26x' }, 'MAMBAIR_OPTION_INVALID'],
    [{ stream: 7 }, 'MAMBAIR_OPTION_INVALID'],
    [{ ffmpeg: '/nowhere' }, 'MAMBAIR_FFMPEG_NOT_FOUND'],
    [{ encoderOptions: { preset: 'no such' } }, 'MAMBAIR_FFMPEG_ENCODE'],
  ] as const)('refuses %j before it restores anything', async (options, code) => {
    const input = at('upright.mp4');
    expect(await codeOf(restoreVideo(input, at('never.mp4'), { model, ...options }))).toBe(code);
    expect(readdirSync(folder).filter((name) => name.startsWith('never'))).toEqual([]);
  });

  it('refuses what is no video, is not there, has no name of a container, or is its own output', async () => {
    writeFileSync(at('text.mp4'), 'text');
    const codes = [
      ['text.mp4', 'x.mp4', 'MAMBAIR_VIDEO_MALFORMED'],
      ['gone.mp4', 'x.mp4', 'MAMBAIR_FILE_NOT_FOUND'],
      ['upright.mp4', 'x', 'MAMBAIR_OPTION_INVALID'],
      ['upright.mp4', 'x.png', 'MAMBAIR_OPTION_INVALID'],
      ['upright.mp4', 'upright.mp4', 'MAMBAIR_OPTION_INVALID'],
      ['alpha.mkv', 'upright.mp4', 'MAMBAIR_FILE_EXISTS'],
    ] as const;
    for (const [input, output, code] of codes) {
      expect(await codeOf(restoreVideo(at(input), at(output), { model }))).toBe(code);
    }
  });
});

describeWithFfmpeg('a part of a clip', () => {
  it('begins at zero with its sound, and has the frames of that part', async () => {
    ffmpeg([
      ...['-f', 'lavfi', '-i', 'testsrc2=s=64x48:r=25:d=2', '-f', 'lavfi', '-i', 'sine=300:d=2'],
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', at('part.mp4')],
    ]);
    const { frames } = await restoreVideo(at('part.mp4'), at('part-out.mp4'), {
      model,
      ...exact,
      start: 0.8,
      end: 1.4,
    });
    expect(frames).toBe(15);
    const seen: number[] = [];
    for await (const frame of restoreVideoFrames(at('part-out.mp4'), { model })) {
      seen.push(frame.seconds);
    }
    expect(seen.map((seconds) => Math.round(seconds * 25))).toEqual(Array.from({ length: 15 }, (_, index) => index));
  });

  it('gives its frames to scripts, as pictures too', async () => {
    const frames = [];
    for await (const frame of restoreVideoFrames(at('part.mp4'), { model: 'identity-x2', start: 0.4 })) {
      frames.push(frame);
      if (frames.length === 3) {
        break;
      }
    }
    expect(frames.map(({ index, seconds, width, height }) => [index, seconds, width, height])).toEqual([
      [0, 0.4, 128, 96],
      [1, 0.44, 128, 96],
      [2, 0.48, 128, 96],
    ]);
    const image = await frames[2]!.toImage();
    expect([image.width, image.height, image.channels]).toEqual([128, 96, 3]);
    await writeImage(at('frame.png'), image, { format: 'png' });
    expect(existsSync(at('frame.png'))).toBe(true);
  });
});

describeWithFfmpeg('a run that stops', () => {
  const chunked = { ...exact, chunkLimits: { frames: 10, seconds: 60 } } as const;
  const stopAfter = async (frames: number, output: string): Promise<string> => {
    const controller = new AbortController();
    return codeOf(
      restoreVideo(at('part.mp4'), output, {
        ...chunked,
        model,
        signal: controller.signal,
        progress: (state) => {
          if (state.frames >= frames) {
            controller.abort();
          }
        },
      }),
    );
  };

  beforeAll(async () => {
    await restoreVideo(at('part.mp4'), at('whole.mp4'), { ...chunked, model });
  });

  it('leaves whole chunks and nothing under its name, and is gone on with to the same bytes', async () => {
    const output = at('stopped.mp4');
    expect(await stopAfter(23, output)).toBe('MAMBAIR_CANCELLED');
    expect(existsSync(output)).toBe(false);
    expect(readdirSync(workFolderOf(output)).sort()).toEqual(['chunk-000000.nut', 'chunk-000001.nut', 'job.json']);
    const { resumedFrames, frames } = await restoreVideo(at('part.mp4'), output, { ...chunked, model, resume: true });
    expect([resumedFrames, frames]).toEqual([20, 50]);
    expect(readFileSync(output).equals(readFileSync(at('whole.mp4')))).toBe(true);
    expect(existsSync(workFolderOf(output))).toBe(false);
  });

  it('does a damaged chunk and those after it again', async () => {
    const output = at('damaged.mp4');
    await stopAfter(35, output);
    truncateSync(join(workFolderOf(output), 'chunk-000001.nut'), 100);
    const { resumedFrames } = await restoreVideo(at('part.mp4'), output, { ...chunked, model, resume: true });
    expect(resumedFrames).toBe(10);
    expect(readFileSync(output).equals(readFileSync(at('whole.mp4')))).toBe(true);
  });

  it('refuses to go on with an input that has changed', async () => {
    const output = at('changed.mp4');
    await stopAfter(15, output);
    const bytes = readFileSync(at('part.mp4'));
    writeFileSync(at('part.mp4'), bytes.subarray(0, bytes.length));
    expect(await codeOf(restoreVideo(at('part.mp4'), output, { ...chunked, model, resume: true }))).toBe(
      'MAMBAIR_RESUME_REFUSED',
    );
    const anew = { ...chunked, model, overwrite: false };
    expect(await codeOf(restoreVideo(at('part.mp4'), output, anew))).toBe('MAMBAIR_FILE_EXISTS');
    rmSync(workFolderOf(output), { recursive: true });
  });

  it('leaves nothing at all without chunks', async () => {
    const output = at('nothing.mp4');
    const controller = new AbortController();
    const run = restoreVideo(at('part.mp4'), output, {
      ...exact,
      model,
      keepChunks: false,
      signal: controller.signal,
      progress: ({ frames }) => frames > 10 && controller.abort(),
    });
    expect(await codeOf(run)).toBe('MAMBAIR_CANCELLED');
    expect(readdirSync(folder).filter((name) => name.startsWith('nothing'))).toEqual([]);
  });
});

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { FrameRestorer } from '../../core/index.js';
import { describeWithFfmpeg, ffmpeg, ffmpegUnderTest } from '../../test/ffmpeg.js';
import type { VideoStream } from '../transport/video-stream.js';
import { decode } from './decode.js';
import { runPipeline, type PipelineCall, type PipelineResult } from './run-pipeline.js';

const words = (text: string): readonly string[] => text.split(' ');

/** Gives frames back after a while, and may fail at one. */
const unchanged = (milliseconds = 0, failAt = Number.POSITIVE_INFINITY) => {
  let count = 0;
  return ({ layout }: VideoStream): Promise<readonly FrameRestorer[]> =>
    Promise.resolve([
      {
        layout,
        restore: async (frame: Uint8Array): Promise<Uint8Array> => {
          count += 1;
          if (count >= failAt) {
            throw new Error('the engine failed');
          }
          await new Promise((resolve) => setTimeout(resolve, milliseconds));
          return frame.slice();
        },
      },
    ]);
};

describeWithFfmpeg('the pipeline', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mambair-pipeline-'));
  const at = (name: string): string => join(folder, name);
  const raw = words('-fps_mode passthrough -enc_time_base 1/90000 -c:v rawvideo -f nut pipe:1');
  const timed = words('-fps_mode passthrough -enc_time_base 1/90000');
  const decodeArgs = ['-nostdin', '-v', 'error', '-copyts', '-i', at('in.nut'), ...raw];
  const encodeArgs =
    (...output: readonly string[]) =>
    () => ['-v', 'error', '-y', '-copyts', '-f', 'nut', '-i', 'pipe:0', ...timed, '-c:v', 'ffv1', ...output];
  const run = (call: Partial<PipelineCall>): Promise<PipelineResult> =>
    runPipeline({
      program: ffmpegUnderTest(),
      decodeArgs,
      encodeArgs: encodeArgs(at('out.nut')),
      restorersFor: unchanged(),
      ...call,
    });
  const frameTable = (name: string): string =>
    Buffer.from(ffmpeg(['-copyts', '-i', at(name), ...timed, '-f', 'framemd5', '-'])).toString('utf8');
  const children = (): string =>
    execFileSync('ps', ['--ppid', String(process.pid), '-o', 'comm='], { encoding: 'utf8' }).replaceAll('ps\n', '');

  beforeAll(() => {
    const uneven = "select='not(mod(n,3))+eq(n,7)+eq(n,20)',settb=1/90000,setpts=PTS+28800+mod(N*137\\,311)";
    ffmpeg([
      ...words('-f lavfi -i testsrc2=s=66x50:r=30000/1001:d=4,format=yuv420p10le -vf'),
      uneven,
      ...timed,
      ...words('-c:v ffv1 -f nut'),
      at('in.nut'),
    ]);
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('passes every frame at its time, bit for bit', async () => {
    const result = await run({});
    expect(frameTable('out.nut')).toBe(frameTable('in.nut'));
    expect(result).toEqual({ frames: 42, repeated: 2, endedEarly: false, decodeMessages: [] });
    expect(children()).toBe('');
  });

  it('ends well when the encoder has enough', async () => {
    const said: string[] = [];
    const result = await run({
      encodeArgs: encodeArgs('-frames:v', '3', at('out.nut')),
      onDecodeLine: (line) => said.push(line),
    });
    expect(result.endedEarly || result.frames === 42).toBe(true);
    // Not even that its pipe was closed.
    expect(said).toEqual([]);
    expect(children()).toBe('');
  });

  it('says why decoding failed', async () => {
    const decoding = run({ decodeArgs: ['-nostdin', '-v', 'error', '-i', at('none.mkv'), ...raw] });
    await expect(decoding).rejects.toMatchObject({ code: 'MAMBAIR_FFMPEG_DECODE' });
    await expect(decoding).rejects.toThrow(/No such file or directory/);
    const nothing = run({ decodeArgs: ['-nostdin', '-v', 'error', '-ss', '60', '-i', at('in.nut'), ...raw] });
    await expect(nothing).rejects.toMatchObject({ code: 'MAMBAIR_FFMPEG_DECODE' });
    expect(children()).toBe('');
  });

  it('says when the decoder dies in the middle, and does not take it for the end', async () => {
    const program = at('dying.sh');
    await import('node:fs/promises').then((fs) =>
      fs.writeFile(program, `#!/bin/sh\n${ffmpegUnderTest()} "$@" | head -c 150000\nkill -9 $$\n`, { mode: 0o755 }),
    );
    const decoding = async (): Promise<number> => {
      const stream = await decode({ program, args: decodeArgs });
      let count = 0;
      for await (const frame of stream.frames) {
        count += frame.data.length > 0 ? 1 : 0;
      }
      return count;
    };
    await expect(decoding()).rejects.toMatchObject({ code: 'MAMBAIR_FFMPEG_DECODE' });
    await expect(decoding()).rejects.toThrow(/after \d+ frames was ended by SIGKILL/);
  });

  it('says why encoding failed', async () => {
    const encoding = run({ encodeArgs: encodeArgs(at('no/such/folder.nut')) });
    await expect(encoding).rejects.toMatchObject({ code: 'MAMBAIR_FFMPEG_ENCODE' });
    await expect(encoding).rejects.toThrow(/No such file or directory/);
    await expect(run({ encodeArgs: encodeArgs('-f', 'nut', '/dev/full') })).rejects.toThrow(/No space left/);
    expect(children()).toBe('');
  });

  it('passes on what the engine throws, and leaves no process', async () => {
    await expect(run({ restorersFor: unchanged(0, 5) })).rejects.toThrow('the engine failed');
    expect(children()).toBe('');
  });

  it('stops when it is told to', async () => {
    const controller = new AbortController();
    const running = run({
      // ffmpeg looks at some twenty frames before it encodes the first.
      restorersFor: unchanged(30),
      signal: controller.signal,
      progress: ({ frames }) => frames === 38 && controller.abort(),
    });
    await expect(running).rejects.toMatchObject({ code: 'MAMBAIR_CANCELLED' });
    expect(children()).toBe('');
    // What had come through was finished, so that it can be looked at.
    expect(frameTable('out.nut').split('\n').length).toBeGreaterThan(5);
  });

  it('says when there is no such program', async () => {
    await expect(run({ program: at('nothing') })).rejects.toThrow(/could not be started/);
  });
});

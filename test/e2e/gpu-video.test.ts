import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { loadModel, type Model } from '../../core/index.js';
import { restoreVideo } from '../../ffmpeg-filter/clip/restore-video.js';
import { describeWithFfmpeg, ffmpeg } from '../ffmpeg.js';
import { describeWithGpu, gpuTestMs } from '../gpu.js';
import { randomCheckpoint, smallConfig } from '../random-network.js';
import { workFolder } from './run.js';

const at = workFolder();

/** Ends the processes of this one that run a GPU, as a driver that crashes does. */
function killGpu(): void {
  const lines = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', `${process.pid}`], { encoding: 'utf8' }).split('\n');
  for (const line of lines.filter((each) => each.includes('gpu-process.js'))) {
    process.kill(Number.parseInt(line, 10), 'SIGKILL');
  }
}

/** A checksum and a time for each frame. */
const framesOf = (path: string): string =>
  execFileSync('ffmpeg', ['-v', 'error', '-i', path, '-f', 'framemd5', '-'], { encoding: 'utf8' });

describeWithGpu('a video on a GPU', () => {
  describeWithFfmpeg('whose process is killed', () => {
    let model: Model;
    beforeAll(async () => {
      ffmpeg(['-f', 'lavfi', '-i', 'testsrc2=s=24x16:r=10:d=0.9', '-c:v', 'ffv1', at('in.mkv')]);
      model = await loadModel(randomCheckpoint(smallConfig, 1), { device: 'webgpu', threads: 2 });
    });
    afterAll(() => model.dispose());

    it(
      'has every frame, bit for bit, with one warning',
      async () => {
        const options = { model, codec: 'ffv1' };
        await restoreVideo(at('in.mkv'), at('undisturbed.mkv'), options);
        const warnings: string[] = [];
        let isKilled = false;
        const { frames } = await restoreVideo(at('in.mkv'), at('disturbed.mkv'), {
          ...options,
          warn: ({ code }) => warnings.push(code),
          progress: ({ frames: done }) => {
            if (done >= 3 && !isKilled) {
              isKilled = true;
              killGpu();
            }
          },
        });
        expect([frames, warnings, model.info.device]).toEqual([9, ['frame-mended'], 'webgpu']);
        expect(framesOf(at('disturbed.mkv'))).toBe(framesOf(at('undisturbed.mkv')));
      },
      gpuTestMs,
    );
  });
});

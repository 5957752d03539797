import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeWithFfmpeg, ffmpeg, testedFfmpeg } from '../../test/ffmpeg.js';
import { describeWithShared, sharedPath } from '../../test/shared.js';
import { findFfmpeg } from '../command/find-ffmpeg.js';
import { readCommand, runCommand } from './run-command.js';

interface SplitCase {
  readonly n: number;
  readonly title: string;
  readonly cmd: readonly string[];
  readonly run?: boolean;
  readonly pre?: string;
}

const ours = /mambair(=(?:'[^']*'|[^,;[\]'])*)?/;
const words = (text: string): readonly string[] => text.split(' ');

describeWithShared('commands with our filter, against the same with null', ['video-rig/make-clips.sh'], () => {
  describeWithFfmpeg('give what plain ffmpeg gives, bit for bit', () => {
    const rig = sharedPath('video-rig') ?? '';
    const { cases } = JSON.parse(readFileSync(join(rig, 'split-cases.json'), 'utf8')) as {
      readonly cases: readonly SplitCase[];
    };
    const runs = cases.filter(({ run }) => run === true).map((one) => [one.n, one.title, one] as const);
    const folder = mkdtempSync(join(tmpdir(), 'mambair-rig-'));
    const before = process.cwd();

    beforeAll(() => {
      const ONLY =
        '^(cfr24|vfr|avdelay|full|hdr10)[.]mp4$|^(multi|twovideo|long|tff|alphaffv1|vfr|hdr10)[.]mkv$|cover.png|(start100|lateaudio)[.]ts|^bff';
      execFileSync('bash', [join(rig, 'make-clips.sh'), folder], { env: { ...process.env, ONLY }, stdio: 'ignore' });
      // Names in commands are relative, and so are those of subtitles in filters.
      process.chdir(folder);
    });

    afterAll(() => {
      process.chdir(before);
      rmSync(folder, { recursive: true, force: true });
    });

    /** What ffmpeg does since 7.1 that does not come through the pipe. */
    const newer = [/^DIFF .*: stream side data: .* -> \[\]$/, /^DIFF .*(avg_frame_rate|frames: duration): /];

    /** The differences that the rig has found, without those that a newer ffmpeg makes. */
    async function unexplained(report: string): Promise<string> {
      const { version } = await findFfmpeg();
      const lines = report.split('\n').filter((line) => line.startsWith('DIFF'));
      const isNew = (line: string): boolean => version.hasNegotiatedColour && newer.some((each) => each.test(line));
      return lines.length > 0 && lines.every(isNew) ? '' : report;
    }

    /** Runs a command twice, plainly and through us, and says what differs between their outputs. */
    async function differences(argv: readonly string[], scale = 1): Promise<string> {
      const at = argv.findIndex((word) => /^OUT/.test(word));
      const input = argv[argv.indexOf('-i') + 1] ?? '';
      const framerate = argv.indexOf('-framerate');
      const opening = framerate < 0 ? [] : argv.slice(framerate, framerate + 2);
      const entries = ['-select_streams', 'v', '-show_entries', 'stream=time_base', '-of', 'csv=p=0'];
      const probed = execFileSync('ffprobe', ['-v', 'error', ...opening, ...entries, input], { encoding: 'utf8' });
      const timeBase = probed.split(/[\n,]/)[0] ?? '';
      const named = (prefix: string, filter: string) =>
        argv.map((word) => word.replace(ours, filter).replace(/^OUT/, `${prefix}OUT`));
      const plain = [...named('plain-', 'null')];
      plain.splice(
        at,
        0,
        '-fps_mode',
        'passthrough',
        ...(plain.includes('-fps_mode') ? [] : ['-enc_time_base', timeBase]),
      );
      testedFfmpeg(['-nostdin', ...plain]);
      const said: string[] = [];
      const command = readCommand(['-v', 'error', '-y', ...named('ours-', 'mair=model=identity')]);
      if (command === undefined) {
        throw new Error('the filter was not found');
      }
      await runCommand(command, { programs: await findFfmpeg(), write: (text) => said.push(text) });
      const outputs = argv.filter((word) => /^OUT/.test(word));
      const reports = outputs.map(async (output) => {
        const files = [`plain-${output}`, `ours-${output}`];
        const bits = files.map((file) =>
          String(
            Buffer.from(ffmpeg(['-i', file, ...words('-map 0:v:0 -c copy -f streamhash -hash md5 -')])).toString(
              'utf8',
            ),
          ),
        );
        const verify = [join(rig, 'verify.mjs'), `--scale=${scale}`, ...files];
        const { status, stdout, stderr } = spawnSync(process.execPath, verify, { encoding: 'utf8' });
        const isSame = bits[0] === bits[1];
        const found = status === 0 ? '' : isSame ? await unexplained(stdout) : stdout;
        return found === '' && isSame ? '' : `${stdout}${stderr}${bits.join('')}${said.join('')}`;
      });
      return (await Promise.all(reports)).join('');
    }

    it('13 of the split cases', () => expect(runs).toHaveLength(13));

    it.each(runs)('case %i: %s', async (_, __, { cmd, pre }) => {
      if (pre !== undefined) {
        execFileSync('bash', ['-c', pre]);
      }
      expect(await differences(cmd)).toBe('');
      expect(readdirSync('.').filter((name) => name.includes('partial'))).toEqual([]);
    });

    it.each([
      ['MPEG-TS that starts at 100 s', 'start100.ts', ''],
      ['MPEG-TS with subtitles burnt in', 'start100.ts', 'subtitles=s1.srt,'],
      ['MPEG-TS whose sound starts later', 'lateaudio.ts', ''],
      ['a part of a clip', 'long.mkv', ''],
      ['frames at uneven times', 'vfr.mkv', 'hflip,'],
      ['interlaced frames', 'tff.mkv', ''],
      ['interlaced frames, the lower field first', 'bff.mov', ''],
      ['frames with alpha', 'alphaffv1.mkv', ''],
    ])('%s', async (_, input, filters) => {
      const seek = input === 'long.mkv' ? ['-ss', '1.23', '-t', '0.7'] : [];
      const filter = ['-vf', `${filters}mambair`, ...words('-map 0:V:0 -map 0:a? -c:v ffv1 -c:a copy OUT.mkv')];
      expect(await differences([...seek, '-i', input, ...filter])).toBe('');
    });

    it('HDR, of which the frames alone tell, and then the container, as FFV1 does not', async () => {
      const report = await differences(
        words('-i hdr10.mp4 -vf mambair -map 0:V:0 -map 0:a? -c:v ffv1 -c:a copy OUT.mkv'),
      );
      const others = report.match(/^DIFF.*/gm)?.filter((line) => !/stream side data: \[\] -> .*Mastering/.test(line));
      expect(others ?? []).toEqual([]);
      expect(new Set(report.match(/MD5=\w+/g)).size).toBeLessThan(2);
    });

    it('keeps the codes of full-range clips where ffmpeg by itself would squeeze them', async () => {
      const programs = await findFfmpeg();
      // Since 7.1 its FFV1 takes no full range.
      const encoder = programs.version.hasNegotiatedColour ? 'libx264 -qp 0' : 'ffv1';
      const command = readCommand(
        words(`-v error -y -i full.mp4 -vf mair=model=identity -an -c:v ${encoder} full.mkv`),
      );
      await runCommand(command!, { programs, write: () => undefined });
      const md5 = (file: string, format: string): string =>
        Buffer.from(ffmpeg(['-i', file, ...words(`-map 0:v -pix_fmt ${format} -f md5 -`)])).toString('utf8');
      expect(md5('full.mkv', 'yuvj420p')).toBe(md5('full.mp4', 'yuvj420p'));
    });
  });
});

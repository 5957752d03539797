import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { beforeAll, expect, it } from '@jest/globals';
import fluent from 'fluent-ffmpeg';
import { mambairFfmpegPath } from '../../ffmpeg-filter/drop-in/executable.js';
import { describeWithFfmpeg, ffmpeg, ffmpegUnderTest, testedFfmpeg } from '../ffmpeg.js';
import { mambair, runWith, start, workFolder } from './run.js';

const words = (text: string): readonly string[] => text.split(' ');

describeWithFfmpeg('mambair ffmpeg', () => {
  const at = workFolder();
  const md5 = (path: string): string =>
    Buffer.from(ffmpeg(['-i', path, ...words('-map 0:v -f md5 -')])).toString('utf8');
  const standIn = (...args: readonly string[]) =>
    spawnSync(mambairFfmpegPath(), args, {
      encoding: 'utf8',
      env: { ...process.env, FFMPEG_PATH: mambairFfmpegPath() },
    });

  beforeAll(() => {
    ffmpeg([...words('-f lavfi -i testsrc2=s=96x64:r=25:d=2 -f lavfi -i sine=d=2 -c:v ffv1 -c:a flac'), at('in.mkv')]);
    const woven =
      '-f lavfi -i testsrc2=s=96x64:r=50:d=1 -vf tinterlace=interleave_top -c:v mpeg2video -flags +ildct+ilme';
    ffmpeg([...words(woven), at('woven.mkv')]);
  });

  it('restores, and tells what one ffmpeg would tell', () => {
    const filter = ['-i', at('in.mkv'), ...words('-vf mambairv2=model=identity -c:v ffv1 -c:a copy'), at('out.mkv')];
    const { status, stderr, stdout } = standIn('-y', ...filter);
    expect(status).toBe(0);
    expect(stdout).toBe('');
    expect(md5(at('out.mkv'))).toBe(md5(at('in.mkv')));
    const heads = stderr.split(/[\r\n]/).filter((line) => /^(Input|Output|Stream mapping|frame=\s*50)/.test(line));
    expect(heads.map((line) => line.slice(0, 8)).filter((line, index, all) => line !== all[index - 1])).toEqual([
      'Input #0',
      'Stream m',
      'Output #',
      'frame=  ',
    ]);
    // Without -y nothing is replaced.
    const again = standIn(...filter);
    expect([again.status, again.stderr]).toEqual([5, expect.stringMatching(/out\.mkv exists; -y replaces it/)]);
  });

  it('restores with a network', () => {
    const model = words('-v error -vf mambairv2=tile=64:threads=2 -frames:v 1 -an -c:v ffv1');
    expect(standIn('-i', at('in.mkv'), ...model, at('large.mkv')).stderr).toBe('');
    const size = spawnSync('ffprobe', [
      '-v',
      'error',
      '-show_entries',
      'stream=width,height',
      '-of',
      'csv=p=0',
      at('large.mkv'),
    ]);
    expect(size.stdout.toString().trim()).toBe('192,128');
  });

  it('hands everything else to ffmpeg', () => {
    expect(standIn('-version').stdout).toMatch(/^ffmpeg version/);
    const filters = standIn('-v', 'error', '-filters').stdout;
    expect(filters).toMatch(/^ \.\.\. mambairv2 +V->V/m);
    expect(filters).toMatch(/ yadif /);
    const failing = ['-v', 'error', '-i', at('none.mkv'), at('never.mkv')];
    const [ours, plain] = [standIn(...failing), spawnSync(ffmpegUnderTest(), failing, { encoding: 'utf8' })];
    const withoutAddress = (text: string): string => text.replaceAll(/0x[\da-f]+/g, '0x');
    expect([ours.status, withoutAddress(ours.stderr)]).toEqual([plain.status, withoutAddress(plain.stderr)]);
    const stdin = { input: 'x', encoding: 'utf8' } as const;
    const copied = spawnSync(mambairFfmpegPath(), words('-v error -f data -i - -map 0 -c copy -f data -'), stdin);
    expect(copied.stdout).toBe('x');
  });

  it('has help for the filter, and for itself', async () => {
    expect((await mambair('ffmpeg', '-h', 'filter=mair')).stdout).toMatch(/^Filter mair\n[^]*scale +<int>/);
    expect((await mambair('ffmpeg', '--help')).stdout).toMatch(/Usage: mambair ffmpeg/);
    expect(standIn('-h', 'filter=mambairv2').stdout).toMatch(/mambairv2 AVOptions/);
  });

  it.each([
    ['nothing', '', 2, /say what ffmpeg should do/],
    ['no such option', '-i in.mkv -vf mair=sclae=2 o.mkv', 2, /no option "sclae"; did you mean scale/],
    ['no such model', '-i in.mkv -vf mair=model=tiny-x9 o.mkv', 3, /did you mean tiny-x2/],
    ['a scale that the model has not', '-i in.mkv -vf mair=4:identity o.mkv', 2, /scale=4 does not fit/],
    ['a copy', '-i in.mkv -c copy -vf mair o.mkv', 2, /both filtered and copied/],
    ['no such file', '-i none.mkv -vf mair o.mkv', 4, /ffprobe cannot read .*none\.mkv/],
    ['the output as input', '-y -i in.mkv -vf mair=model=identity in.mkv', 2, /is input and output/],
    ['interlaced frames', '-i woven.mkv -vf mair o.mkv', 4, /interlaced \(tff\).*"bwdif,mair"/],
    ['no such encoder', '-i in.mkv -vf mair=model=identity -c:v nope o.mkv', 5, /Unknown encoder 'nope'/],
    ['no such folder', '-i in.mkv -vf mair=model=identity no/such/o.mkv', 5, /No such file or directory/],
  ])('refuses %s', async (_, text, exitCode, message) => {
    const args = text === '' ? [] : words(text).map((word) => (word.endsWith('.mkv') ? at(word) : word));
    const run = await runWith({ path: process.env['PATH'] ?? '' }, ['ffmpeg', ...args]);
    expect([run.exitCode, run.stderr]).toEqual([exitCode, expect.stringMatching(message)]);
    expect(existsSync(at('o.mkv'))).toBe(false);
  });

  it('leaves what is unfinished under another name when it is stopped', async () => {
    const long = [
      ...words('-v error -f lavfi -i testsrc2=s=96x64:d=3000 -vf mair=model=identity -c:v mpeg4'),
      at('long.mkv'),
    ];
    const child = start(['ffmpeg', ...long]);
    let said = '';
    child.stderr?.on('data', (text) => (said += String(text)));
    const partial = at('long.partial.mkv');
    while (!existsSync(partial)) {
      await new Promise((done) => setTimeout(done, 50));
    }
    await new Promise((done) => setTimeout(done, 300));
    child.kill('SIGINT');
    expect(await new Promise((done) => child.on('close', done))).toBe(130);
    expect(said).toMatch(/what was written before the end is in .*long\.partial\.mkv/);
    expect((await readdir(at('.'))).filter((name) => name.startsWith('long'))).toEqual(['long.partial.mkv']);
    // It was finished as far as it went, and can be looked at.
    expect(ffmpeg(['-i', partial, ...words('-frames:v 1 -f md5 -')]).length).toBeGreaterThan(0);
  });

  it('is found by fluent-ffmpeg, whose events come', async () => {
    fluent.setFfmpegPath(mambairFfmpegPath());
    const seen: string[] = [];
    await new Promise<void>((done, fail) => {
      fluent(at('in.mkv'))
        .videoFilters('mambairv2=model=identity-x2')
        .videoCodec('ffv1')
        .audioCodec('copy')
        .on('codecData', ({ video }) => seen.push(video.slice(0, 4)))
        .on('progress', ({ frames }) => seen.push(frames > 0 ? 'frames' : 'none'))
        .on('end', () => done())
        .on('error', fail)
        .save(at('fluent.mkv'));
    });
    expect(seen[0]).toBe('ffv1');
    expect(seen.at(-1)).toBe('frames');
    const failed = new Promise<string>((done) => {
      fluent(at('in.mkv'))
        .videoFilters([{ filter: 'mambairv2', options: { model: 'identity', tile: 3 } }])
        .on('error', ({ message }) => done(message))
        .save(at('never.mkv'));
    });
    expect(await failed).toMatch(/filter option tile takes/);
  });

  it('runs the example', () => {
    // In the repository `mambair` is found by its own name.
    const example = resolve('examples/fluent-ffmpeg.mjs');
    const { status, stderr } = spawnSync(process.execPath, [
      example,
      at('in.mkv'),
      at('example.mkv'),
      'model=identity',
    ]);
    expect([status, stderr.toString()]).toEqual([0, '']);
    expect(existsSync(at('example.mkv'))).toBe(true);
  });
});

describeWithFfmpeg('mambair pipe', () => {
  const at = workFolder();
  const run = (input: Uint8Array, ...args: readonly string[]) =>
    spawnSync(process.execPath, [resolve('bin/mambair.js'), 'pipe', ...args], { input, maxBuffer: 2 ** 28 });
  const source = words('-f lavfi -i testsrc2=s=66x34:r=30000/1001:d=0.5 -pix_fmt yuv420p');

  it.each([
    ['nut', '-c:v rawvideo -f nut -'],
    ['y4m', '-f yuv4mpegpipe -'],
  ])('gives back every frame: %s', (format, output) => {
    const input = testedFfmpeg([...source, ...words(output)]);
    writeFileSync(at('before'), input);
    const { stdout, stderr, status } = run(input, '--format', format, '-m', 'identity');
    expect([status, stderr.toString()]).toEqual([0, '15 frames restored by identity\n']);
    writeFileSync(at('after'), stdout);
    const crc = (name: string): string =>
      Buffer.from(ffmpeg(['-i', at(name), ...words('-c copy -f framecrc -')])).toString('utf8');
    expect(crc('after')).toBe(crc('before'));
  });

  it('gives them back whatever it is told of their colour', () => {
    const input = testedFfmpeg([...source, ...words('-f yuv4mpegpipe -')]);
    const colour = ['--matrix', 'bt2020nc', '--range', 'full', '--chroma-location', 'topleft'];
    const { stdout, status } = run(input, '--format', 'y4m', '-m', 'identity', ...colour);
    const planes = (y4m: Uint8Array): Uint8Array => y4m.subarray(Buffer.from(y4m).indexOf('\nFRAME'));
    expect([status, stdout.length > 0]).toEqual([0, true]);
    expect(Buffer.compare(planes(stdout), planes(input))).toBe(0);
  });

  it('says what is wrong', () => {
    const none = new Uint8Array(0);
    expect(run(none).stderr.toString()).toMatch(/--format nut or --format y4m/);
    expect(run(none, '--format', 'y4m', '-m', 'identity').status).toBe(4);
    const cut = testedFfmpeg([...source, ...words('-f yuv4mpegpipe -')]).subarray(0, 5000);
    const broken = run(cut, '--format', 'y4m', '-m', 'identity');
    expect([broken.status, broken.stderr.toString()]).toEqual([4, expect.stringMatching(/ends within frame 1/)]);
  });
});

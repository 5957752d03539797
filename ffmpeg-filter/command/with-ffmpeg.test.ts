import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeWithFfmpeg, ffmpeg, ffprobeUnderTest, testedFfmpeg } from '../../test/ffmpeg.js';
import { parseCommand } from './command-line.js';
import { findOurFilter } from './find-filter.js';
import { fillHalf, pipeWords, rawWords, timeBaseWords, type EncodedStream } from './half.js';
import { chromaWords, probeArguments, readProbe } from './probed-input.js';
import { splitCommand } from './split-command.js';

const words = (text: string): readonly string[] => text.split(' ');

describeWithFfmpeg('the halves of a command, one into the other', () => {
  let folder: string;
  const at = (name: string): string => join(folder, name);
  const placed = (argv: readonly string[]): readonly string[] =>
    argv.map((word) => (/\.(mkv|mov)$/.test(word) ? at(word) : word));

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mambair-split-'));
    const sources = '-f lavfi -i testsrc2=s=64x48:r=30000/1001:d=0.6 -f lavfi -i sine=d=0.6 -f lavfi -i sine=220:d=0.6';
    ffmpeg([
      ...words(`${sources} -map 0 -map 1 -map 2 -c:v ffv1 -pix_fmt yuv422p10le -c:a flac`),
      ...words('-colorspace bt709 -color_trc gamma28 -color_range tv -metadata title=Film -metadata:s:0 title=Main'),
      ...words('-metadata:s:2 language=fra -disposition:v default'),
      at('in.mkv'),
    ]);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each([
    '-i in.mkv -map 0 -c copy -c:v ffv1 -vf hflip,mair=2,format=yuv444p10 OUT.mkv',
    '-i in.mkv -vf fps=12,mambair,setpts=0.5*PTS -c:a copy -c:v ffv1 OUT.mkv',
    '-i in.mkv -i in.mkv -filter_complex [1:v]hflip[b];[0:v]mambairv2[m];[m][b]hstack[v] -map [v] -map 0:a -c:v ffv1 OUT.mov',
    '-t 0.3 -i in.mkv -filter_complex vflip,mair -c:v ffv1 -c:a copy OUT.mkv',
  ])('give what plain ffmpeg gives: %s', (text) => {
    const command = parseCommand(placed(words(text)));
    const found = findOurFilter(command, () => '');
    if (found === undefined) {
      throw new Error('the filter was not found');
    }
    const probes = command.inputs.map((input) =>
      readProbe(execFileSync(ffprobeUnderTest(), probeArguments(input), { encoding: 'utf8' })),
    );
    const split = splitCommand(command, found, probes);
    const colours = split.source?.stream;
    const fill = {
      raw: rawWords(split.timeBase),
      pipe: pipeWords(0),
      timeBase: timeBaseWords(split.timeBase),
      colour: ({ video }: EncodedStream) => (colours === undefined ? [] : chromaWords(colours, video)),
      output: () => at(text.includes('.mov') ? 'split.mov' : 'split.mkv'),
    };
    const frames = testedFfmpeg(['-nostdin', '-copyts', '-start_at_zero', ...fillHalf(split.decode, fill)]);
    testedFfmpeg(fillHalf(split.encode, fill), frames);

    const plain = text.replace(/(mambairv2|mambair|mair)(=2)?/, 'null').split(' ');
    plain.splice(-1, 1, ...timeBaseWords(split.timeBase), plain.at(-1)?.replace('OUT', 'plain') ?? '');
    testedFfmpeg(placed(plain));
    const shown = (name: string): unknown => {
      const file = at(`${name}.${text.includes('.mov') ? 'mov' : 'mkv'}`);
      const md5 = Buffer.from(ffmpeg(['-i', file, '-map', '0', '-f', 'framemd5', '-'])).toString('utf8');
      const entries =
        'stream=index,codec_name,color_space,color_transfer,color_range:stream_tags=title,language:format_tags=title:stream_disposition=default';
      const facts = execFileSync('ffprobe', ['-v', 'error', '-of', 'json', '-show_entries', entries, file], {
        encoding: 'utf8',
      });
      return { md5, facts };
    };
    expect(shown('split')).toEqual(shown('plain'));
  });
});

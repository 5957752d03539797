import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ffmpeg } from './run-ffmpeg.js';

/** A small clip with one thing that programs tend to lose. */
export interface ProofClip {
  /** With the extension. */
  readonly name: string;
  /** ffmpeg's arguments before the output. */
  readonly make: readonly string[];
  /** A codec that loses nothing of it, and its options. */
  readonly codec: string;
  readonly encoderOptions?: Readonly<Record<string, string>>;
  /** True for those that the test suite runs as well; all are run by `tools/video-proof.mjs`. */
  readonly inSuite?: boolean;
}

const pattern = (size = '96x64', rate = '25', seconds = '0.4'): readonly string[] => [
  ...['-f', 'lavfi', '-i', `testsrc2=s=${size}:r=${rate}:d=${seconds}`],
];
const sine = (frequency: number): readonly string[] => ['-f', 'lavfi', '-i', `sine=${frequency}:d=0.5`];
const tags709 = ['-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709', '-color_range', 'tv'];
const tags2020 = ['-colorspace', 'bt2020nc', '-color_primaries', 'bt2020', '-color_range', 'tv'];
const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2'];
const ffv1 = ['-c:v', 'ffv1', '-level', '3'];
const exact264 = { codec: 'h264', encoderOptions: { qp: '0', preset: 'ultrafast' } } as const;
const exact265 = {
  codec: 'h265',
  encoderOptions: { preset: 'ultrafast', 'x265-params': 'lossless=1:log-level=error' },
} as const;
const exactFfv1 = { codec: 'ffv1' } as const;

/** Clips that ffmpeg 5 can keep whole in the same container. */
export const proofClips: readonly ProofClip[] = [
  {
    name: 'variable-rate.mp4',
    inSuite: true,
    make: [
      ...[...pattern('96x64', '30000/1001', '1'), ...sine(330)],
      ...[
        '-vf',
        "select='not(mod(n\\,3))+eq(n\\,7)'",
        '-fps_mode',
        'vfr',
        '-enc_time_base',
        '-1',
        ...x264,
        '-c:a',
        'aac',
      ],
    ],
    ...exact264,
  },
  {
    name: 'odd-time-base.nut',
    make: [
      ...[...pattern(), '-vf', "settb=1/1000000,setpts='PTS+mod(N*137\\,311)'", '-enc_time_base', '1/1000000'],
      ...['-fps_mode', 'passthrough', ...ffv1],
    ],
    ...exactFfv1,
  },
  {
    name: 'hdr10.mkv',
    inSuite: true,
    make: [
      ...[...pattern('96x64', '24'), '-c:v', 'libx265', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p10le', ...tags2020],
      ...['-color_trc', 'smpte2084', '-x265-params'],
      'log-level=error:hdr10=1:repeat-headers=1:max-cll=1000,400:chromaloc=2:master-display=' +
        'G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)',
    ],
    ...exact265,
  },
  {
    name: 'hlg.mp4',
    make: [
      ...[...pattern('96x64', '50'), '-c:v', 'libx265', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p10le', ...tags2020],
      ...['-color_trc', 'arib-std-b67', '-x265-params', 'log-level=error', '-tag:v', 'hvc1'],
    ],
    ...exact265,
  },
  {
    name: 'interlaced.mkv',
    inSuite: true,
    make: [
      ...[...pattern('96x64', '50'), '-vf', 'interlace=scan=tff:lowpass=0', ...x264],
      ...['-flags', '+ilme+ildct', '-x264-params', 'tff=1'],
    ],
    ...exactFfv1,
  },
  { name: 'upright.mp4', make: [...pattern(), ...x264, '-pix_fmt', 'yuv420p'], ...exact264 },
  {
    name: 'odd-size.mkv',
    inSuite: true,
    make: [...pattern('58x34'), '-vf', 'scale=57:33,format=yuv420p', ...ffv1],
    ...exactFfv1,
  },
  {
    name: 'wide-pixels.mp4',
    make: [...pattern('90x72'), '-vf', 'setsar=64/45', ...x264, '-pix_fmt', 'yuv420p'],
    ...exact264,
  },
  {
    name: 'full-range.mp4',
    make: [
      ...[...pattern(), '-vf', 'scale=out_range=full,format=yuvj420p', ...x264, '-color_range', 'pc'],
      ...['-colorspace', 'smpte170m', '-color_primaries', 'smpte170m', '-color_trc', 'smpte170m'],
    ],
    ...exact264,
  },
  { name: '422.mkv', make: [...pattern(), ...ffv1, '-pix_fmt', 'yuv422p10le'], ...exactFfv1 },
  { name: '444.mp4', make: [...pattern(), ...x264, '-pix_fmt', 'yuv444p', ...tags709], ...exact264 },
  {
    name: 'alpha.mkv',
    inSuite: true,

    make: [
      ...pattern(),
      '-vf',
      `format=rgba,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='X*2',format=yuva444p10le`,
      ...ffv1,
    ],
    ...exactFfv1,
  },
  { name: 'rgb16.mkv', make: [...pattern(), '-pix_fmt', 'gbrp16le', ...ffv1], ...exactFfv1 },
];

/** Makes a clip in a folder; gives its path. */
export function makeProofClip(folder: string, { name, make }: ProofClip): string {
  const path = join(folder, name);
  ffmpeg(['-nostdin', ...make, path]);
  return path;
}

/** A clip turned by a quarter, of one that is not. */
export function makeTurnedClip(folder: string, upright: string): string {
  const path = join(folder, 'turned.mp4');
  ffmpeg(['-nostdin', '-i', upright, '-c', 'copy', '-metadata:s:v:0', 'rotate=90', path]);
  return path;
}

/** A film with two sounds, two subtitles, a cover, a font, chapters, tags and marks, which starts at 60 ms. */
export function makeRichClip(folder: string): string {
  const [path, titles, chapters, font, cover] = ['rich.mkv', 's.srt', 'chapters.txt', 'font.ttf', 'cover.png'].map(
    (name) => join(folder, name),
  ) as [string, string, string, string, string];
  writeFileSync(titles, '1\n00:00:00,100 --> 00:00:00,300\nHello <i>one</i>\n');
  const chapter = (start: number, end: number, title: string) =>
    `[CHAPTER]\nTIMEBASE=1/1000\nSTART=${start}\nEND=${end}\ntitle=${title}\n`;
  writeFileSync(
    chapters,
    `;FFMETADATA1\ntitle=A film; with \\= signs\nartist=Someone\n${chapter(0, 201, 'First')}${chapter(201, 400, 'Second')}`,
  );
  writeFileSync(font, 'F'.repeat(500));
  ffmpeg(['-nostdin', '-f', 'lavfi', '-i', 'testsrc=s=32x32', '-frames:v', '1', cover]);
  ffmpeg([
    ...['-nostdin', ...pattern('96x64', '24000/1001', '0.5'), ...sine(440), ...sine(660)],
    ...[
      '-i',
      titles,
      '-i',
      chapters,
      '-i',
      cover,
      '-map',
      '0:v',
      '-map',
      '1:a',
      '-map',
      '2:a',
      '-map',
      '3:s',
      '-map',
      '3:s',
    ],
    ...[
      '-map',
      '5:v',
      '-map_metadata',
      '4',
      '-map_chapters',
      '4',
      ...x264,
      '-pix_fmt',
      'yuv420p',
      ...tags709,
      '-c:v:1',
      'copy',
    ],
    ...['-c:a:0', 'aac', '-c:a:1', 'flac', '-c:s:0', 'srt', '-c:s:1', 'ass', '-disposition:v:1', 'attached_pic'],
    ...[
      '-metadata:s:v:1',
      'mimetype=image/png',
      '-metadata:s:v:1',
      'filename=cover.png',
      '-metadata:s:v:0',
      'title=Main',
    ],
    ...['-metadata:s:a:0', 'language=eng', '-metadata:s:a:1', 'language=fra', '-disposition:a:1', 'comment'],
    ...['-disposition:s:0', 'forced', '-attach', font, '-metadata:s:t', 'mimetype=application/x-truetype-font'],
    ...['-metadata:s:t', 'filename=font.ttf', '-output_ts_offset', '0.06', path],
  ]);
  return path;
}

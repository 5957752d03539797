import { readProbe, type ProbedInput } from '../ffmpeg-filter/command/probed-input.js';

interface StreamFacts {
  readonly kind: 'video' | 'audio' | 'subtitle' | 'attachment';
  readonly codec: string;
  readonly timeBase?: string;
  readonly pixelFormat?: string;
  readonly colour?: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
  readonly tags?: Readonly<Record<string, string>>;
}

/** What ffprobe says of a file with these streams. */
export function probed(streams: readonly StreamFacts[], chapters = 0): ProbedInput {
  return readProbe(
    JSON.stringify({
      streams: streams.map(({ kind, codec, timeBase, pixelFormat, colour, flags, tags }, index) => ({
        index,
        codec_type: kind,
        codec_name: codec,
        time_base: timeBase ?? '1/1000',
        ...colour,
        pix_fmt: pixelFormat,
        ...(kind === 'video' ? { width: 160, height: 120 } : {}),
        ...(kind === 'audio' ? { channels: 1 } : {}),
        disposition: Object.fromEntries((flags ?? []).map((flag) => [flag, 1])),
        tags: tags ?? {},
      })),
      chapters: Array.from({ length: chapters }, () => ({})),
    }),
  );
}

const mp4 = (timeBase: string): ProbedInput =>
  probed([
    {
      kind: 'video',
      codec: 'h264',
      timeBase,
      flags: ['default'],
      tags: { language: 'und', handler_name: 'VideoHandler', vendor_id: '[0][0][0][0]', encoder: 'Lavc libx264' },
    },
    { kind: 'audio', codec: 'aac', flags: ['default'], tags: { language: 'und', handler_name: 'SoundHandler' } },
  ]);

/** The inputs of the split cases as ffprobe describes them. */
export const probedClips: Readonly<Record<string, ProbedInput>> = {
  'cfr24.mp4': mp4('1/24000'),
  'vfr.mp4': mp4('1/30000'),
  'avdelay.mp4': mp4('1/12800'),
  'cover.png': probed([{ kind: 'video', codec: 'png', timeBase: '1/25' }]),
  'seq/f_%04d.png': probed([{ kind: 'video', codec: 'png', timeBase: '1/24' }]),
  'multi.mkv': probed(
    [
      { kind: 'video', codec: 'h264', tags: { title: 'Main' } },
      { kind: 'audio', codec: 'aac', flags: ['default'], tags: { language: 'eng', title: 'Stereo' } },
      { kind: 'audio', codec: 'flac', flags: ['comment'], tags: { language: 'fra' } },
      { kind: 'subtitle', codec: 'subrip', flags: ['forced'], tags: { language: 'deu' } },
      { kind: 'subtitle', codec: 'ass' },
      { kind: 'video', codec: 'png', tags: { FILENAME: 'cover.png', MIMETYPE: 'image/png' } },
      { kind: 'attachment', codec: 'ttf', tags: { filename: 'font.ttf' } },
    ],
    2,
  ),
  'twovideo.mkv': probed([
    { kind: 'audio', codec: 'flac' },
    { kind: 'video', codec: 'h264', flags: ['default'] },
    { kind: 'video', codec: 'h264' },
  ]),
  'long.mkv': probed([
    { kind: 'video', codec: 'h264' },
    { kind: 'audio', codec: 'flac' },
  ]),
};

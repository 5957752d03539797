import { write } from 'node:fs';
import { promisify } from 'node:util';
import { loadModel, matrixForTag, type ChromaLocation, type FrameColour } from '../../core/index.js';
import { filterModel, requireFitting } from '../../ffmpeg-filter/drop-in/filter-model.js';
import { frameColour } from '../../ffmpeg-filter/pipeline/frame-colour.js';
import { restoreStream } from '../../ffmpeg-filter/pipeline/restore-stream.js';
import { readNut } from '../../ffmpeg-filter/transport/read-nut.js';
import { readY4m } from '../../ffmpeg-filter/transport/read-y4m.js';
import type { VideoHeader } from '../../ffmpeg-filter/transport/video-stream.js';
import { writeNut } from '../../ffmpeg-filter/transport/write-nut.js';
import { writeY4m } from '../../ffmpeg-filter/transport/write-y4m.js';
import { defineCommand, type CommandInput } from '../command.js';
import { during, exitCodes } from '../exit-codes.js';
import { choice, text, usageError } from '../options.js';
import { ProgressLine } from '../progress.js';
import { given, loadOptions, quietOption, readSettings, restoreOptions, restoringOptions } from '../shared-options.js';

const options = {
  format: choice(['nut', 'y4m'], 'of the frames on both sides (needed)'),
  ...restoringOptions,
  matrix: text('NAME', 'of YUV, by ffmpeg’s name, e.g. bt709 (default: by the height, bt709 from 720 lines on)'),
  range: choice(['limited', 'full'], 'of the codes (default: what Y4M says, else limited)'),
  'chroma-location': choice(
    ['left', 'center', 'topleft', 'top', 'bottomleft', 'bottom'],
    'where chroma lies (default: what Y4M says, else left)',
  ),
  quiet: quietOption,
} as const;

type Values = CommandInput<typeof options>['options'];

/** `mambair pipe` */
export const pipe = defineCommand({
  name: 'pipe',
  summary: 'restore raw video frames from standard input to standard output',
  usage: '--format nut|y4m [options]',
  notes: [
    'NUT carries every time as it is and every pixel format; Y4M, which VapourSynth and mpv write, a constant frame',
    'rate and no RGB. Neither carries colour tags: say them here if they are not the usual ones, and again to what',
    'reads the frames.',
    '',
    'Examples:',
    '  ffmpeg -i in.mp4 -c:v rawvideo -f nut - | mambair pipe --format nut | ffmpeg -i - -c:v libx264 out.mp4',
    '  vspipe -c y4m script.vpy - | mambair pipe --format y4m --model tiny-x2 | ffplay -',
  ].join('\n'),
  options,
  positionals: { least: 0, most: 0, missing: '' },
  run: async ({ options: values, context }) => {
    const { format, quiet } = values;
    if (format === undefined) {
      throw usageError('say how the frames are packed: --format nut or --format y4m');
    }
    if (process.stdin.isTTY) {
      throw usageError('frames are read from standard input, and nothing is piped into it; see: mambair pipe --help');
    }
    if (process.stdout.isTTY) {
      throw usageError(
        'frames are written to standard output, which is a terminal; pipe them into a program or a file',
      );
    }
    const { signal } = context;
    const wanted = filterModel(given({ task: values.task, scale: values.scale, model: values.model }));
    const settings = { ...loadOptions(values), set: readSettings(values.set), signal };
    const model = await during('model', loadModel(wanted.source, settings));
    const progress = quiet ? undefined : new ProgressLine(context.stderr);
    try {
      requireFitting(model, given({ task: values.task, scale: values.scale }));
      // A source that is waited for ends with the wait.
      signal.addEventListener('abort', () => process.stdin.destroy());
      const stream = await (format === 'nut' ? readNut : readY4m)(process.stdin);
      const restorer = await model.createFrameRestorer(stream.layout, colourOf(stream.header, values), {
        ...restoreOptions(values),
        signal,
        warn: (_code, message) => context.stderr.write(`note: ${message}\n`),
      });
      let count = 0;
      const restored = restoreStream(stream, {
        restorers: [restorer],
        signal,
        progress: ({ frames, framesPerSecond }) => {
          count = frames;
          const rate = framesPerSecond >= 10 ? framesPerSecond.toFixed(0) : framesPerSecond.toPrecision(2);
          progress?.update({ done: 0, total: 0, label: `${frames} frames, ${rate} fps` });
        },
      });
      for await (const chunk of (format === 'nut' ? writeNut : writeY4m)(restored.header, restored.frames)) {
        if (!(await writeWhole(chunk))) {
          return exitCodes.ok;
        }
      }
      progress?.clear();
      if (!quiet) {
        context.stderr.write(`${count} frames restored by ${model.info.name}\n`);
      }
      return exitCodes.ok;
    } finally {
      progress?.clear();
      await model.dispose();
    }
  },
});

/** What the user said, then what the stream says, then what is usual. */
function colourOf(header: VideoHeader, values: Values): FrameColour {
  const colour = frameColour(header, undefined);
  const location: ChromaLocation = values['chroma-location'] ?? colour.chromaLocation;
  return {
    matrix: values.matrix === undefined ? colour.matrix : matrixForTag(values.matrix, header.height),
    range: values.range ?? colour.range,
    chromaLocation: location,
  };
}

const writeTo = promisify(write);

/** Standard output in whole chunks; false once nobody reads it. Node's own stream would stop everything while it waits. */
async function writeWhole(chunk: Uint8Array): Promise<boolean> {
  for (let at = 0; at < chunk.length; ) {
    try {
      at += (await writeTo(1, chunk, at)).bytesWritten;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') {
        return false;
      }
      if (code !== 'EAGAIN') {
        throw error;
      }
      // A pipe that does not wait by itself, and is full.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
  return true;
}

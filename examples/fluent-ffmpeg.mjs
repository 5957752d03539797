// Restores a video with fluent-ffmpeg: node fluent-ffmpeg.mjs in.mp4 out.mp4 [options of the filter]
import ffmpeg from 'fluent-ffmpeg';
import { mambairFfmpegPath } from 'mambair';

ffmpeg.setFfmpegPath(mambairFfmpegPath());

const [input, output, options = 'scale=2'] = process.argv.slice(2);
ffmpeg(input)
  .videoFilters(`mambairv2=${options}`)
  .audioCodec('copy')
  .on('progress', ({ frames }) => console.log(`${frames} frames`))
  .on('error', (error) => {
    console.error(error.message);
    process.exitCode = 1;
  })
  .save(output);

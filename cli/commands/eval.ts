import { evaluateFolder, loadModel, type Scores } from '../../core/index.js';
import { defineCommand } from '../command.js';
import { during, exitCodes } from '../exit-codes.js';
import { flag, integer, text, usageError, value } from '../options.js';
import { printJson, printTable } from '../print.js';
import {
  deviceOption,
  jsonOption,
  loadOptions,
  modelOption,
  quietOption,
  readSettings,
  restoreOptions,
  setOption,
  precisionOption,
  threadsOption,
  tileOptions,
} from '../shared-options.js';

/** `mambair eval` */
export const evaluate = defineCommand({
  name: 'eval',
  summary: 'score a model on a test set by the papers’ protocol',
  usage: '--model <id|file> --hr DIR [--lr DIR] (--scale S | --sigma N | --jpeg Q) [options]',
  notes: [
    'PSNR in dB and SSIM of the result, rounded to 8 bit, over RGB and over luma (BT.601); for upscaling a border of',
    'S pixels is left out. The papers print luma for upscaling, RGB for denoising, gray for JPEG repair.',
    'Tiles are the papers’ unless --tile says otherwise.',
    '',
    'Example: mambair eval --model mambairv2-light-x2 --hr Set5/HR --lr Set5/LRbicx2 --scale 2',
  ].join('\n'),
  options: {
    model: modelOption,
    hr: text('DIR', 'folder of the good pictures'),
    lr: text('DIR', 'folder of ready small pictures (default: made by MATLAB’s bicubic)'),
    scale: integer({ least: 1, most: 8 }, 'upscaling by this factor'),
    sigma: value('N', 'denoising: Gaussian noise of this standard deviation, 8-bit units', readSigma),
    jpeg: integer({ least: 1, most: 100 }, 'JPEG repair at this quality'),
    ensemble: flag('average over eight flips (the papers’ "+" rows)'),
    device: deviceOption,
    threads: threadsOption,
    precision: precisionOption,
    ...tileOptions,
    set: setOption,
    json: jsonOption,
    quiet: quietOption,
  },
  positionals: { least: 0, most: 0, missing: '' },
  run: async ({ options, context }) => {
    const { model: source, hr, lr, scale, sigma, jpeg, json, quiet } = options;
    if (source === undefined || hr === undefined) {
      throw usageError('--model and --hr are both needed');
    }
    if ([scale, sigma, jpeg].filter((each) => each !== undefined).length !== 1) {
      throw usageError('exactly one of --scale, --sigma and --jpeg is needed');
    }
    const { signal } = context;
    const set = readSettings(options.set);
    const model = await during('model', loadModel(source, { ...loadOptions(options), set, signal }));
    try {
      const { images, mean } = await evaluateFolder(model, {
        hr,
        ...(lr === undefined ? {} : { lr }),
        ...(scale === undefined ? {} : { scale }),
        ...(sigma === undefined ? {} : { sigma }),
        ...(jpeg === undefined ? {} : { quality: jpeg }),
        selfEnsemble: options.ensemble,
        ...restoreOptions(options),
        signal,
        onImage: (scores) => {
          if (json) {
            printJson(context.stdout, { event: 'scores', ...scores });
          } else if (!quiet) {
            context.stderr.write(`${scores.name}: ${scores.psnrY.toFixed(2)} dB\n`);
          }
        },
      });
      if (json) {
        printJson(context.stdout, { event: 'mean', images: images.length, ...mean });
      } else {
        const rows = [...images.map((each) => row(each.name, each)), row('mean', mean)];
        printTable(context.stdout, [['', 'PSNR-Y', 'SSIM-Y', 'PSNR-RGB', 'SSIM-RGB'], ...rows]);
      }
      return exitCodes.ok;
    } finally {
      await model.dispose();
    }
  },
});

function row(name: string, { psnrY, ssimY, psnrRgb, ssimRgb }: Scores): string[] {
  return [name, psnrY.toFixed(4), ssimY.toFixed(4), psnrRgb.toFixed(4), ssimRgb.toFixed(4)];
}

function readSigma(written: string): number {
  const sigma = Number(written);
  if (!/^\d+(\.\d+)?$/.test(written) || sigma > 255) {
    throw new Error('a number from 0 to 255');
  }
  return sigma;
}

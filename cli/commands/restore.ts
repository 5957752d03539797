import {
  chooseModel,
  chooseModelForFile,
  countPixels,
  loadModel,
  writableImageFormats,
  type Model,
  type RestoredFile,
} from '../../core/index.js';
import { defineCommand, type CommandInput } from '../command.js';
import { findInputs } from '../inputs.js';
import { makeFolderOf } from '../make-folder.js';
import { ModelShelf } from '../model-shelf.js';
import { choice, flag, integer, text, usageError, value } from '../options.js';
import { isFolder, planOutputs, suffixOf, type Job } from '../outputs.js';
import { RestoreReport } from '../restore-report.js';
import {
  jsonOption,
  loadOptions,
  quietOption,
  readSettings,
  restoreOptions,
  restoringOptions,
  wishOf,
} from '../shared-options.js';

const options = {
  output: text('FILE|FOLDER', 'where to (default: beside each input, with a suffix)', 'o'),
  ...restoringOptions,
  format: choice(writableImageFormats, 'format of the results (default: by the name, else as the input)'),
  quality: integer({ least: 1, most: 100 }, 'of JPEG, WebP and AVIF results (default 95, 92, 85)'),
  background: value('RRGGBB', 'colour behind transparent pictures where the format has no transparency', readColour),
  overwrite: flag('replace existing files'),
  json: jsonOption,
  quiet: quietOption,
} as const;

/** More than any GPU's start is worth. */
const manyPixels = 2 ** 22;

type Values = CommandInput<typeof options>['options'];

/** `mambair restore` */
export const restore = defineCommand({
  name: 'restore',
  summary: 'restore pictures: upscale, denoise, repair JPEG',
  usage: '<files, folders, globs…> [-o <file|folder>] [options]',
  notes: [
    'Without options pictures become twice as large with the best embedded model.',
    'Folders are searched to any depth; results keep their places below them.',
    '',
    'Examples:',
    '  mambair restore photo.jpg -o photo-x2.png',
    '  mambair restore holiday/ -o holiday-x2/ --format webp',
    "  mambair restore 'scans/**/*.tif' -o clean/ --task denoise",
  ].join('\n'),
  options,
  positionals: { least: 1, most: Number.POSITIVE_INFINITY, missing: 'say which pictures to restore' },
  run: async ({ options: values, positionals, context }) => {
    const { output, format, json, quiet } = values;
    const inputs = await findInputs(positionals, output !== undefined && isFolder(output) ? output : undefined);
    const settings = readSettings(values.set);
    // Only where it decides something: it opens the files.
    const pixels =
      (values.device ?? 'auto') === 'auto'
        ? await countPixels(
            inputs.files.map(({ path }) => path),
            manyPixels,
          )
        : undefined;
    const shelf = new ModelShelf((id) =>
      loadModel(id, {
        ...loadOptions(values),
        ...(pixels === undefined || pixels >= manyPixels ? {} : { pixels }),
        set: settings,
        signal: context.signal,
      }),
    );
    try {
      const { modelFor, suffix } = await planModels(shelf, values);
      const jobs = planOutputs(inputs.files, {
        suffix,
        ...(output === undefined ? {} : { output }),
        ...(format === undefined ? {} : { format }),
      });
      const report = new RestoreReport({ context, json, quiet, jobs, asked: jobs.length + inputs.failures.length });
      for (const { path, error } of inputs.failures) {
        report.failed(path, error);
      }
      for (const job of jobs) {
        report.started(job);
        try {
          const model = await modelFor(job);
          const progress = (share: number): void => report.advanced(job, share);
          report.finished(job, model.info, await restoreJob(model, job, { values, signal: context.signal, progress }));
        } catch (error) {
          report.failed(job.path, error);
        }
        if (context.signal.aborted) {
          break;
        }
      }
      return report.end();
    } finally {
      await shelf.dispose();
    }
  },
});

interface ModelPlan {
  readonly modelFor: (job: Job) => Promise<Model>;
  /** For results that lie beside their inputs. */
  readonly suffix: string;
}

/** One model for all, or, for JPEG repair, for each picture the one trained nearest to its quality. */
async function planModels(shelf: ModelShelf, values: Values): Promise<ModelPlan> {
  const wish = wishOf(values);
  if (wish.task === 'jpeg' && values.model === undefined) {
    const modelFor = async (job: Job): Promise<Model> => shelf.get((await chooseModelForFile(job.path, wish)).id);
    return { modelFor, suffix: '-repaired' };
  }
  const model = await shelf.get(values.model ?? chooseModel(wish).id);
  const { name, scale } = model.info;
  if (values.scale !== undefined && values.scale !== scale) {
    throw usageError(`--scale ${values.scale} does not fit the model ${name}, which has scale ${scale}`);
  }
  if (values.task !== undefined && (values.task === 'upscale') !== scale > 1) {
    throw usageError(`--task ${values.task} does not fit the model ${name}, which has scale ${scale}`);
  }
  return { modelFor: async () => model, suffix: suffixOf(model.info) };
}

async function restoreJob(
  model: Model,
  job: Job,
  run: { readonly values: Values; readonly signal: AbortSignal; readonly progress: (share: number) => void },
): Promise<RestoredFile> {
  const { values, signal, progress } = run;
  await makeFolderOf(job.output);
  return model.restoreFile(job.path, job.output, {
    ...restoreOptions(values),
    overwrite: values.overwrite,
    ...(values.format === undefined ? {} : { format: values.format }),
    ...(values.quality === undefined ? {} : { quality: values.quality }),
    ...(values.background === undefined ? {} : { background: values.background }),
    signal,
    progress: ({ done, total }) => progress(done / total),
  });
}

function readColour(written: string): readonly [number, number, number] {
  const [, red, green, blue] = /^#?([\da-f]{2})([\da-f]{2})([\da-f]{2})$/i.exec(written) ?? [];
  if (red === undefined || green === undefined || blue === undefined) {
    throw new Error('a colour such as ffffff');
  }
  return [Number.parseInt(red, 16), Number.parseInt(green, 16), Number.parseInt(blue, 16)];
}

import { convertCheckpoint } from '../../core/index.js';
import { defineCommand } from '../command.js';
import { during, exitCodes } from '../exit-codes.js';
import { choice, flag, text } from '../options.js';
import { printJson } from '../print.js';
import { jsonOption, quietOption } from '../shared-options.js';

/** `mambair models convert` */
export const modelsConvert = defineCommand({
  name: 'models convert',
  summary: 'write a PyTorch checkpoint as safetensors',
  usage: '<in.pth> <out.safetensors> [options]',
  notes: 'Nothing in the file is executed: only tensors are read.',
  options: {
    group: text('NAME', 'group of tensors in a PyTorch file, e.g. params_ema'),
    dtype: choice(['F32', 'F16', 'BF16'], 'element type of float tensors (default: as they are)'),
    overwrite: flag('replace an existing file'),
    json: jsonOption,
    quiet: quietOption,
  },
  positionals: { least: 2, most: 2, missing: 'say what to convert into what' },
  run: async ({ options, positionals, context }) => {
    const [input = '', output = ''] = positionals;
    const { group, dtype, overwrite } = options;
    const result = await during(
      'model',
      convertCheckpoint(input, output, {
        overwrite,
        ...(group === undefined ? {} : { group }),
        ...(dtype === undefined ? {} : { dtype }),
      }),
    );
    if (options.json) {
      printJson(context.stdout, { event: 'converted', input, output, ...result });
    } else if (!options.quiet) {
      context.stdout.write(`${input} → ${output}\n`);
    }
    return exitCodes.ok;
  },
});

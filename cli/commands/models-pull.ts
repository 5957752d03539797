import { pullModel } from '../../core/index.js';
import { defineCommand } from '../command.js';
import { errorObject, errorText, Outcome } from '../failures.js';
import { flag, text } from '../options.js';
import { formatBytes, printJson } from '../print.js';
import { ProgressLine } from '../progress.js';

/** `mambair models pull` */
export const modelsPull = defineCommand({
  name: 'models pull',
  summary: 'fetch official models by their published URLs',
  usage: '<id…> [options]',
  notes: [
    'A fetch that breaks off is continued by the next one. MAMBAIR_HOME sets where models are kept.',
    '',
    'Example: mambair models pull mambairv2-light-x4',
  ].join('\n'),
  options: {
    mirror: text('URL', 'fetch from this folder instead of the published places'),
    json: flag('one JSON object a line'),
    quiet: flag('only errors', 'q'),
  },
  positionals: { least: 1, most: 100, missing: 'say which model to fetch (see: mambair models list)' },
  run: async ({ options, positionals, context }) => {
    const outcome = new Outcome(positionals.length);
    for (const id of positionals) {
      const progress = new ProgressLine(context.stderr);
      try {
        const model = await pullModel(id, {
          signal: context.signal,
          ...(options.mirror === undefined ? {} : { mirror: options.mirror }),
          progress: ({ done, total }) => {
            if (!options.quiet && !options.json) {
              progress.update({ done, total: total ?? 0, label: `${id} ${formatBytes(done)}` });
            }
          },
        });
        progress.clear();
        if (options.json) {
          printJson(context.stdout, { event: 'pulled', ...model });
        } else if (!options.quiet) {
          const how = model.alreadyThere ? 'was there already' : `${formatBytes(model.bytes)} fetched`;
          const checked = model.verified ? 'checksum right' : 'contents right, no checksum is published';
          context.stdout.write(`${id}: ${how}, ${checked}: ${model.path}\n`);
        }
      } catch (error) {
        progress.clear();
        if (options.json) {
          printJson(context.stdout, { event: 'failure', id, ...errorObject(error) });
        }
        context.stderr.write(`mambair: ${errorText(error, context)}\n`);
        if (!outcome.add(error, context.signal).goOn) {
          break;
        }
      }
    }
    return outcome.exitCode;
  },
});

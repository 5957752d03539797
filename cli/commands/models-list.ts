import { listModels, type ListedModel } from '../../core/index.js';
import { defineCommand } from '../command.js';
import { exitCodes } from '../exit-codes.js';
import { flag } from '../options.js';
import { printJson, printTable } from '../print.js';

/** `mambair models list` */
export const modelsList = defineCommand({
  name: 'models list',
  summary: 'list the embedded and the official models',
  usage: '[--json]',
  options: { json: flag('one JSON object a line') },
  positionals: { least: 0, most: 0, missing: '' },
  run: async ({ options, context }) => {
    const models = listModels();
    if (options.json) {
      for (const model of models) {
        printJson(context.stdout, { event: 'model', ...model });
      }
    } else {
      const rows = models.map((model) => [model.id, purpose(model), place(model), model.license, model.description]);
      printTable(context.stdout, [['id', 'does', 'where', 'terms', 'about'], ...rows]);
    }
    return exitCodes.ok;
  },
});

function purpose(model: ListedModel): string {
  if (model.origin === 'built-in') {
    return `nothing ×${model.scale}`;
  }
  return model.task === 'upscale' ? `upscale ×${model.scale}` : model.task;
}

function place(model: ListedModel): string {
  return model.origin !== 'official' ? model.origin : model.available ? 'fetched' : 'to fetch';
}

import { inspectModel, type ModelReport } from '../../core/index.js';
import { defineCommand } from '../command.js';
import { during, exitCodes } from '../exit-codes.js';
import { errorObject } from '../failures.js';
import { text } from '../options.js';
import { formatBytes, printJson, printTable } from '../print.js';
import { jsonOption, readSettings, setOption } from '../shared-options.js';

/** `mambair models info` */
export const modelsInfo = defineCommand({
  name: 'models info',
  summary: 'tell what a model file holds',
  usage: '<id|file> [options]',
  options: {
    group: text('NAME', 'group of tensors in a PyTorch file, e.g. params_ema'),
    set: setOption,
    json: jsonOption,
  },
  positionals: { least: 1, most: 1, missing: 'say which model' },
  run: async ({ options, positionals, context }) => {
    const { group } = options;
    const set = readSettings(options.set);
    const [source = ''] = positionals;
    const report = await during(
      'model',
      inspectModel(source, { set, signal: context.signal, ...(group === undefined ? {} : { group }) }),
    );
    const { network } = report;
    if (options.json) {
      const shown = 'problem' in network ? { problem: errorObject(network.problem) } : network;
      printJson(context.stdout, { event: 'model', ...report, network: shown });
    } else {
      printTable(context.stdout, rows(report));
    }
    if ('problem' in network) {
      throw network.problem;
    }
    return exitCodes.ok;
  },
});

function rows(report: ModelReport): string[][] {
  const { network } = report;
  const dtypes = Object.entries(report.dtypes).map(([dtype, count]) => `${count} × ${dtype}`);
  const file: [string, string][] = [
    ['file', report.path],
    ['format', [report.format, ...report.group].join(', ')],
    ...(report.otherGroups.length === 0 ? [] : [['other groups', report.otherGroups.join(', ')] as [string, string]]),
    ['tensors', `${dtypes.join(', ')}, ${formatBytes(report.tensorBytes)}`],
    ...Object.entries(report.metadata),
    ...report.warnings.map((warning): [string, string] => ['warning', warning]),
  ];
  if ('problem' in network) {
    return file.map(([name, value]) => [`${name}:`, value]);
  }
  const { info, config } = network;
  const about: [string, string][] = [
    ['network', info.title],
    ['parameters', String(info.parameters)],
    ['in, out', `${info.inputChannels} and ${info.outputChannels} channels, ×${info.scale}`],
    ['same as', info.published.join(', ')],
    ...Object.entries(config).map(([name, value]): [string, string] => [`  ${name}`, JSON.stringify(value)]),
  ];
  return [...file, ...about.filter(([, value]) => value !== '')].map(([name, value]) => [`${name}:`, value]);
}

import { bisectModel, type ModelBisection } from '../../core/index.js';
import { defineCommand } from '../command.js';
import { during, exitCodes } from '../exit-codes.js';
import { choice, text, value } from '../options.js';
import { printJson, printTable } from '../print.js';
import { ProgressLine } from '../progress.js';
import {
  given,
  jsonOption,
  modelOption,
  precisionOption,
  quietOption,
  readSettings,
  setOption,
} from '../shared-options.js';

/** `mambair bisect` */
export const bisect = defineCommand({
  name: 'bisect',
  summary: 'find the kernel that a GPU computes wrongly',
  usage: '[options]',
  notes: [
    'Runs a test picture on the GPU and on the CPU, compares values between, and names the first one that departs,',
    'with the same for its kernel alone. Ends with 6 if there is one. Say so, please, with the whole output.',
    '',
    'Example: mambair bisect --device webgpu:0 -m tiny-x2',
  ].join('\n'),
  options: {
    model: modelOption,
    device: value('webgpu|webgpu:N', 'the GPU (default webgpu; see `mambair doctor`)', readGpu),
    precision: precisionOption,
    against: choice(['cpu', 'reference'], 'what is right: the CPU (default), or plain loops in float64, slower'),
    from: text('NODE', 'take all values up to this one from the CPU, and look behind it'),
    set: setOption,
    json: jsonOption,
    quiet: quietOption,
  },
  positionals: { least: 0, most: 0, missing: '' },
  run: async ({ options, context }) => {
    const { model = 'tiny-x2', json, quiet, set, ...how } = options;
    const progress = quiet || json ? undefined : new ProgressLine(context.stderr);
    const found = await during(
      'model',
      bisectModel(model, {
        ...given(how),
        set: readSettings(set),
        signal: context.signal,
        progress: (runs) => progress?.update({ done: 0, total: 0, label: `run ${runs}` }),
      }),
    ).finally(() => progress?.clear());
    if (json) {
      printJson(context.stdout, { event: 'bisection', ...found });
    } else if (!quiet) {
      printTable(context.stdout, rows(found));
    }
    return isRight(found) ? exitCodes.ok : exitCodes.device;
  },
});

function isRight({ first, router, bounds }: ModelBisection): boolean {
  return first === undefined && (router === undefined || router.share <= bounds.share);
}

function rows(found: ModelBisection): string[][] {
  const { model, device, against, precision, distance, first, router, bounds } = found;
  const of = (share: number): string => share.toExponential(1);
  const lines: [string, string | undefined][] = [
    ['model', model],
    ['gpu', device],
    ['precision', precision && `${precision.name}: ${precision.reason}`],
    ['against', against],
    ['output', `${of(distance)} apart (at most ${of(bounds.distance)})`],
    ['router', router && `${of(router.share)} of the classes differ at ${router.node} (at most ${of(bounds.share)})`],
    ['first', first && `${first.node} (${first.op}) is ${of(first.distance)} apart`],
    ['alone', first && `${of(first.alone)} apart, with all before it from the CPU`],
    ['verdict', isRight(found) ? 'the GPU computes what the CPU does' : 'the GPU is wrong; please report all of this'],
  ];
  return lines.flatMap(([name, text]) => (text === undefined ? [] : [[`${name}:`, text]]));
}

function readGpu(written: string): 'webgpu' | `webgpu:${number}` {
  if (!/^webgpu(:\d{1,3})?$/.test(written)) {
    throw new Error('webgpu or webgpu:N');
  }
  return written as 'webgpu' | `webgpu:${number}`;
}

import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { loadModel, MambairError, readInputTensor, readNoise, writeTensors, type Routing } from '../../core/index.js';
import { defineCommand } from '../command.js';
import { during, exitCodes } from '../exit-codes.js';
import { flag, oneOf, text, usageError, value } from '../options.js';
import { noteOutputFolder } from '../partial-files.js';
import { printJson } from '../print.js';
import {
  deviceOption,
  jsonOption,
  loadOptions,
  modelOption,
  quietOption,
  readSettings,
  seedOption,
  setOption,
  precisionOption,
  threadsOption,
} from '../shared-options.js';

type RoutingWish = { readonly kind: 'argmax' | 'seeded' } | { readonly kind: 'noise'; readonly path: string };

/** `mambair tensor`: the door by which anyone can compare the engine with another implementation. */
export const tensor = defineCommand({
  name: 'tensor',
  summary: 'run the raw network on a tensor of a safetensors file',
  usage: '--model <id|file> --input X.safetensors --output Y.safetensors [options]',
  notes: [
    'Reads the tensor "input" [B, C, H, W] and writes the tensor "output": no tiles, no rounding, no clamping.',
    'The model may be any checkpoint, also one that holds other tensors beside the weights.',
    'With --taps named inner values are written too, [B, H, W, C] over the padded size; names are module paths.',
    '',
    'Example: mambair tensor --model f.safetensors --input f.safetensors --output y.safetensors --routing noise:f.safetensors',
  ].join('\n'),
  options: {
    model: modelOption,
    input: text('FILE', 'safetensors file with the tensor "input"', 'i'),
    output: text('FILE', 'safetensors file to write', 'o'),
    device: deviceOption,
    threads: threadsOption,
    precision: precisionOption,
    routing: value(
      'argmax|seeded|noise:FILE',
      'routing; noise:FILE replays noise0, noise1, … (default seeded)',
      readRouting,
    ),
    seed: seedOption,
    set: setOption,
    taps: text('A,B', 'inner values to write as well'),
    overwrite: flag('replace an existing output'),
    json: jsonOption,
    quiet: quietOption,
  },
  positionals: { least: 0, most: 0, missing: '' },
  run: async ({ options, context }) => {
    const { model: source, input, output, routing = { kind: 'seeded' }, seed } = options;
    if (source === undefined || input === undefined || output === undefined) {
      throw usageError('--model, --input and --output are all needed');
    }
    if (seed !== undefined && routing.kind !== 'seeded') {
      throw usageError('--seed is for seeded routing');
    }
    if (!options.overwrite && (await stat(output).catch(() => undefined)) !== undefined) {
      throw new MambairError('MAMBAIR_FILE_EXISTS', `${output} exists; add --overwrite to replace it`);
    }
    const settings = readSettings(options.set);
    const { signal } = context;
    const model = await during(
      'model',
      loadModel(source, { ...loadOptions(options), set: settings, allowExtra: true, signal }),
    );
    try {
      const image = await readInputTensor(input);
      noteOutputFolder(dirname(output));
      const began = performance.now();
      const taps = options.taps?.split(',').map((name) => name.trim());
      const result = await model.runTensor(image, {
        routing: await resolveRouting(routing, seed),
        signal,
        ...(taps === undefined ? {} : { taps }),
      });
      const seconds = Math.round(performance.now() - began) / 1000;
      await writeTensors(output, new Map([['output', result.output], ...result.taps]));
      const { shape } = result.output;
      if (options.json) {
        const { name, device } = model.info;
        printJson(context.stdout, {
          event: 'tensor',
          input,
          output,
          model: name,
          device,
          shape,
          taps: taps ?? [],
          seconds,
        });
      } else if (!options.quiet) {
        context.stdout.write(`${input} [${image.shape.join(', ')}] → ${output} [${shape.join(', ')}], ${seconds} s\n`);
      }
      return exitCodes.ok;
    } finally {
      await model.dispose();
    }
  },
});

function readRouting(written: string): RoutingWish {
  if (written.startsWith('noise:') && written.length > 6) {
    return { kind: 'noise', path: written.slice(6) };
  }
  try {
    return { kind: oneOf(['argmax', 'seeded'], written) };
  } catch {
    throw new Error('argmax, seeded or noise:FILE');
  }
}

async function resolveRouting(wish: RoutingWish, seed = 0): Promise<Routing> {
  switch (wish.kind) {
    case 'noise':
      return readNoise(wish.path);
    case 'seeded':
      return { kind: 'seeded', seed };
    case 'argmax':
      return { kind: 'argmax' };
  }
}

import { runBenchmark, type BenchmarkReport } from '../../core/index.js';
import { defineCommand } from '../command.js';
import { during, exitCodes } from '../exit-codes.js';
import { choice, integer, text, value, wholeNumber } from '../options.js';
import { formatBytes, printJson, printTable } from '../print.js';
import { deviceOption, jsonOption, modelOption, precisionOption, quietOption } from '../shared-options.js';

/** `mambair bench` */
export const bench = defineCommand({
  name: 'bench',
  summary: 'measure the speed of a network on this machine',
  usage: '[options]',
  notes: [
    'Without options: the reference job, MambaIRv2-light ×4 with random weights, 320 × 180 → 1280 × 720.',
    'CPU seconds count all threads. "GEMM" is the rate of a matrix product in the first-level cache, one thread,',
    'timed beside the best run; "× GEMM" is the run’s CPU time over the product’s for as many multiply-adds:',
    'compare that between machines and between busy and quiet hours.',
    '',
    'Example: mambair bench --threads 1,2',
  ].join('\n'),
  options: {
    model: modelOption,
    configuration: text('NAME', 'published configuration with random weights (default lightSR_x4)'),
    size: value('WxH', 'input size (default 320x180)', readSize),
    device: deviceOption,
    build: choice(['auto', 'plain', 'relaxed'], 'kernels of the cpu device (default auto)'),
    precision: precisionOption,
    onnxruntime: choice(['auto', 'on', 'off'], 'dense layers by onnxruntime-node (default auto)'),
    threads: value('N,N,…', 'numbers of threads, one line each', readThreads),
    repeats: integer({ least: 0, most: 1000 }, 'runs after the first (default 3)'),
    json: jsonOption,
    quiet: quietOption,
  },
  positionals: { least: 0, most: 0, missing: '' },
  run: async ({ options, context }) => {
    const { size, json, quiet, ...rest } = options;
    const given = Object.fromEntries(Object.entries(rest).filter(([, each]) => each !== undefined));
    const report = await during(
      'model',
      runBenchmark({
        ...given,
        ...size,
        signal: context.signal,
        progress: (message) => {
          if (!quiet && !json) {
            context.stderr.write(`${message} …\n`);
          }
        },
      }),
    );
    if (json) {
      printJson(context.stdout, { event: 'benchmark', ...report });
    } else {
      context.stdout.write(describe(report));
      printTable(context.stdout, rows(report));
    }
    return exitCodes.ok;
  },
});

function describe(report: BenchmarkReport): string {
  const { title, width, height, scale, macs, lines, peakResidentBytes } = report;
  return [
    `${title}, ${width} × ${height} → ${width * scale} × ${height * scale}, ${(macs / 1e9).toPrecision(3)} GMAC`,
    ...new Set(lines.map(({ device }) => device)),
    `peak memory ${formatBytes(peakResidentBytes)}`,
    '',
  ].join('\n');
}

function rows({ lines }: BenchmarkReport): string[][] {
  const head = [
    'threads',
    'load s',
    'first cpu s',
    'first wall s',
    'best cpu s',
    'best wall s',
    'GFLOP/cpu s',
    'GEMM GFLOP/s',
    '× GEMM',
  ];
  return [
    head,
    ...lines.map((line) => [
      line.threads === undefined ? 'auto' : String(line.threads),
      line.load.wallSeconds.toFixed(2),
      line.first.cpuSeconds.toFixed(2),
      line.first.wallSeconds.toFixed(2),
      line.best.cpuSeconds.toFixed(2),
      line.best.wallSeconds.toFixed(2),
      line.gflopsPerCpuSecond.toFixed(1),
      (2 * line.calibrationGmacs).toFixed(1),
      line.timesCalibration.toFixed(2),
    ]),
  ];
}

function readSize(written: string): { readonly width: number; readonly height: number } {
  const [, width, height] = /^(\d{1,5})[x×](\d{1,5})$/.exec(written) ?? [];
  if (width === undefined || height === undefined || Number(width) < 1 || Number(height) < 1) {
    throw new Error('WIDTHxHEIGHT, e.g. 320x180');
  }
  return { width: Number(width), height: Number(height) };
}

function readThreads(written: string): readonly number[] {
  return written.split(',').map((each) => wholeNumber(each, { least: 1, most: 64 }));
}

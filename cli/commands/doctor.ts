import {
  describeMachine,
  type GpuReport,
  type GpuSpeed,
  type MachineReport,
  measureGpu,
  runBenchmark,
} from '../../core/index.js';
import { defineCommand } from '../command.js';
import { exitCodes } from '../exit-codes.js';
import { flag } from '../options.js';
import { formatBytes, printJson, printTable } from '../print.js';
import { jsonOption } from '../shared-options.js';

/** `mambair doctor` */
export const doctor = defineCommand({
  name: 'doctor',
  summary: 'tell what this machine and this installation can do',
  usage: '[--json]',
  options: {
    quick: flag('leave out the measured speed'),
    json: jsonOption,
  },
  positionals: { least: 0, most: 0, missing: '' },
  run: async ({ options, context }) => {
    const report = await describeMachine({ checkGpu: !options.quick });
    const speed = options.quick ? undefined : await measureSpeed(context.signal);
    const gpuSpeeds: GpuSpeed[] = [];
    for (const gpu of options.quick ? [] : report.gpus) {
      gpuSpeeds.push(await measureGpu(gpu, { signal: context.signal }));
    }
    if (options.json) {
      printJson(context.stdout, { event: 'machine', ...report, ...speed, ...(options.quick ? {} : { gpuSpeeds }) });
    } else {
      printTable(context.stdout, rows(report, speed, gpuSpeeds));
    }
    return report.deviceProblem === undefined ? exitCodes.ok : exitCodes.device;
  },
});

interface Speed {
  readonly speed: { readonly title: string; readonly gflopsPerCpuSecond: number; readonly wallSeconds: number };
}

/** A twentieth of the reference job: a second or so. */
async function measureSpeed(signal: AbortSignal): Promise<Speed | undefined> {
  const { title, lines } = await runBenchmark({ width: 64, height: 48, repeats: 2, signal });
  const [line] = lines;
  if (line === undefined) {
    return undefined;
  }
  const { gflopsPerCpuSecond, best } = line;
  return { speed: { title: `${title}, 64 × 48`, gflopsPerCpuSecond, wallSeconds: best.wallSeconds } };
}

function describeGpu(gpu: GpuReport): string {
  const { name, kind, driver, largestBufferBytes, workgroupBytes, workgroupInvocations, float16, subgroups } = gpu;
  const features = [float16 ? ['16-bit floats'] : [], subgroups ? ['subgroups'] : []].flat();
  const limits = [
    `buffers to ${formatBytes(largestBufferBytes)}`,
    `workgroups of ${workgroupInvocations} and ${formatBytes(workgroupBytes)}`,
  ];
  return [name, kind, driver, ...limits, ...features].join(', ');
}

function describeSpeed(speed: GpuSpeed): string {
  const { model, side = 0, seconds = 0, gflops = 0, precision, isMeaningless, problem } = speed;
  const numbers = precision === undefined ? '' : `; ${precision.name}: ${precision.reason}`;
  const figure =
    problem === undefined
      ? `${gflops.toPrecision(3)} GFLOP/s; ${model}, ${side} × ${side} in ${seconds.toPrecision(2)} s`
      : `not measured: ${problem}`;
  return `${figure}${isMeaningless ? ' (meaningless: it is a CPU that plays a GPU)' : ''}${numbers}`;
}

function rows(report: MachineReport, speed: Speed | undefined, gpuSpeeds: readonly GpuSpeed[]): string[][] {
  const { webAssembly } = report;
  const features = [
    `SIMD ${webAssembly.simd ? 'yes' : 'no'}`,
    `relaxed SIMD ${webAssembly.relaxedSimd ? 'yes' : 'no'}`,
    `threads ${webAssembly.threads ? 'yes' : 'no'}`,
  ];
  const lines: [string, string | undefined][] = [
    ['mambair', report.mambair],
    ['node', `${report.node} on ${report.system}`],
    ['processor', `${report.processor}, ${report.cores} cores`],
    ['memory', `${formatBytes(report.totalMemoryBytes)}, ${formatBytes(report.freeMemoryBytes)} free`],
    ['webassembly', features.join(', ')],
    ['device', report.device],
    ['problem', report.deviceProblem],
    ...report.gpus.flatMap((gpu): [string, string | undefined][] => {
      const measured = gpuSpeeds.find(({ device }) => device === gpu.device);
      return [
        [gpu.device, describeGpu(gpu)],
        ['  its speed', measured && describeSpeed(measured)],
      ];
    }),
    ['gpu', report.gpuProblem],
    ['auto takes', `${report.auto.device}: ${report.auto.reason}`],
    ['onnxruntime', report.onnxruntimeUse],
    ['images', `sharp ${report.sharp}, libvips ${report.libvips}`],
    ['models', report.models.map(({ id }) => id).join(', ') || 'none'],
    ['fetched to', report.modelsFolder],
    [
      'speed',
      speed &&
        `${speed.speed.gflopsPerCpuSecond.toFixed(1)} GFLOP/s a core; ${speed.speed.title} in ${speed.speed.wallSeconds.toFixed(2)} s`,
    ],
  ];
  return lines.flatMap(([name, value]) => (value === undefined ? [] : [[`${name}:`, value]]));
}

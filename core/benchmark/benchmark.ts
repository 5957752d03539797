import { recognise } from '../architectures/architectures.js';
import { throwIfCancelled } from '../errors.js';
import { createExecutor, type Device, type DeviceOptions } from '../library/executors.js';
import { readModelSource } from '../library/model-source.js';
import { countMacs } from './count-macs.js';
import { randomWeights, testPicture } from './random-weights.js';

/** What is measured; the defaults are the reference job: MambaIRv2-light ×4, 320 × 180 → 1280 × 720. */
export interface BenchmarkOptions extends Omit<DeviceOptions, 'threads'> {
  /** What is measured; `auto` is the CPU here. @default 'auto' */
  readonly device?: Device;
  /** A catalogue id or a path. Without it: `configuration` with random weights. */
  readonly model?: string;
  /** @default 'lightSR_x4' */
  readonly configuration?: string;
  /** Input size in pixels. @default 320 × 180 */
  readonly width?: number;
  readonly height?: number;
  /** One line of the result for each number of threads. @default the device's own choice */
  readonly threads?: readonly number[];
  /** Runs after the first. @default 3 */
  readonly repeats?: number;
  readonly signal?: AbortSignal;
  /** Told what is being measured, in words. */
  readonly progress?: (message: string) => void;
}

/** Time of one run. */
export interface RunTime {
  readonly wallSeconds: number;
  /** Over all threads of the process. */
  readonly cpuSeconds: number;
}

/** Measurements with one number of threads. */
export interface BenchmarkLine {
  /** Undefined: the device chose. */
  readonly threads: number | undefined;
  /** The executor's name and its description: build, threads. */
  readonly device: string;
  /** Reading, checking and packing the weights, starting threads. */
  readonly load: RunTime;
  /** The first run, compiling and page faults included. */
  readonly first: RunTime;
  /** The fastest of the following runs, in units of the calibration. */
  readonly best: RunTime;
  /** Billions of multiply-adds, times two, for each CPU second of the best run. */
  readonly gflopsPerCpuSecond: number;
  /** Billions of multiply-adds for each CPU second of the calibration product, timed before and after the best run. */
  readonly calibrationGmacs: number;
  /** CPU time of the best run, in units of the calibration's time for the same number of multiply-adds. */
  readonly timesCalibration: number;
  /** What the executor plans to take, bytes. */
  readonly plannedBytes: number;
}

/** A whole benchmark. */
export interface BenchmarkReport {
  /** The network, e.g. `MambaIRv2 lightSR ×4`. */
  readonly title: string;
  readonly width: number;
  readonly height: number;
  /** Output pixels per input pixel and axis. */
  readonly scale: number;
  /** Multiply-adds of one run. */
  readonly macs: number;
  /** One for each number of threads. */
  readonly lines: readonly BenchmarkLine[];
  /** The most memory the process had at any time, bytes. */
  readonly peakResidentBytes: number;
}

/**
 * Measures a network on the devices of this machine.
 * @throws what loading and running a model can raise; MAMBAIR_CANCELLED
 */
export async function runBenchmark(options: BenchmarkOptions = {}): Promise<BenchmarkReport> {
  const { width = 320, height = 180, repeats = 3, configuration = 'lightSR_x4', model, signal } = options;
  const tensors =
    model === undefined ? randomWeights(configuration) : (await readModelSource(model, options)).checkpoint.tensors;
  const { graph, info } = recognise(tensors, { allowExtra: true });
  const macs = countMacs(graph, height, width);
  const { createCalibration } = await import('../executors/cpu/calibrate.js');
  const calibrate = await createCalibration(options.build ?? 'auto');
  const input = {
    shape: [1, info.inputChannels, height, width],
    data: testPicture(info.inputChannels, height, width),
  };
  const lines: BenchmarkLine[] = [];
  for (const threads of options.threads ?? [undefined]) {
    throwIfCancelled(signal);
    options.progress?.(threads === undefined ? 'running' : `running on ${threads} threads`);
    const { device, build, onnxruntime, precision } = options;
    const executor = await createExecutor({
      ...(device === undefined ? {} : { device }),
      ...(build === undefined ? {} : { build }),
      ...(onnxruntime === undefined ? {} : { onnxruntime }),
      ...(precision === undefined ? {} : { precision }),
      ...(threads === undefined ? {} : { threads }),
    });
    try {
      const { result: network, ...load } = await timed(() => executor.load(graph, tensors));
      const run = (): Promise<unknown> =>
        network.run(input, { routing: { kind: 'seeded', seed: 0 }, ...(signal === undefined ? {} : { signal }) });
      const { result: _, ...first } = await timed(run);
      let best: RunTime = first;
      let calibrationGmacs = calibrate();
      for (let repeat = 0; repeat < repeats; repeat += 1) {
        const before = calibrate();
        const { result: __, ...next } = await timed(run);
        const gmacs = (before + calibrate()) / 2;
        if (repeat === 0 || next.cpuSeconds * gmacs < best.cpuSeconds * calibrationGmacs) {
          best = next;
          calibrationGmacs = gmacs;
        }
      }
      lines.push({
        threads,
        device: `${executor.name}: ${executor.description}`,
        load,
        first,
        best,
        gflopsPerCpuSecond: (2 * macs) / best.cpuSeconds / 1e9,
        calibrationGmacs,
        timesCalibration: (best.cpuSeconds * calibrationGmacs * 1e9) / macs,
        plannedBytes: network.plan(height, width).totalBytes,
      });
    } finally {
      await executor.dispose();
    }
  }
  const peakResidentBytes = process.resourceUsage().maxRSS * 1024;
  return { title: info.title, width, height, scale: info.scale, macs, lines, peakResidentBytes };
}

async function timed<Result>(action: () => Promise<Result>): Promise<RunTime & { readonly result: Result }> {
  const cpu = process.cpuUsage();
  const wall = performance.now();
  const result = await action();
  const { user, system } = process.cpuUsage(cpu);
  return { wallSeconds: (performance.now() - wall) / 1000, cpuSeconds: (user + system) / 1e6, result };
}

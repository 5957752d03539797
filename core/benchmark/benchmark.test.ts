import { describe, expect, it } from '@jest/globals';
import { recognise } from '../architectures/architectures.js';
import { buildMambaIRv2 } from '../architectures/mambairv2/build.js';
import type { MambaIRv2Config } from '../architectures/mambairv2/config.js';
import { publishedConfigurations } from '../architectures/mambairv2/published.js';
import { runBenchmark } from './benchmark.js';
import { countMacs } from './count-macs.js';
import { randomWeights } from './random-weights.js';

function configOf(name: string): MambaIRv2Config {
  const published = publishedConfigurations.find((each) => each.name === name);
  if (published === undefined) {
    throw new Error(`${name} is not published`);
  }
  return published.config;
}

describe('random weights', () => {
  it.each(['lightSR_x2', 'lightSR_x4'])('are the published configuration %s', (name) => {
    expect(recognise(randomWeights(name)).info.published).toContain(name);
  });

  it('need a published configuration', () => {
    expect(() => randomWeights('lightSR_x5')).toThrow(expect.objectContaining({ code: 'MAMBAIR_OPTION_INVALID' }));
  });
});

describe('counting multiply-adds', () => {
  // the specification's figures, thousands for each padded pixel of the input
  it.each([
    ['lightSR_x4', 1156],
    ['SRSmall_x2', 11136],
    ['CAR_q10', 25718],
  ])('of %s comes near %d thousand a pixel', (name, thousands) => {
    const graph = buildMambaIRv2(configOf(name));
    const macs = countMacs(graph, 10, 32) / (16 * 32) / 1000;
    expect(macs / thousands).toBeGreaterThan(0.99);
    expect(macs / thousands).toBeLessThan(1.01);
  });
});

describe('a benchmark', () => {
  it('times the first and the following runs for each number of threads', async () => {
    const report = await runBenchmark({ width: 16, height: 16, threads: [1, 2], repeats: 1 });
    expect(report.lines.map(({ threads }) => threads)).toEqual([1, 2]);
    for (const { first, best, gflopsPerCpuSecond, plannedBytes } of report.lines) {
      expect(first.cpuSeconds).toBeGreaterThan(0);
      expect(best.wallSeconds).toBeGreaterThan(0);
      expect(gflopsPerCpuSecond).toBeGreaterThan(0);
      expect(plannedBytes).toBeGreaterThan(2 ** 20);
    }
  });
});

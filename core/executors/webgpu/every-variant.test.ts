import { describe, expect, it } from '@jest/globals';
import { gpuTestMs } from '../../../test/gpu-time.js';
import { nullAdapter } from '../../../test/null-gpu.js';
import { runCases } from '../../../test/op-harness.js';
import { buildMambaIRv2 } from '../../architectures/mambairv2/build.js';
import { publishedConfigurations } from '../../architectures/mambairv2/published.js';
import type { OpCase } from '../../ops/op-case.js';
import { opProblems } from '../../ops/op-cases.js';
import { scanCase } from '../../ops/selective-scan/cases.js';
import type { RoutingKind } from '../../ops/webgpu-kernel.js';
import { OpenedDevice } from './opened-device.js';
import { makeProgram } from './program.js';
import { createWebgpuExecutor } from './webgpu-executor.js';

const precisions = ['f32', 'f16'] as const;

/** State sizes and inner channels of all published networks of the family, of one direction and of four. */
const states = [1, 4, 8, 10, 16, 32];
const channels = [48, 66, 72, 84, 174, 234, 264, 288, 336, 348, 360, 720, 936, 1440];

// Dawn's backend `null` checks every shader and call as a driver would get it; nothing runs.
describe('every variant of the kernels compiles and binds', () => {
  const run = async (cases: readonly OpCase[], precision: (typeof precisions)[number]) => {
    const executor = await createWebgpuExecutor(await nullAdapter(), { precision });
    const results = await runCases(executor, cases);
    await executor.dispose();
    return results.size;
  };

  it.each(precisions)(
    'scans of all sizes of published networks, in %s',
    async (precision) => {
      const scans = states.flatMap((size) =>
        channels.map((count, at) => {
          const rank = Math.ceil(count / 16);
          // More than a chunk; every other one sorted by classes.
          return scanCase(
            { channels: count, states: size, rank, size: [2, 65], ...(at % 2 === 0 ? { classes: 3 } : {}) },
            'a published size',
            `${count} channels, ${size} states`,
          );
        }),
      );
      expect(await run(scans, precision)).toBe(states.length * channels.length);
    },
    gpuTestMs,
  );

  it.each(precisions)(
    'all cases of all ops, in %s',
    async (precision) => {
      const cases = Object.values(opProblems).flatMap((problem) => problem.cases);
      expect(await run(cases, precision)).toBe(cases.length);
    },
    gpuTestMs,
  );

  it(
    'all published networks, in both precisions and every way of routing',
    async () => {
      const device = await OpenedDevice.open(await nullAdapter());
      const kinds: readonly RoutingKind[] = ['argmax', 'replay', 'seeded', 'forced'];
      for (const [at, { config }] of publishedConfigurations.entries()) {
        const built = buildMambaIRv2(config);
        for (const routing of at === 0 ? kinds : kinds.slice(2, 3)) {
          for (const precision of precisions) {
            // Chunks of a scan are more than one, and windows and sizes do not divide each other.
            const { passes } = makeProgram(built, { height: 70, width: 33, routing, precision, keep: [] });
            await Promise.all(passes.map((pass) => device.pipeline(pass)));
          }
        }
      }
      expect(device.pipelineCount).toBeGreaterThan(40);
      device.device.destroy();
    },
    gpuTestMs,
  );
});

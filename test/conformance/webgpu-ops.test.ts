import { createGpuExecutor } from '../../core/library/gpu-adapters.js';
import { opProblems } from '../../core/ops/op-cases.js';
import { describeWithGpu } from '../gpu.js';
import { describeCases, type TestedExecutor } from './op-suite.js';
import { expectBestToken } from './route-check.js';

/** Inputs in the middle of wider maps: what is harder to address. */
const executors: readonly TestedExecutor[] = [{ name: 'webgpu', create: () => createGpuExecutor(), inputs: 'views' }];

describeWithGpu('every op, every case, on the GPU', () => {
  const { route, ...others } = opProblems;
  describeCases(Object.values(others), { executors });
  describeCases([route], { executors, check: expectBestToken });
});

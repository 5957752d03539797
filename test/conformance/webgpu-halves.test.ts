import { expect } from '@jest/globals';
import { createGpuExecutor } from '../../core/library/gpu-adapters.js';
import { opProblems } from '../../core/ops/op-cases.js';
import { describeWithGpu } from '../gpu.js';
import { distanceOf } from '../op-harness.js';
import { type CheckCase, describeCases, type TestedExecutor } from './op-suite.js';
import { expectBestToken } from './route-check.js';

/** Images are copied first, so that every op reads what was rounded to halves. */
const executors: readonly TestedExecutor[] = [
  { name: 'webgpu, halves', create: () => createGpuExecutor(undefined, { precision: 'f16' }), inputs: 'copies' },
];

/** A half has 11 bits: input, weight and result are each off by 2^-12 at most, and by half of that as a rule. */
const rounding = { maxAbs: 2 ** -10, relative: 2 ** -10.5 };

/** Cases whose images lose by rounding alone what their results hang on. */
const sensitive: Readonly<Record<string, number>> = {
  // Squares near 1e12 come from values beyond 65504.
  'large values': Number.NaN,
  // 2^-12 of the mean is a quarter of the deviation.
  'large mean': 0.3,
  // Scores of ±1000 move by a quarter: where two are as near as that, another key wins.
  sharp: 0.05,
};

const check: CheckCase = (found, expected, { opCase, bound }) => {
  const { maxAbs, relative } = distanceOf(found.data, expected.data);
  const allowed = sensitive[opCase.id];
  if (Number.isNaN(allowed)) {
    expect(found.data.some(Number.isNaN)).toBe(true);
    return;
  }
  expect(maxAbs).toBeLessThanOrEqual(bound.maxAbs + (allowed ?? rounding.maxAbs));
  expect(relative).toBeLessThanOrEqual(bound.relative + (allowed ?? rounding.relative));
};

describeWithGpu('every op, every case, in halves on the GPU', () => {
  const { route, ...others } = opProblems;
  describeCases(Object.values(others), { executors, check });
  describeCases([route], { executors, check: expectBestToken });
});

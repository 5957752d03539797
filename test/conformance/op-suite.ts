import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createCpuExecutor } from '../../core/executors/cpu/cpu-executor.js';
import type { Executor } from '../../core/executors/executor.js';
import { createReferenceExecutor } from '../../core/executors/reference/reference-executor.js';
import type { OpCase } from '../../core/ops/op-case.js';
import type { OpProblems } from '../../core/ops/op-cases.js';
import type { ErrorBound } from '../../core/ops/op-contract.js';
import { gpuTestMs } from '../gpu-time.js';
import { type CaseInputs, type CaseResult, distanceOf, runCases } from '../op-harness.js';

/** An executor under test, and where it finds the images of the cases. */
export interface TestedExecutor {
  readonly name: string;
  readonly create: () => Promise<Executor>;
  readonly inputs: CaseInputs;
}

/** Both builds of our own CPU kernels, few and many threads, both places of inputs: each once. */
const cpuExecutors: readonly TestedExecutor[] = [
  { name: 'cpu (plain, 1 thread)', create: () => createCpuExecutor({ build: 'plain', threads: 1 }), inputs: 'copies' },
  {
    name: 'cpu (relaxed, 3 threads)',
    create: () => createCpuExecutor({ build: 'relaxed', threads: 3, onnxruntime: 'off' }),
    inputs: 'views',
  },
];

/** What one result must hold: by default, to be within the bound of the contract or case. */
export type CheckCase = (found: CaseResult, expected: CaseResult, given: { opCase: OpCase; bound: ErrorBound }) => void;

const expectWithinBound: CheckCase = (found, expected, { bound }) => {
  const distance = distanceOf(found.data, expected.data);
  expect(distance.maxAbs).toBeLessThanOrEqual(bound.maxAbs);
  expect(distance.relative).toBeLessThanOrEqual(bound.relative);
};

/** Tests every case of one or more ops on executors, against the reference. */
export function describeCases(
  problems: readonly OpProblems[],
  {
    check = expectWithinBound,
    executors = cpuExecutors,
  }: { check?: CheckCase; executors?: readonly TestedExecutor[] } = {},
): void {
  const cases = problems.flatMap((problem) => problem.cases);
  let reference: ReadonlyMap<string, CaseResult>;
  beforeAll(async () => {
    reference = await runCases(createReferenceExecutor(), cases);
  });
  describe.each(executors)('$name, inputs as $inputs', ({ create, inputs }) => {
    let executor: Executor;
    let results: ReadonlyMap<string, CaseResult>;
    beforeAll(async () => {
      executor = await create();
      results = await runCases(executor, cases, { inputs, soiled: true });
    }, gpuTestMs);
    afterAll(() => executor.dispose());

    describe.each(problems)('$contract.operation', (problem) => {
      const rows = problem.cases.map((opCase) => ({ ...opCase, opCase }));
      it.each(rows)('$id: $why', ({ id, opCase, bound = problem.contract.bound }) => {
        const found = results.get(id) as CaseResult;
        const expected = reference.get(id) as CaseResult;
        expect(found.shape).toEqual(expected.shape);
        check(found, expected, { opCase, bound });
      });

      it('passes NaN on, so that a broken picture is seen to be one', () => {
        const values = problem.cases.map(({ id }) => results.get(id) as CaseResult);
        const hidden = values.filter(
          ({ node, soiled }) => node.type.kind === 'features' && !soiled?.every(Number.isNaN),
        );
        expect(hidden.map(({ node }) => node.name)).toEqual([]);
      });
    });
  });
}

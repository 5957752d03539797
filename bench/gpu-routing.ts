// Seeded routing on the CPU and on the GPU: how many classes differ, and how close the two tokens of those pixels score.
// Ends with 1 when a pixel differs whose two tokens are farther apart than rounding.
// Usage: npm run bench -- gpu-routing [millions of decisions, 1.2]
import { createCpuExecutor } from '../core/executors/cpu/cpu-executor.js';
import { createGpuExecutor } from '../core/library/gpu-adapters.js';
import { within } from '../core/ops/op-case.js';
import { manyDecisions } from '../core/ops/route/cases.js';
import { leastMargin } from '../core/ops/route/contract.js';
import { routeDifferences } from '../test/conformance/route-difference.js';
import { type CaseResult, runCases } from '../test/op-harness.js';

const [millions = '1.2'] = process.argv.slice(2);
/** Nearly uniform, as the published routers; as usual; as a router that is sure of itself. */
const ranges = [0.01, 1, 30];
const [cpu, gpu] = [await createCpuExecutor({ threads: 2 }), await createGpuExecutor()];
console.log(`seeded routing among 64 tokens: the device cpu, and ${gpu.description}\n`);
console.log('| seed | logits within | decisions | differ | farthest apart of those |\n|---:|---:|---:|---:|---:|');
let decisions = 0;
let differing = 0;
for (let seed = 0; decisions < Number(millions) * 1e6; seed++) {
  const range = ranges[seed % ranges.length] as number;
  const opCase = manyDecisions(seed, within(range));
  const on = async (executor: typeof cpu) => (await runCases(executor, [opCase])).get(opCase.id) as CaseResult;
  const expected = await on(cpu);
  const differences = routeDifferences(await on(gpu), expected, opCase);
  const margin = Math.max(0, ...differences.map((each) => each.margin));
  console.log(`| ${seed} | ${range} | ${expected.data.length} | ${differences.length} | ${margin.toExponential(1)} |`);
  decisions += expected.data.length;
  differing += differences.length;
  if (!(margin < leastMargin)) {
    process.exitCode = 1;
  }
}
const fraction = (differing / decisions).toExponential(1);
console.log(`\n${differing} of ${decisions} classes differ: ${fraction} (scores closer than ${leastMargin} may)`);
await cpu.dispose();
await gpu.dispose();

// Prints how far the CPU kernels are from float64 on every op's cases, worst first, beside the bounds they promise.
// Usage: npm run bench -- op-accuracy [op …] [--all]
import { parseArgs } from 'node:util';
import { createCpuExecutor } from '../core/executors/cpu/cpu-executor.js';
import { createReferenceExecutor } from '../core/executors/reference/reference-executor.js';
import { type OpProblems, opProblems } from '../core/ops/op-cases.js';
import { distanceOf, runCases } from '../test/op-harness.js';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { all: { type: 'boolean' } } });

async function printDistances(name: string, { contract, cases }: OpProblems): Promise<void> {
  const reference = await runCases(createReferenceExecutor(), cases);
  for (const build of ['plain', 'relaxed'] as const) {
    const executor = await createCpuExecutor({ build, threads: 2, onnxruntime: 'off' });
    const results = await runCases(executor, cases);
    await executor.dispose();
    const rows = cases.map(({ id, bound = contract.bound }) => {
      const distance = distanceOf(results.get(id)?.data ?? [], reference.get(id)?.data ?? []);
      const share = Math.max(distance.maxAbs / (bound.maxAbs || 1), distance.relative / (bound.relative || 1));
      return { id, bound, ...distance, share };
    });
    rows.sort((a, b) => b.share - a.share);
    for (const { id, bound, maxAbs, relative } of values.all ? rows : rows.slice(0, 3)) {
      const numbers = [maxAbs, relative, bound.maxAbs, bound.relative].map((value) => value.toExponential(1));
      console.log(`| ${name} | ${build} | ${id} | ${numbers.join(' | ')} |`);
    }
  }
}

console.log('| op | build | case | max abs | relative | bound | bound |\n|---|---|---|---|---|---|---|');
for (const [name, problems] of Object.entries(opProblems)) {
  if (positionals.length === 0 || positionals.includes(name)) {
    await printDistances(name, problems);
  }
}

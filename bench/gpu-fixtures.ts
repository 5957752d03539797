// How far the GPU is from the official code, in float32: every network fixture of MambaIRv2 with all the inner values that it
// holds, and its classes; the published light ×4 network, too. Ends with 1 when one is farther than 2e-5, or a class differs.
// Usage: npm run bench -- gpu-fixtures
import { readCheckpoint } from '../core/checkpoint/read-checkpoint.js';
import { createGpuExecutor } from '../core/library/gpu-adapters.js';
import { compareGolden, networkFixtures, webgpuBound } from '../test/golden/golden-cases.js';
import { sharedPath } from '../test/shared-path.js';

const executor = await createGpuExecutor(undefined, { precision: 'f32' });
console.log(`${executor.description}, float32\n`);
console.log('| fixture | output | inner values | farthest of them | where | classes that differ |');
console.log('|---|---:|---:|---:|---|---:|');
let farthest = 0;
/** This fixture holds no weights. */
const published = 'official-light-x4-seeded';
const publishedWeights = sharedPath('weights/mambairv2_lightSR_x4.pth');
for (const name of [...networkFixtures, ...(publishedWeights === undefined ? [] : [published])]) {
  const isPublished = name === published && publishedWeights !== undefined;
  const options = isPublished ? { weights: (await readCheckpoint(publishedWeights)).tensors } : {};
  const { output, taps, classFlips, orderErrors, decisions } = await compareGolden(executor, name, options);
  const inner = Object.entries(taps).toSorted(([, a], [, b]) => b - a);
  const [where, tap] = inner[0] ?? ['', 0];
  const cells = [output.toExponential(1), inner.length, tap.toExponential(1), where, `${classFlips} of ${decisions}`];
  console.log(`| ${name} | ${cells.join(' | ')} |`);
  farthest = Math.max(farthest, output, ...inner.map(([, distance]) => distance));
  if (!(farthest <= webgpuBound) || classFlips + orderErrors > 0) {
    process.exitCode = 1;
  }
}
console.log(`\nfarthest of all: ${farthest.toExponential(2)} (relative L2; ${webgpuBound} is allowed)`);
await executor.dispose();

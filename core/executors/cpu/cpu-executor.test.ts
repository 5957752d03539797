import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { describeExecutor } from '../../../test/conformance/executor-suite.js';
import { randomCheckpoint, randomImage, smallConfig } from '../../../test/random-network.js';
import { recognise } from '../../architectures/architectures.js';
import { createCpuExecutor, type CpuExecutorOptions } from './cpu-executor.js';

describeExecutor('cpu (plain)', () => createCpuExecutor({ build: 'plain', threads: 2 }), 0);
describeExecutor('cpu (relaxed)', () => createCpuExecutor({ build: 'relaxed', threads: 3 }), 0);

/** SHA-256 of the output for a seeded image of 37 × 61 pixels. */
async function outputHash(options: CpuExecutorOptions): Promise<string> {
  const tensors = randomCheckpoint(smallConfig, 1);
  const executor = await createCpuExecutor(options);
  try {
    const network = await executor.load(recognise(tensors).graph, tensors);
    const { output } = await network.run(randomImage([1, 3, 37, 61], 5), { routing: { kind: 'seeded', seed: 7 } });
    return createHash('sha256').update(new Uint8Array(output.data.buffer)).digest('hex');
  } finally {
    await executor.dispose();
  }
}

describe('cpu executor', () => {
  it.each(['plain', 'relaxed'] as const)('gives the same bytes for every thread count (%s)', async (build) => {
    const hashes = await Promise.all([1, 2, 5].map((threads) => outputHash({ build, threads })));
    expect(new Set(hashes).size).toBe(1);
  });

  it('gives the same bytes on every machine in its plain build', async () => {
    // WebAssembly without relaxed SIMD is deterministic by its specification; a change of this value is a change of
    // the arithmetic, to be made on purpose.
    expect(await outputHash({ build: 'plain', threads: 2 })).toBe(
      'e7116a940df9dc4eb0458f9cc548ad9ea4bf3cca31c70386b3d11eb5302827d2',
    );
  });

  it.each([0, 1.5, 65, Number.NaN])('refuses %p threads', async (threads) => {
    await expect(createCpuExecutor({ threads })).rejects.toMatchObject({ code: 'MAMBAIR_OPTION_INVALID' });
  });
});

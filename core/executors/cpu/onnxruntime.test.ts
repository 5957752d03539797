import { describe, expect, it } from '@jest/globals';
import { describeExecutor } from '../../../test/conformance/executor-suite.js';
import { relativeDistance } from '../../../test/golden/golden-cases.js';
import { describeWithOnnxRuntime } from '../../../test/onnxruntime.js';
import { randomCheckpoint, randomImage, smallConfig } from '../../../test/random-network.js';
import { recognise } from '../../architectures/architectures.js';
import { accelerationRule } from './accelerate.js';
import { createCpuExecutor, type CpuExecutorOptions } from './cpu-executor.js';
import { describeOnnxRuntime } from './onnxruntime-status.js';

const tensors = randomCheckpoint(smallConfig, 1);

/** Some runs of one network on an image of 37 × 61 pixels, and what the executor says of itself afterwards. */
async function runOn(
  options: CpuExecutorOptions,
  runs = 1,
): Promise<{ readonly output: Float32Array; readonly description: string }> {
  const executor = await createCpuExecutor({ threads: 2, build: 'plain', ...options });
  try {
    const network = await executor.load(recognise(tensors).graph, tensors);
    const run = () => network.run(randomImage([1, 3, 37, 61], 5), { routing: { kind: 'seeded', seed: 7 } });
    let { output } = await run();
    for (let again = 1; again < runs; again++) {
      ({ output } = await run());
    }
    return { output: output.data, description: executor.description };
  } finally {
    await executor.dispose();
  }
}

const moduleOf = (source: string): string => `data:text/javascript,${encodeURIComponent(source)}`;
const failures = {
  'the package is absent': 'onnxruntime-node-is-not-installed',
  'it has no sessions': moduleOf('export const Tensor = Object;'),
  'a session cannot be made': moduleOf(
    'export const Tensor = Object; export const InferenceSession = { create: async () => { throw new Error("no session"); } };',
  ),
  'a session fails when it runs': moduleOf(
    'export const Tensor = Object; export const InferenceSession = { create: async () => ({ run: async () => { throw new Error("no run"); } }) };',
  ),
  'a session gives nothing': moduleOf(
    'export const Tensor = Object; export const InferenceSession = { create: async () => ({ run: async () => ({}) }) };',
  ),
} as const;

describe('cpu executor without a working ONNX Runtime', () => {
  it.each(Object.entries(failures))('gives the kernels’ bytes when %s, and says why', async (_, onnxruntimeModule) => {
    const plain = await runOn({ onnxruntime: 'off' });
    const { output, description } = await runOn({ onnxruntime: 'on', onnxruntimeModule }, 2);
    expect(Buffer.from(output.buffer).equals(Buffer.from(plain.output.buffer))).toBe(true);
    expect(description).toMatch(/onnxruntime not used \(.+\)/);
  });

  it('does not say anything of it where it is not wanted', async () => {
    const { description } = await runOn({ onnxruntime: 'auto', onnxruntimeModule: failures['the package is absent'] });
    expect(description).not.toContain('onnxruntime');
  });

  it.each(Object.entries(failures).slice(0, 3))('is told apart beforehand when %s', async (_, onnxruntimeModule) => {
    expect(await describeOnnxRuntime(onnxruntimeModule)).toMatch(/^not used: ./);
  });

  it('refuses another word for its use', async () => {
    await expect(createCpuExecutor({ onnxruntime: 'maybe' as 'auto' })).rejects.toMatchObject({
      code: 'MAMBAIR_OPTION_INVALID',
    });
  });
});

describeWithOnnxRuntime('cpu executor with ONNX Runtime', () => {
  describeExecutor('cpu (onnxruntime)', () => createCpuExecutor({ threads: 2, onnxruntime: 'on' }), 0);

  it('computes what the kernels do, and says that it takes part', async () => {
    const plain = await runOn({ onnxruntime: 'off' });
    const accelerated = await runOn({ onnxruntime: 'on' });
    expect(relativeDistance(accelerated.output, plain.output)).toBeLessThanOrEqual(1e-5);
    expect(accelerated.description).toMatch(/onnxruntime .* for \d+ layers/);
  });

  it('gives the same bytes for every thread count', async () => {
    const outputs = await Promise.all([1, 2, 5].map((threads) => runOn({ threads, onnxruntime: 'on' })));
    const [first, ...others] = outputs.map(({ output }) => Buffer.from(output.buffer));
    expect(others.map((bytes) => first?.equals(bytes))).toEqual([true, true]);
  });

  it('is described with its version and rule', async () => {
    const description = await describeOnnxRuntime();
    expect(description).toMatch(/^\d+\.\d+\.\d+ /);
    expect(description).toContain(accelerationRule());
  });

  it('counts in the memory plan', async () => {
    const totals = await Promise.all(
      (['off', 'on'] as const).map(async (onnxruntime) => {
        const executor = await createCpuExecutor({ threads: 1, onnxruntime });
        const { totalBytes } = (await executor.load(recognise(tensors).graph, tensors)).plan(16, 16);
        await executor.dispose();
        return totalBytes;
      }),
    );
    expect((totals[1] ?? 0) - (totals[0] ?? 0)).toBeGreaterThan(50e6);
  });

  it('keeps its memory bounded from run to run', async () => {
    const executor = await createCpuExecutor({ threads: 2, onnxruntime: 'on' });
    try {
      const network = await executor.load(recognise(tensors).graph, tensors);
      const run = () => network.run(randomImage([1, 3, 128, 128], 5), { routing: { kind: 'argmax' } });
      await run();
      await run();
      const before = process.memoryUsage().rss;
      for (let again = 0; again < 25; again++) {
        await run();
      }
      // All results of these runs together are about 400 MB.
      expect(process.memoryUsage().rss - before).toBeLessThan(150e6);
    } finally {
      await executor.dispose();
    }
  });
});

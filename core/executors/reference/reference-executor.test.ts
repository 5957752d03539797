import { expect, it } from '@jest/globals';
import { describeExecutor } from '../../../test/conformance/executor-suite.js';
import { randomCheckpoint, randomImage, smallConfig } from '../../../test/random-network.js';
import { recognise } from '../../architectures/architectures.js';
import { createReferenceExecutor } from './reference-executor.js';

describeExecutor('reference', () => Promise.resolve(createReferenceExecutor()), 0);

it('refuses a run whose plan is above its limit', async () => {
  const tensors = randomCheckpoint(smallConfig, 1);
  const network = await createReferenceExecutor(2 ** 20).load(recognise(tensors).graph, tensors);
  const options = { routing: { kind: 'argmax' } } as const;
  await expect(network.run(randomImage([1, 3, 64, 64], 1), options)).rejects.toMatchObject({
    code: 'MAMBAIR_OUT_OF_MEMORY',
  });
  expect((await network.run(randomImage([1, 3, 8, 8], 1), options)).output.shape).toEqual([1, 3, 16, 16]);
});

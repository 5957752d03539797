import { describe, it } from '@jest/globals';
import { findAdapter } from '../core/library/gpu-adapters.js';

export { gpuTestMs } from './gpu-time.js';

const problem = await findAdapter().then(
  () => undefined,
  (error: unknown) => (error as Error).message,
);

/** Whether a GPU is here, or a CPU that plays one. */
export const hasGpu: boolean = problem === undefined;

/** `describe` where there is an adapter; else one skipped test that names what is missing. */
export function describeWithGpu(name: string, body: () => void): void {
  if (problem === undefined) {
    describe(name, body);
  } else {
    it.skip(`${name} (${problem})`, () => undefined);
  }
}

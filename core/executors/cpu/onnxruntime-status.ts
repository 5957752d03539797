import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { accelerationRule } from './accelerate.js';

/** What a probe of ONNX Runtime answers: its version, or why it does not work. */
export type ProbeAnswer = { readonly version: string } | { readonly problem: string };

/**
 * One line for people: what ONNX Runtime is used for here, or why it is not. Loads it in a thread of its own, for
 * about 0.2 s; never throws.
 */
export async function describeOnnxRuntime(module = 'onnxruntime-node'): Promise<string> {
  const worker = new Worker(new URL('./onnxruntime-probe.js', import.meta.url), { workerData: module, execArgv: [] });
  try {
    const [answer] = (await once(worker, 'message')) as [ProbeAnswer];
    return 'problem' in answer ? `not used: ${answer.problem}` : `${answer.version} ${accelerationRule()}`.trimStart();
  } catch (error) {
    return `not used: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    await worker.terminate();
  }
}

import { parentPort, workerData } from 'node:worker_threads';
import { OnnxKernels } from './onnx-kernels.js';
import type { ProbeAnswer } from './onnxruntime-status.js';

/** A thread that loads ONNX Runtime as the executor's threads do, and tells how it went. */
const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
const graph = { nodes: [], output: 0, routes: [] };
let answer: ProbeAnswer;
try {
  const { version } = await OnnxKernels.load({ module: workerData as string, graph, nodes: [], packed: [], memory });
  answer = { version };
} catch (error) {
  answer = { problem: error instanceof Error ? error.message : String(error) };
}
parentPort?.postMessage(answer);

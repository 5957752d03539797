import { recognise } from '../../core/architectures/architectures.js';
import type { GpuAdapter } from '../../core/executors/webgpu/gpu.js';
import { createWebgpuExecutor } from '../../core/executors/webgpu/webgpu-executor.js';
import { toFloat32 } from '../../core/tensor/convert.js';
import { parseSafetensors } from '../../core/tensor/safetensors.js';
import type { StoredTensor } from '../../core/tensor/tensor.js';

// Runs in a browser: the same executor on `navigator.gpu`, a fixture of the official code, the distance sent back.

/** What of a browser this page uses. */
interface Browser {
  readonly navigator: { readonly gpu?: { requestAdapter(): Promise<GpuAdapter | null> } };
  fetch(path: string, options?: { method: string; body: string }): Promise<{ arrayBuffer(): Promise<ArrayBuffer> }>;
}

const browser = globalThis as unknown as Browser;

async function distance(): Promise<number> {
  const adapter = await browser.navigator.gpu?.requestAdapter();
  if (!adapter) {
    throw new Error('this browser has no WebGPU adapter');
  }
  const bytes = new Uint8Array(await (await browser.fetch('/fixture')).arrayBuffer());
  const { tensors } = parseSafetensors(bytes, 'fixture');
  const { graph } = recognise(tensors, { allowExtra: true, overrides: { img_range: '255' } });
  const executor = await createWebgpuExecutor(adapter);
  const network = await executor.load(graph, tensors);
  const input = tensors.get('input') as StoredTensor;
  const image = { shape: input.shape, data: toFloat32(input) };
  const { output } = await network.run(image, { routing: { kind: 'argmax' } });
  await executor.dispose();
  const expected = toFloat32(tensors.get('output') as StoredTensor);
  let [difference, norm] = [0, 0];
  for (const [at, value] of expected.entries()) {
    difference += (value - (output.data[at] as number)) ** 2;
    norm += value ** 2;
  }
  return Math.sqrt(difference / norm);
}

const result = await distance().then(
  (value) => ({ distance: value }),
  (error: unknown) => ({ problem: String(error) }),
);
await browser.fetch('/result', { method: 'POST', body: JSON.stringify(result) });

import { GraphBuilder } from '../core/graph/build-graph.js';
import { bindProgram, memoryReport } from '../core/executors/webgpu/bound-program.js';
import { loadWeights } from '../core/executors/webgpu/loaded-weights.js';
import { OpenedDevice } from '../core/executors/webgpu/opened-device.js';
import { makeProgram } from '../core/executors/webgpu/program.js';
import { findAdapter } from '../core/library/gpu-adapters.js';
import { scanCase } from '../core/ops/selective-scan/cases.js';
import { SeededWeights } from '../test/seeded-weights.js';

// Device time of one selective scan on the GPU: npm run bench -- gpu [steps] [channels] [states] [GPU's number].
// 57600 348 16 is a scan of MambaIRv2-B on 320 × 180 pixels. Times of a software adapter say nothing of GPUs.

const [steps = 57_600, channels = 348, states = 16, index] = process.argv.slice(2).map(Number);
const { adapter, isSoftware } = await findAdapter(index);
const device = await OpenedDevice.open(adapter);

const weights = new SeededWeights();
const graph = new GraphBuilder();
const opCase = scanCase({ channels, states, rank: Math.ceil(channels / 16), size: [1, steps], classes: 128 }, 'speed');
const image = graph.input('input', { channels: opCase.channels, multiple: 1 });
const output = opCase.build({
  graph,
  image,
  name: (part) => part,
  nextBlock: () => 0,
  weight: (part, shape, draw) => weights.weight(part, shape, draw),
});
const built = graph.finish(output);
const program = makeProgram(built, { height: 1, width: steps, routing: 'argmax', precision: 'f32', keep: [] });
const loaded = await loadWeights(built, weights.tensors, { device, precision: 'f32' });
const bound = await bindProgram(program, loaded, device);
const scans = bound.passes.filter((_, at) => program.passes[at]?.shader.name === 'selective-scan');

/** Seconds of `times` scans in one command buffer, until the device is done. */
async function seconds(times: number): Promise<number> {
  const encoder = device.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (let time = 0; time < times; time++) {
    for (const { pipeline, group, x, y } of scans) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(x, y);
    }
  }
  pass.end();
  const start = performance.now();
  device.device.queue.submit([encoder.finish()]);
  await device.wait(device.device.queue.onSubmittedWorkDone());
  return (performance.now() - start) / 1e3;
}

await seconds(1);
// What a command buffer costs by itself falls out of the difference.
const [few, many] = isSoftware ? [1, 2] : [10, 110];
const once = ((await seconds(many)) - (await seconds(few))) / (many - few);
const { totalBytes } = memoryReport(program, { weightBytes: loaded.bytes, maxBindingBytes: device.maxBindingBytes });
console.log(device.description);
console.log(`${steps} steps × ${channels} channels × ${states} states: ${(once * 1e3).toFixed(3)} ms`);
console.log(
  `${((2 * steps * channels * states) / once / 1e9).toFixed(1)} billion decays a second (a scan in chunks takes two for each step, channel and state)`,
);
console.log(`${(totalBytes / 2 ** 20).toFixed(0)} MiB planned for the graph around it`);
if (isSoftware) {
  console.log('a software adapter: these times say nothing of any GPU');
}
bound.dispose();
device.device.destroy();

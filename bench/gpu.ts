import { recognise } from '../core/architectures/architectures.js';
import { randomWeights } from '../core/benchmark/random-weights.js';
import { bindProgram, memoryReport } from '../core/executors/webgpu/bound-program.js';
import { loadWeights } from '../core/executors/webgpu/loaded-weights.js';
import { OpenedDevice } from '../core/executors/webgpu/opened-device.js';
import { type GpuProgram, makeProgram } from '../core/executors/webgpu/program.js';
import { GraphBuilder } from '../core/graph/build-graph.js';
import type { Graph, NodeId } from '../core/graph/graph.js';
import { findAdapter } from '../core/library/gpu-adapters.js';
import { scanCase } from '../core/ops/selective-scan/cases.js';
import type { TensorMap } from '../core/tensor/tensor.js';
import { SeededWeights } from '../test/seeded-weights.js';
import { type Allocations, countAllocations } from '../test/watched-adapter.js';
import { type Cost, costsOf, type Roofs, secondsOf } from './gpu-costs.js';
import { bestSecondsOf, bestSecondsTogether, measureRoofs } from './gpu-timer.js';

/**
 * The kernels under their roofs: bytes, operations and time of each, and the time that they would take at least.
 *
 *     npm run bench -- gpu                  on the GPU that the system prefers; gpu 1: on webgpu:1
 *     npm run bench -- gpu predicted        no device: what an H200 would need at least (4.8 TB/s, 60 TFLOP/s in float32)
 *
 * A software adapter takes small sizes; its times and shares say nothing of any GPU.
 */
const supposed: Roofs = { bytes: 4.8e12, flops: 60e12 };

interface Job {
  readonly name: string;
  readonly graph: Graph;
  readonly tensors: TensorMap;
  readonly height: number;
  readonly width: number;
}

/** One scan, as of MambaIRv2-B on 320 × 180 pixels: 57 600 × 348 × 16. */
function scanJob(steps: number): Job {
  const weights = new SeededWeights();
  const graph = new GraphBuilder();
  const [channels, states] = [348, 16];
  const opCase = scanCase(
    { channels, states, rank: Math.ceil(channels / 16), size: [1, steps], classes: 128 },
    'speed',
  );
  const output = opCase.build({
    graph,
    image: graph.input('input', { channels: opCase.channels, multiple: 1 }),
    name: (part) => part,
    nextBlock: () => 0,
    weight: (part, shape, draw) => weights.weight(part, shape, draw),
  });
  const name = `a scan of ${steps} × ${channels} × ${states}`;
  return { name, graph: graph.finish(output), tensors: weights.tensors, height: 1, width: steps };
}

/** The reference job: MambaIRv2-light ×4. */
function networkJob(height: number, width: number): Job {
  const tensors = randomWeights('lightSR_x4');
  return { name: `MambaIRv2-light ×4, ${width} × ${height}`, graph: recognise(tensors).graph, tensors, height, width };
}

/** What a node's passes compute: its op, or the two that run as one. */
function labelsOf(graph: Graph, { plan }: GpuProgram): ReadonlyMap<NodeId, string> {
  const nameOf = (id: NodeId): string => {
    const operation = graph.nodes[id]?.operation;
    return operation?.op === 'conv2d' && operation.depthwise ? 'depthwise' : (operation?.op ?? '');
  };
  const calls = plan.steps.flatMap(({ calls: own }) => own);
  return new Map(calls.map(({ nodes, output }) => [output, nodes.map(nameOf).join(' + ')]));
}

interface Row extends Cost {
  readonly passes: number;
  readonly seconds: number;
  readonly least: number;
}

function printRows(job: Job, program: GpuProgram, precision: 'f32' | 'f16', measured: Measured | undefined): void {
  const costs = costsOf(job.graph, program, precision);
  const labels = labelsOf(job.graph, program);
  const roofs = measured?.roofs ?? supposed;
  const rows = new Map<string, Row>();
  const counted = new Set<NodeId>();
  for (const [at, id] of program.nodes.entries()) {
    if (id === undefined) {
      continue;
    }
    const label = labels.get(id) ?? '';
    const cost = counted.has(id) ? { bytes: 0, flops: 0 } : (costs.get(id) ?? { bytes: 0, flops: 0 });
    counted.add(id);
    const last = rows.get(label) ?? { passes: 0, bytes: 0, flops: 0, seconds: 0, least: 0 };
    rows.set(label, {
      passes: last.passes + 1,
      bytes: last.bytes + cost.bytes,
      flops: last.flops + cost.flops,
      seconds: last.seconds + (measured?.seconds[at] ?? 0),
      least: last.least + secondsOf(cost, roofs),
    });
  }
  console.log(`\n${job.name}, ${precision}\n`);
  const isTimed = measured !== undefined;
  console.log(
    `| kernels of | passes | MB | GFLOP | least ms | bound by |${isTimed ? ' ms | share of the roof |' : ''}`,
  );
  console.log(`|---|---:|---:|---:|---:|---|${isTimed ? '---:|---:|' : ''}`);
  const sum = (of: (row: Row) => number) => [...rows.values()].reduce((total, row) => total + of(row), 0);
  const total: Row = {
    passes: sum(({ passes }) => passes),
    bytes: sum(({ bytes }) => bytes),
    flops: sum(({ flops }) => flops),
    seconds: sum(({ seconds }) => seconds),
    least: sum(({ least }) => least),
  };
  const sorted = [...rows].toSorted(([, a], [, b]) => b.least - a.least);
  for (const [label, { passes, bytes, flops, seconds, least }] of [...sorted, ['all', total] as const]) {
    const bound = bytes / roofs.bytes > flops / roofs.flops ? 'memory' : 'arithmetic';
    const own = [label, passes, (bytes / 1e6).toFixed(1), (flops / 1e9).toFixed(2), (least * 1e3).toFixed(3), bound];
    const timed = isTimed ? [(seconds * 1e3).toFixed(3), `${((100 * least) / seconds).toFixed(0)} %`] : [];
    console.log(`| ${[...own, ...timed].join(' | ')} |`);
  }
}

interface Measured {
  readonly roofs: Roofs;
  /** Of each pass. */
  readonly seconds: readonly number[];
}

const makeFor = ({ graph, height, width }: Job, precision: 'f32' | 'f16') =>
  makeProgram(graph, { height, width, routing: 'seeded', precision, keep: [] });

async function measure(job: Job, device: OpenedDevice, { roofs, counted }: { roofs: Roofs; counted: Allocations }) {
  for (const precision of ['f32', 'f16'] as const) {
    const program = makeFor(job, precision);
    const before = counted.total;
    const weights = await loadWeights(job.graph, job.tensors, { device, precision });
    const bound = await bindProgram(program, weights, device);
    const allocated = counted.total - before;
    printRows(job, program, precision, { roofs, seconds: await bestSecondsOf(device, bound) });
    const { maxBindingBytes } = device;
    const { totalBytes } = memoryReport(program, { weightBytes: weights.bytes, maxBindingBytes });
    const together = await bestSecondsTogether(device, bound);
    console.log(`\nall passes as one, with what is between them: ${(together * 1e3).toFixed(3)} ms`);
    console.log(`device memory: planned ${totalBytes} bytes, allocated ${allocated}`);
    bound.dispose();
    for (const buffer of weights.buffers) {
      buffer.destroy();
    }
  }
}

const [chosen] = process.argv.slice(2);
if (chosen === 'predicted') {
  console.log('computed, not measured: 4.8 TB/s and 60 TFLOP/s in float32, nothing moved twice, no pass waiting');
  for (const job of [scanJob(57_600), networkJob(180, 320)]) {
    for (const precision of ['f32', 'f16'] as const) {
      printRows(job, makeFor(job, precision), precision, undefined);
    }
  }
} else {
  const found = await findAdapter(chosen === undefined ? undefined : Number(chosen));
  const { isSoftware } = found;
  const device = await OpenedDevice.open(found.adapter, { features: ['timestamp-query'] });
  const counted = countAllocations(device.device);
  const roofs = await measureRoofs(device, isSoftware);
  console.log(device.description);
  console.log(
    `copies ${(roofs.bytes / 1e9).toFixed(1)} GB a second, multiplies and adds ${(roofs.flops / 1e9).toFixed(1)} GFLOP a second`,
  );
  for (const job of isSoftware ? [scanJob(1000), networkJob(16, 16)] : [scanJob(57_600), networkJob(180, 320)]) {
    await measure(job, device, { roofs, counted });
  }
  if (isSoftware) {
    console.log('\na software adapter: these times and shares say nothing of any GPU');
  }
  device.device.destroy();
}

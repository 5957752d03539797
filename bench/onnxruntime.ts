import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { recognise } from '../core/architectures/architectures.js';
import { randomWeights, testPicture } from '../core/benchmark/random-weights.js';
import { invariant } from '../core/errors.js';
import { acceleratedNodes, type OnnxRuntimeUse } from '../core/executors/cpu/accelerate.js';
import { createCpuExecutor } from '../core/executors/cpu/cpu-executor.js';
import { OnnxKernels } from '../core/executors/cpu/onnx-kernels.js';
import { layOut } from '../core/executors/cpu/program.js';
import { compileKernels } from '../core/executors/cpu/wasm-build.js';
import type { Graph, GraphNode, Operation } from '../core/graph/graph.js';
import type { KernelExports, Operand } from '../core/ops/cpu-kernel.js';
import { cpuKernelOf } from '../core/ops/cpu-kernels.js';
import { stripAt } from '../core/plan/plan.js';

/**
 * What ONNX Runtime gains inside the CPU executor: layer by layer, and for whole networks. Copies in and out are part
 * of its time. Figures are medians of paired runs in CPU time, so that a busy machine does not favour either.
 *
 *     npm run bench -- onnxruntime layers
 *     npm run bench -- onnxruntime network SR_x2 64 64 [auto|on]
 */
const [what = 'layers', ...args] = process.argv.slice(2);
const module = 'onnxruntime-node';

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** CPU and wall milliseconds of one call. */
async function timed(run: () => unknown): Promise<{ readonly cpuMs: number; readonly wallMs: number }> {
  const [cpu, wall] = [process.cpuUsage(), performance.now()];
  await run();
  const { user, system } = process.cpuUsage(cpu);
  return { cpuMs: (user + system) / 1000, wallMs: performance.now() - wall };
}

interface Layer {
  readonly network: string;
  readonly op: 'linear' | 'conv2d';
  readonly inputs: number;
  readonly outputs: number;
}

const linear = (network: string, pairs: readonly (readonly [number, number])[]): readonly Layer[] =>
  pairs.map(([inputs, outputs]) => ({ network, op: 'linear', inputs, outputs }));
const conv = (network: string, inputs: number, outputs: number): Layer => ({ network, op: 'conv2d', inputs, outputs });

const layers: readonly Layer[] = [
  ...linear('light', [
    [48, 144],
    [48, 48],
  ]),
  conv('light', 48, 48),
  ...linear('Small', [
    [132, 396],
    [132, 132],
    [132, 264],
    [264, 132],
    [132, 44],
    [264, 49],
  ]),
  conv('Small', 132, 132),
  ...linear('Base, Large', [
    [174, 522],
    [174, 174],
    [174, 348],
    [348, 174],
    [174, 58],
    [58, 128],
    [348, 54],
  ]),
  conv('Base, Large', 174, 174),
  conv('Base, Large', 174, 64),
  conv('head', 64, 256),
  conv('head', 64, 64),
  conv('head', 64, 3),
];

/** A graph of one layer on an input of its width. */
function layerGraph({ op, inputs, outputs }: Layer): Graph {
  const node = (operation: Operation, from: readonly number[], channels: number): GraphNode => ({
    name: operation.op,
    operation,
    inputs: from,
    type: { kind: 'features', channels, scale: 1 },
  });
  const operation: Operation =
    op === 'linear'
      ? { op, weight: { key: 'w', shape: [outputs, inputs] }, bias: { key: 'b', shape: [outputs] } }
      : {
          op,
          kernelSize: 3,
          depthwise: false,
          weight: { key: 'w', shape: [outputs, inputs, 3, 3] },
          bias: { key: 'b', shape: [outputs] },
        };
  const source: Operation = { op: 'input', channels: inputs, multiple: 1 };
  return { nodes: [node(source, [], inputs), node(operation, [0], outputs)], output: 1, routes: [] };
}

/** One line: both ways of computing a layer on a square map, alternately, in the strips that the executor makes. */
async function measureLayer(layer: Layer, side: number, wasm: WebAssembly.Module): Promise<string> {
  const graph = layerGraph(layer);
  const operation = (graph.nodes[1] as GraphNode).operation;
  const memory = new WebAssembly.Memory({ initial: 4096, maximum: 4096, shared: true });
  const kernels = new WebAssembly.Instance(wasm, { env: { memory } }).exports as unknown as KernelExports;
  let next = 65536;
  const take = (bytes: number): number => {
    const address = next;
    next += Math.ceil(bytes / 64) * 64 + 64;
    return address;
  };
  const random = (length: number): Float32Array => Float32Array.from({ length }, () => Math.random() - 0.5);
  const kernel = cpuKernelOf(operation);
  const read = ({ key }: { readonly key: string }): Float32Array =>
    random(key === 'b' ? layer.outputs : layer.outputs * layer.inputs * (layer.op === 'conv2d' ? 9 : 1));
  const packed = kernel.pack(operation, read, layer.inputs).map((values) => {
    const address = take(values.byteLength);
    new Float32Array(memory.buffer, address, values.length).set(values);
    return address;
  });
  const operandOf = (channels: number): Operand => {
    const strideBytes = Math.ceil(channels / 8) * 32;
    const address = take(side * side * strideBytes);
    new Float32Array(memory.buffer, address, (side * side * strideBytes) / 4).set(
      random((side * side * strideBytes) / 4),
    );
    const at = (pixel: number): number => address + pixel * strideBytes;
    return { channels, strideBytes, isLocal: false, height: side, width: side, at };
  };
  const [x, y] = [operandOf(layer.inputs), operandOf(layer.outputs)];
  const stripsWith = (
    accelerated: ReadonlySet<number>,
  ): readonly { readonly first: number; readonly count: number }[] => {
    const size = { height: side, width: side };
    const { plan } = layOut(graph, size, { id: 0, weightsEnd: 0, threads: 1, keep: [], accelerated });
    const step = plan.steps.find(({ calls }) => calls.some(({ output }) => output === 1));
    invariant(step, 'the layer is in no step');
    return Array.from({ length: step.strips }, (_, index) => stripAt(step, index));
  };
  const scratch = take(4 << 20);
  const run = {
    routing: 'argmax',
    seed: 0,
    originX: 0,
    originY: 0,
    routeData: [],
    inputHeight: 0,
    inputWidth: 0,
  } as const;
  const ours = kernel.bind({
    operation,
    inputs: [x],
    output: y,
    packed,
    kernels,
    scratch,
    run: { ...run, inputAddress: 0 },
    isCancelled: () => false,
  });
  const onnx = await OnnxKernels.load({ module, graph, nodes: [1], packed: [[], packed], memory });
  const theirs = onnx.bind(1, x, y);
  const [ourStrips, theirStrips] = [stripsWith(new Set()), stripsWith(new Set([1]))];
  const runOurs = (): void => {
    for (const { first, count } of ourStrips) {
      ours(first, count);
    }
  };
  const runTheirs = async (): Promise<void> => {
    for (const { first, count } of theirStrips) {
      await theirs(first, count);
    }
  };
  for (let warm = 0; warm < 3; warm++) {
    runOurs();
    await runTheirs();
  }
  const pairs: { readonly ours: number; readonly theirs: number }[] = [];
  for (let round = 0; round < 15; round++) {
    pairs.push({ ours: (await timed(runOurs)).cpuMs, theirs: (await timed(runTheirs)).cpuMs });
  }
  const [a, b] = [median(pairs.map((pair) => pair.ours)), median(pairs.map((pair) => pair.theirs))];
  const gflop = (2 * side * side * layer.inputs * layer.outputs * (layer.op === 'conv2d' ? 9 : 1)) / 1e6;
  const gain = median(pairs.map((pair) => pair.ours / pair.theirs));
  const name = layer.op === 'linear' ? 'linear' : 'convolution 3 × 3';
  return [
    `| ${layer.network} | ${name} ${layer.inputs} → ${layer.outputs} | ${side} × ${side} `,
    `${a.toFixed(2)} (${(gflop / a).toFixed(0)}) | ${b.toFixed(2)} (${(gflop / b).toFixed(0)}) | ${gain.toFixed(2)} |`,
  ].join('| ');
}

async function printLayers(): Promise<void> {
  const { build, module: wasm } = await compileKernels('auto');
  console.log(
    `${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.versions.node}, ${build} build, one thread\n`,
  );
  console.log('| network | layer | map | kernels, ms (GFLOP/s) | onnxruntime with copies, ms (GFLOP/s) | gain |');
  console.log('|---|---|---|---|---|---|');
  for (const side of [64, 128]) {
    for (const layer of layers) {
      console.log(await measureLayer(layer, side, wasm));
    }
  }
}

/** A network of random weights on the CPU executor, and a run of it. */
async function prepare(name: string, height: number, width: number, threads: number, onnxruntime: OnnxRuntimeUse) {
  const tensors = randomWeights(name);
  const { graph, info } = recognise(tensors);
  const executor = await createCpuExecutor({ threads, onnxruntime });
  const network = await executor.load(graph, tensors);
  const input = { shape: [1, info.inputChannels, height, width], data: testPicture(info.inputChannels, height, width) };
  return {
    executor,
    layers: acceleratedNodes(graph, onnxruntime).length,
    run: () => network.run(input, { routing: { kind: 'seeded', seed: 0 } }),
  };
}

async function printNetwork(name: string, height: number, width: number, using: OnnxRuntimeUse): Promise<void> {
  console.log(
    `${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.versions.node}; ${name}, ${height} × ${width}\n`,
  );
  console.log(
    '| threads | onnxruntime | layers | CPU s, first run | CPU s | wall s | gain in CPU time | peak memory, MiB |',
  );
  console.log('|---|---|---|---|---|---|---|---|');
  for (const threads of [1, 2]) {
    const [off, used] = [
      await prepare(name, height, width, threads, 'off'),
      await prepare(name, height, width, threads, using),
    ];
    const first = { off: await timed(off.run), used: await timed(used.run) };
    const pairs = [];
    for (let round = 0; round < 7; round++) {
      pairs.push({ off: await timed(off.run), used: await timed(used.run) });
    }
    const gain = median(pairs.map((pair) => pair.off.cpuMs / pair.used.cpuMs));
    for (const which of ['off', 'used'] as const) {
      const [cpu, wall] = [
        median(pairs.map((pair) => pair[which].cpuMs)),
        median(pairs.map((pair) => pair[which].wallMs)),
      ];
      const use = which === 'off' ? 'off' : using;
      const child = [fileURLToPath(import.meta.url), 'memory', name, height, width, threads, use].map(String);
      const peak = spawnSync(process.execPath, child, { encoding: 'utf8' }).stdout.trim();
      const seconds = [first[which].cpuMs, cpu, wall].map((ms) => (ms / 1000).toFixed(2)).join(' | ');
      const [count, gained] = which === 'off' ? [0, ''] : [used.layers, gain.toFixed(2)];
      console.log(`| ${threads} | ${use} | ${count} | ${seconds} | ${gained} | ${peak} |`);
    }
    await Promise.all([off.executor.dispose(), used.executor.dispose()]);
  }
}

const [name = 'SR_x2', height = '64', width = height] = args;
const size = [Number(height), Number(width)] as const;
switch (what) {
  case 'layers':
    await printLayers();
    break;
  case 'network':
    await printNetwork(name, ...size, (args[3] ?? 'auto') as OnnxRuntimeUse);
    break;
  case 'memory': {
    const { executor, run } = await prepare(name, ...size, Number(args[3]), args[4] as OnnxRuntimeUse);
    await run();
    await run();
    await executor.dispose();
    console.log((process.resourceUsage().maxRSS / 1024).toFixed(0));
    break;
  }
  default:
    console.log('expected: layers, or network NAME HEIGHT WIDTH [auto|on]');
    process.exitCode = 2;
}

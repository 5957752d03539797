import { availableParallelism, cpus } from 'node:os';
import { compileKernels, type WasmBuild } from '../core/executors/cpu/wasm-build.js';
import type { KernelExports } from '../core/ops/cpu-kernel.js';

/**
 * Times each kernel of the CPU executor alone, one thread, at the shapes of MambaIRv2-light ×4 on 320 × 180 pixels,
 * against the matrix product timed between its runs. The fastest of many short runs counts: on a shared machine it is
 * the only figure that repeats.
 *
 *     npm run bench -- kernels [plain|relaxed]
 */
const build = (process.argv[2] ?? 'relaxed') as WasmBuild;
const { module } = await compileKernels(build);
const memory = new WebAssembly.Memory({ initial: 2048, maximum: 2048, shared: true });
const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as KernelExports;
const floats = new Float32Array(memory.buffer);
const integers = new Int32Array(memory.buffer);

let state = 7;
const random = (): number => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32 - 0.5;
};
// Everything above the module's own constants.
for (let at = 65536 / 4; at < floats.length; at++) {
  floats[at] = random();
}
let next = 65536;
/** Address of `bytes` bytes of random numbers. */
const take = (bytes: number): number => {
  const address = next;
  next += Math.ceil(bytes / 64) * 64;
  return address;
};

const scanTokens = 61440;
const [x, y, z] = [take(scanTokens * 192), take(scanTokens * 192), take(4 << 20)];
const projection = take(scanTokens * 96);
const [weights, bias, scratch, logits] = [take(1 << 20), take(1 << 16), take(1 << 20), take(256 * 256)];
const [order, classOf, prompt, scanState] = [take(scanTokens * 4), take(scanTokens * 4), take(64 * 32), take(48 * 32)];
const [dtWeight, dtBias, decay, skip] = [take(48 * 12), take(192), take(48 * 32), take(192)];
for (let at = 0; at < 256 * 64; at++) {
  floats[logits / 4 + at] = random() * 0.03; // the official routers are nearly uniform
}
for (let channel = 0; channel < 48; channel++) {
  floats[dtBias / 4 + channel] = -4;
  for (let n = 0; n < 8; n++) {
    floats[decay / 4 + channel * 8 + n] = -(n + 1) * Math.LOG2E;
  }
}
// Official routers are nearly uniform: random classes, sorted by the kernel itself.
for (let at = 0; at < scanTokens; at++) {
  integers[classOf / 4 + at] = Math.floor((random() + 0.5) * 64);
}
kernels.sortByClass(classOf, scanTokens, 64, order, scratch);

const gemm = (k: number, outputs: number) => (): void => {
  kernels.gemm(x, k * 4, y, outputs * 4, 256, k, 1, 0, outputs / 8, weights, bias, 0, 0);
};
let scanned = 0;
/** 1024 steps of the scan, going through the whole map call by call, so that its rows come from main memory. */
const scan = (): void => {
  kernels.selectiveScan(
    x,
    192,
    projection,
    96,
    order,
    classOf,
    prompt,
    y,
    192,
    scanned,
    1024,
    0,
    12,
    3,
    8,
    dtWeight,
    dtBias,
    decay,
    skip,
    scanState,
    scratch,
  );
  scanned = (scanned + 1024) % scanTokens;
};

interface Line {
  readonly name: string;
  readonly run: () => void;
  /** How many of `unit` one run does. */
  readonly work: number;
  readonly unit: string;
}
const lines: readonly Line[] = [
  { name: 'linear 48 → 48', run: gemm(48, 48), work: 256 * 48 * 48, unit: 'MAC' },
  { name: 'linear 48 → 144', run: gemm(48, 144), work: 256 * 48 * 144, unit: 'MAC' },
  { name: 'linear 348 → 176', run: gemm(348, 176), work: 256 * 348 * 176, unit: 'MAC' },
  {
    name: 'convolution 3 × 3, 48 → 48',
    run: () => kernels.convRowWinograd(x, 192, 16, 160, 48, 4, 0, 160, y, 192, 6, weights, bias, scratch),
    work: 160 * 9 * 48 * 48,
    unit: 'MAC',
  },
  {
    name: 'window attention 16 × 16, 4 heads of 12',
    run: () => kernels.windowAttention(x, 576, 0, y, 192, 0, 16, 16, 48, 4, 16, 0, 0, 0.4, weights, 3856, scratch),
    work: 4 * 65536,
    unit: 'pair',
  },
  {
    name: 'window attention 8 × 8, 4 heads of 8',
    run: () => kernels.windowAttention(x, 384, 0, y, 128, 0, 8, 8, 32, 4, 8, 0, 0, 0.5, weights, 960, scratch),
    work: 4 * 4096,
    unit: 'pair',
  },
  { name: 'selective scan 61 440 × 48 × 8, sorted order', run: scan, work: 1024 * 48 * 8, unit: 'state' },
  {
    name: 'routing, 64 tokens, seeded',
    run: () => kernels.routeSeeded(logits, 256, 256, 64, z, 0, 320, 0, 0, 5, scratch),
    work: 256 * 64,
    unit: 'token',
  },
  {
    name: 'depthwise 5 × 5, 24 channels',
    run: () => kernels.depthwiseRow(x, 96, 20, 160, 6, 5, 8, 0, 160, y, 96, weights, bias),
    work: 160 * 24 * 25,
    unit: 'MAC',
  },
  {
    name: 'depthwise 3 × 3, 48 channels',
    run: () => kernels.depthwiseRow(x, 192, 20, 160, 12, 3, 8, 0, 160, y, 192, weights, bias),
    work: 160 * 48 * 9,
    unit: 'MAC',
  },
  {
    name: 'layer norm, 48 channels',
    run: () => kernels.layerNorm(x, 192, y, 192, 256, 48, weights, bias),
    work: 256 * 48,
    unit: 'value',
  },
  { name: 'GELU', run: () => kernels.gelu(x, 192, y, 192, 256, 12), work: 256 * 48, unit: 'value' },
  { name: 'sigmoid gate', run: () => kernels.gate(x, 192, z, 192, y, 192, 256, 12), work: 256 * 48, unit: 'value' },
];

const milliseconds = (run: () => void, times: number): number => {
  const start = performance.now();
  for (let time = 0; time < times; time++) {
    run();
  }
  return (performance.now() - start) / times;
};

console.log(
  `Node ${process.versions.node}, ${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores; ${build} build`,
);
console.log('| kernel | ns per unit | unit | G units/s | time of a unit ÷ of a multiply-add in the matrix product |');
console.log('|---|---|---|---|---|');
const yardstick = gemm(48, 48);
for (const { name, run, work, unit } of lines) {
  milliseconds(run, 20);
  const times = Math.max(1, Math.round(1 / milliseconds(run, 5)));
  let fastest = Number.POSITIVE_INFINITY;
  let fastestYardstick = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 150; round++) {
    fastest = Math.min(fastest, milliseconds(run, times));
    fastestYardstick = Math.min(fastestYardstick, milliseconds(yardstick, 50));
  }
  const perUnit = (fastest * 1e6) / work;
  const perMac = (fastestYardstick * 1e6) / (256 * 48 * 48);
  console.log(
    `| ${name} | ${perUnit.toFixed(4)} | ${unit} | ${(1 / perUnit).toFixed(2)} | ${(perUnit / perMac).toFixed(2)} |`,
  );
}
